package rules

import (
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

func (c *checker) httpMatch(path string, match *networking.HTTPMatchRequest, inSidecars bool) {
	if kind, ok := match.Uri.GetMatchType().(*networking.StringMatch_Regex); ok { // Envoy takes an empty prefix of a path
		c.regex(path+".uri.regex", kind.Regex)
	}
	c.stringMatch(path+".scheme", match.Scheme)
	c.stringMatch(path+".method", match.Method)
	c.stringMatch(path+".authority", match.Authority)
	for _, name := range slices.Sorted(maps.Keys(match.Headers)) {
		c.headerMatch(at(path+".headers", name), name, match.Headers[name], inSidecars)
	}
	for _, name := range slices.Sorted(maps.Keys(match.WithoutHeaders)) {
		header := match.WithoutHeaders[name]
		if header.GetRegex() == "*" { // Istio reads it as any value
			header = nil
		}
		c.headerMatch(at(path+".withoutHeaders", name), name, header, inSidecars)
	}
	for _, name := range slices.Sorted(maps.Keys(match.QueryParams)) {
		c.stringMatch(at(path+".queryParams", name), match.QueryParams[name])
	}
	if match.Port != 0 {
		c.port(path+".port", match.Port)
	}
	c.gateways(path+".gateways", match.Gateways)
	c.labels(path+".sourceLabels", match.SourceLabels)
	if match.SourceNamespace != "" && !dnsLabel.MatchString(match.SourceNamespace) {
		c.refuse(path+".sourceNamespace", "%q is not the name of a namespace; it takes letters, digits and -", match.SourceNamespace)
	}
}

func (c *checker) headerMatch(path, name string, match *networking.StringMatch, inSidecars bool) {
	switch {
	case strings.HasPrefix(name, claims) && inSidecars:
		c.refuse(path, "the claims of a token are known to gateways alone; bind the rule to a gateway, or match a header")
	case !headerName.MatchString(name) && !slices.Contains(pseudoHeaders, name) && !strings.HasPrefix(name, claims):
		c.refuse(path, "%q is not the name of a header; it takes letters, digits and -, and no space", name)
	}
	c.stringMatch(path, match)
}

// headerOperations checks what an entry or a destination does to headers.
func (c *checker) headerOperations(path string, headers *networking.Headers) {
	request, response := headers.GetRequest(), headers.GetResponse()
	for _, one := range []struct {
		path   string
		values map[string]string
		host   bool // which it may change
	}{
		{path + ".request.set", request.GetSet(), true}, {path + ".request.add", request.GetAdd(), true},
		{path + ".response.set", response.GetSet(), false}, {path + ".response.add", response.GetAdd(), false},
	} {
		for _, name := range slices.Sorted(maps.Keys(one.values)) {
			c.changedHeader(one.path, name, one.host)
			if !headerValue.MatchString(one.values[name]) {
				c.refuse(at(one.path, name), "the value has a control character, such as a line break; write it in one line")
			}
		}
	}
	for _, name := range request.GetRemove() {
		c.changedHeader(path+".request.remove", name, false)
	}
	for _, name := range response.GetRemove() {
		c.changedHeader(path+".response.remove", name, false)
	}
}

func (c *checker) changedHeader(path, name string, host bool) {
	authority := strings.EqualFold(name, "host") || strings.EqualFold(name, ":authority")
	switch {
	case name == "":
		c.refuse(path, "a header has no name; give it one")
	case authority && !host:
		c.refuse(path, "the host is a request's alone, and can be set, not removed; take the rewrite of an entry")
	case strings.HasPrefix(name, ":") && !authority:
		c.refuse(path, "%s is no header that can be changed; name another, or take the rewrite of an entry", name)
	}
}
