package rules

import (
	"testing"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

func rewrite(set func(*Rewrite)) *Rewrite {
	r := &Rewrite{Service: yamlnode.Names{"ratings"}}
	set(r)
	return r
}

func TestARewriteIsSetInTheEntriesOfItsRequests(t *testing.T) {
	regex := func(r *Rewrite) { r.URIRegexRewrite = RegexRewrite{`^/old/(.*)`, `/\1`} }
	for name, test := range map[string]struct {
		http string
		set  func(*Rewrite)
		want string
	}{
		"a path":                      {`[{` + toV1 + `, timeout: 1s}]`, func(r *Rewrite) { r.URI = "/new/" }, `[{` + toV1 + `, timeout: 1s, rewrite: {uri: /new/}}]`},
		"of some":                     {`[{` + toV1 + `}]`, func(r *Rewrite) { r.When, r.URI = jason, "/new/" }, `[{` + isJason("") + `, ` + toV1 + `, rewrite: {uri: /new/}}, {` + toV1 + `}]`},
		"a path by an expression":     {`[{` + toV1 + `, rewrite: {uri: /a, authority: b}}]`, regex, `[{` + toV1 + `, rewrite: {uriRegexRewrite: {match: "^/old/(.*)", rewrite: "/\\1"}, authority: b}}]`},
		"a path where there was that": {`[{` + toV1 + `, rewrite: {uriRegexRewrite: {match: a, rewrite: b}}}]`, func(r *Rewrite) { r.URI = "/a" }, `[{` + toV1 + `, rewrite: {uri: /a}}]`},
		"a host":                      {`[{` + toV1 + `, rewrite: {uri: /a, authority: b}}]`, func(r *Rewrite) { r.Authority = "shop.example" }, `[{` + toV1 + `, rewrite: {uri: /a, authority: shop.example}}]`},
	} {
		t.Run(name, func(t *testing.T) {
			compareHTTP(t, mergeOne(t, ratings(test.http), rewrite(test.set)), test.want)
		})
	}
}

func TestARewriteIsRefusedWithTheReason(t *testing.T) {
	for name, test := range map[string]struct {
		objects string
		set     func(*Rewrite)
		want    string
	}{
		"nothing":             {"", func(*Rewrite) {}, "it rewrites nothing"},
		"two of one":          {"", func(r *Rewrite) { r.URI, r.URIRegexRewrite = "/a", RegexRewrite{"a", "b"} }, "cannot stand beside"},
		"half an expression":  {"", func(r *Rewrite) { r.URIRegexRewrite.Match = "a" }, "needs both match and rewrite"},
		"no expression":       {"", func(r *Rewrite) { r.URIRegexRewrite = RegexRewrite{"(", "b"} }, "uriRegexRewrite.match: "},
		"a path with a space": {"", func(r *Rewrite) { r.URI = "/a b" }, "without spaces"},
		"a URL for a host":    {"", func(r *Rewrite) { r.Authority = "http://a" }, "authority takes a host"},
		"on a redirect":       {ratings(`[{redirect: {uri: /}}]`), func(r *Rewrite) { r.URI = "/a" }, "spec.http[0] redirects"},
	} {
		t.Run(name, func(t *testing.T) {
			mergeRefused(t, test.objects, rewrite(test.set), test.want)
		})
	}
}
