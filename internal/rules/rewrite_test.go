package rules

import (
	"slices"
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

func TestARewriteOfARequestIsAnotherOneOrNot(t *testing.T) {
	const to = `"route":[{"destination":{"host":"web"}}]`
	at := func(match, rewrite string) *Object {
		return virtual(t, `"http":[{"name":"own",`+match+`"rewrite":{`+rewrite+`},`+to+`},{"name":"rest",`+to+`}]`)
	}
	const (
		below    = `"match":[{"uri":{"prefix":"/old"}}],`
		exactly  = `"match":[{"uri":{"exact":"/old"}}],`
		withUser = `"match":[{"headers":{"x-user":{"exact":"anna"}}}],`
		regex    = `"uriRegexRewrite":{"match":"^/old/(.*)","rewrite":"/\\1"}`
	)
	for name, test := range map[string]struct {
		rule                 *Object
		path                 string
		goes, changed, known bool
	}{
		"a prefix":                      {at(below, `"uri":"/new"`), "/old/a", true, true, true},
		"a prefix by itself":            {at(below, `"uri":"/old"`), "/old/a", true, false, true},
		"a whole path":                  {at(exactly, `"uri":"/new"`), "/old", true, true, true},
		"a whole path by itself":        {at(exactly, `"uri":"/old"`), "/old", true, false, true},
		"another's":                     {at(below, `"uri":"/new"`), "/else", false, false, true},
		"the first slash":               {at("", `"uri":"/new/"`), "/a", true, true, true},
		"the first slash by itself":     {at("", `"uri":"/"`), "/a", true, false, true},
		"an expression":                 {at("", regex), "/old/a", true, true, true},
		"an expression that meets none": {at("", regex), "/a", true, false, true},
		"a host":                        {at("", `"uri":"/","authority":"shop.example"`), "/a", true, true, true},
		"a path that is written anew":   {at("", `"uri":"/"`), "/a//b", true, false, false},
		"who may go by it":              {at(withUser, `"uri":"/new"`), "/a", false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			parts := Parts(nil, test.rule)
			i := slices.IndexFunc(parts, func(p Part) bool { return p.Kind == PartRewrite })
			if i < 0 {
				t.Fatalf("there is no rewrite among %s", wordParts(parts))
			}
			r := Request{Host: "web.shop.svc.cluster.local", Port: 80, Method: "GET", Path: test.path}
			goes, changed, known := parts[i].Rewrites(r, []*Object{test.rule})
			if goes != test.goes || changed != test.changed || known != test.known {
				t.Errorf("it goes by it: %v, is changed: %v, known: %v; want %v, %v, %v", goes, changed, known, test.goes, test.changed, test.known)
			}
		})
	}
}
