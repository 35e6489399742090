package rules

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	networking "istio.io/api/networking/v1alpha3"
)

// Hidden is an entry of a VirtualService that no request reaches, because another
// one before it takes all that it matches: the first entry that matches wins.
type Hidden struct {
	Path string // spec.http[1]
	By   string // spec.http[0]
}

// HiddenEntries returns those of an object, as far as it is plain.
func HiddenEntries(o *Object) []Hidden {
	vs, ok := o.Spec.(*networking.VirtualService)
	if !ok {
		return nil
	}
	http := make([][]*networking.HTTPMatchRequest, len(vs.Http))
	for i, entry := range vs.Http {
		http[i] = entry.Match
	}
	tcp := make([][]*networking.L4MatchAttributes, len(vs.Tcp))
	for i, entry := range vs.Tcp {
		tcp[i] = entry.Match
	}
	delegates := func(i int) bool { return vs.Http[i].Delegate != nil }
	return append(hiddenOf("http", http, delegates), hiddenOf("tcp", tcp, func(int) bool { return false })...)
}

// hiddenOf are those of one list. An entry that delegates takes what the delegate's
// own entries match, which is not known here, and leaves the rest to the next.
func hiddenOf[M proto.Message](list string, entries [][]M, delegates func(int) bool) []Hidden {
	var out []Hidden
	var before [][]M
	var at []int // the numbers of those
	for i, blocks := range entries {
		if by := takenBefore(before, blocks); by >= 0 {
			out = append(out, Hidden{Path: fmt.Sprintf("spec.%s[%d]", list, i), By: fmt.Sprintf("spec.%s[%d]", list, at[by])})
		}
		if !delegates(i) {
			before, at = append(before, blocks), append(at, i)
		}
	}
	return out
}

// takenBefore returns the first of the entries that stand before whose blocks,
// together with those of the others, match all that the blocks match, as far as
// that is plain; -1 for none. An entry without blocks matches everything.
func takenBefore[M proto.Message](before [][]M, blocks []M) int {
	if len(blocks) == 0 {
		var all M
		blocks = []M{all.ProtoReflect().New().Interface().(M)}
	}
	first := -1
	for _, block := range blocks {
		by := takenBy(before, block)
		if by < 0 {
			return -1
		}
		if first < 0 || by < first {
			first = by
		}
	}
	return first
}

// takenBy returns the first of the entries with a block that matches all that
// another one does; -1 for none.
func takenBy[M proto.Message](before [][]M, block M) int {
	for i, blocks := range before {
		if len(blocks) == 0 {
			return i
		}
		for _, wide := range blocks {
			if includes(wide, block) {
				return i
			}
		}
	}
	return -1
}

// includes says whether a block matches all that another one does: whether each
// of its conditions is among the other's, or plainly wider.
func includes(wide, narrow proto.Message) bool {
	included := true
	other := narrow.ProtoReflect()
	wide.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch field.Name() {
		case "name", "stat_prefix", "ignore_uri_case": // they choose no request by themselves
		case "uri":
			included = uriIncludes(wide.(*networking.HTTPMatchRequest), narrow.(*networking.HTTPMatchRequest))
		case "headers":
			included = headersInclude(wide.(*networking.HTTPMatchRequest).Headers, narrow.(*networking.HTTPMatchRequest).Headers)
		default:
			included = value.Equal(other.Get(field))
		}
		return included
	})
	return included
}

// uriIncludes compares paths. Every path begins with /.
func uriIncludes(wide, narrow *networking.HTTPMatchRequest) bool {
	switch {
	case wide.Uri.GetPrefix() == "/":
		return true
	case narrow.IgnoreUriCase && !wide.IgnoreUriCase:
		return false
	}
	return textIncludes(wide.Uri, narrow.Uri)
}

func headersInclude(wide, narrow map[string]*networking.StringMatch) bool {
	for name, match := range wide {
		key := headerOf(narrow, name)
		if key == "" || match.GetMatchType() != nil && !textIncludes(match, narrow[key]) {
			return false
		}
	}
	return true
}

func textIncludes(wide, narrow *networking.StringMatch) bool {
	prefix := wide.GetPrefix()
	switch kind := narrow.GetMatchType().(type) {
	case *networking.StringMatch_Exact:
		if prefix != "" && strings.HasPrefix(kind.Exact, prefix) {
			return true
		}
	case *networking.StringMatch_Prefix:
		if prefix != "" && strings.HasPrefix(kind.Prefix, prefix) {
			return true
		}
	}
	return proto.Equal(wide, narrow)
}
