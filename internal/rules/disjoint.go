package rules

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// disjoint says whether blocks match nothing that others match, as far as that is
// plain. No blocks match everything.
func disjoint(some, others []proto.Message) bool {
	if len(some) == 0 || len(others) == 0 {
		return false
	}
	return !slices.ContainsFunc(some, func(a proto.Message) bool {
		return slices.ContainsFunc(others, func(b proto.Message) bool { return !excludes(a, b) })
	})
}

// excludes says whether two blocks ask for what no request, or connection, can
// both have.
func excludes(a, b proto.Message) bool {
	one, isBlock := a.(gatewayMatch)
	other, bothAre := b.(gatewayMatch)
	if !isBlock || !bothAre {
		return false
	}
	if one.GetPort() != 0 && other.GetPort() != 0 && one.GetPort() != other.GetPort() {
		return true
	}
	if len(one.GetGateways()) > 0 && len(other.GetGateways()) > 0 && !slices.ContainsFunc(one.GetGateways(), func(g string) bool {
		return slices.ContainsFunc(other.GetGateways(), func(o string) bool { return lastName(g) == lastName(o) })
	}) {
		return true
	}
	x, isHTTP := a.(*networking.HTTPMatchRequest)
	y, bothHTTP := b.(*networking.HTTPMatchRequest)
	if !isHTTP || !bothHTTP {
		return false
	}
	folded := x.IgnoreUriCase || y.IgnoreUriCase
	return textExcludes(x.Uri, y.Uri, folded) || textExcludes(x.Method, y.Method, false) || textExcludes(x.Scheme, y.Scheme, false) ||
		textExcludes(x.Authority, y.Authority, false) || headersExclude(x, y) || headersExclude(y, x)
}

// lastName is what all ways of naming a gateway have in common.
func lastName(gateway string) string {
	name, _, _ := strings.Cut(gateway[strings.LastIndex(gateway, "/")+1:], ".")
	return name
}

// headersExclude says whether a block asks for a header that the other one asks to
// have another value, or not to be there.
func headersExclude(a, b *networking.HTTPMatchRequest) bool {
	for name, match := range a.Headers {
		if key := headerOf(b.Headers, name); key != "" && textExcludes(match, b.Headers[key], false) {
			return true
		}
		if key := headerOf(b.WithoutHeaders, name); key != "" && (b.WithoutHeaders[key].GetMatchType() == nil || proto.Equal(match, b.WithoutHeaders[key])) {
			return true
		}
	}
	return false
}

// textExcludes says whether no text matches both. Expressions are not compared.
func textExcludes(a, b *networking.StringMatch, folded bool) bool {
	begins := func(text, with string) bool {
		if folded {
			text, with = strings.ToLower(text), strings.ToLower(with)
		}
		return strings.HasPrefix(text, with)
	}
	switch {
	case a.GetExact() != "" && b.GetExact() != "":
		return !begins(a.GetExact(), b.GetExact()) || !begins(b.GetExact(), a.GetExact())
	case a.GetExact() != "" && b.GetPrefix() != "":
		return !begins(a.GetExact(), b.GetPrefix())
	case a.GetPrefix() != "" && b.GetExact() != "":
		return !begins(b.GetExact(), a.GetPrefix())
	case a.GetPrefix() != "" && b.GetPrefix() != "":
		return !begins(a.GetPrefix(), b.GetPrefix()) && !begins(b.GetPrefix(), a.GetPrefix())
	}
	return false
}
