package sidecar

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

func TestRewrites(t *testing.T) {
	asked := func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s%s (%s)", r.Host, r.RequestURI, r.Header.Get("X-Envoy-Original-Path"))
	}
	for _, tt := range []struct{ name, entry, path, want string }{
		{"none", `"rewrite":{"authority":"other"}`, "/a?q=1", "other/a?q=1 ()"},
		{"a prefix", `"match":[{"uri":{"prefix":"/old"}}],"rewrite":{"uri":"/new"}`, "/old/a%2Fb?q=/old", "web:8000/new/a%2Fb?q=/old (/old/a%2Fb?q=/old)"},
		{"a prefix, as text", `"match":[{"uri":{"prefix":"/old/"}}],"rewrite":{"uri":"/"}`, "/old/a", "web:8000/a (/old/a)"},
		{"a prefix that the case is ignored of", `"match":[{"uri":{"prefix":"/old"},"ignoreUriCase":true}],"rewrite":{"uri":"/new"}`, "/OLD/a", "web:8000/new/a (/OLD/a)"},
		{"a path", `"match":[{"uri":{"exact":"/old"}}],"rewrite":{"uri":"/new","authority":"other"}`, "/old?q=1", "other/new?q=1 (/old?q=1)"},
		{"an expression's path", `"match":[{"uri":{"regex":"/o.*"}}],"rewrite":{"uri":"/new"}`, "/old/a?q=1", "web:8000/new?q=1 (/old/a?q=1)"},
		{"without a match", `"rewrite":{"uri":"/new"}`, "/a", "web:8000/newa (/a)"},
		{"to two slashes", `"match":[{"uri":{"prefix":"/old"}}],"rewrite":{"uri":"/"}`, "/old/a", "web:8000//a (/old/a)"},
		{"by an expression", `"match":[{"uri":{"prefix":"/"}}],"rewrite":{"uriRegexRewrite":{"match":"/(\\w+)/(\\w+)","rewrite":"/\\2/\\1/$1\\\\x"}}`, "/one/two/three?q=/a/b", `web:8000/two/one/$1\x/three?q=/a/b (/one/two/three?q=/a/b)`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := startMesh(t, Options{}, web(t, asked), sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{`+tt.entry+`,"route":[{"destination":{"host":"web"}}]}]}`))
			if g := m.get("http://web:8000" + tt.path); g.Body != tt.want {
				t.Errorf("the host was asked for %s, want %s", g.Body, tt.want)
			}
			if got := m.lines.all()[0].path; got != tt.path {
				t.Errorf("the log has the path %s", got)
			}
		})
	}
}

// A mirror gets the request as the host of the route does.
func TestARewriteComesBeforeTheMirror(t *testing.T) {
	copied := make(chan seen, 1)
	m := mirroring(t, toV2+`,"rewrite":{"uri":"/new/","authority":"other"}`, sidecartest.Answering("v1"), notingRequests("v2", copied))
	m.get("http://web:8000/a")
	if c := <-copied; c.Host != "other" || c.RequestURI != "/new/a" {
		t.Errorf("the copy went to %s%s", c.Host, c.RequestURI)
	}
}

func TestRewritesThatIstioRefuses(t *testing.T) {
	for entry, path := range map[string]string{
		`"rewrite":{}`: "spec.http[0].rewrite",
		`"rewrite":{"uri":"/a","uriRegexRewrite":{"match":"a","rewrite":"b"}}`:   "spec.http[0].rewrite",
		`"rewrite":{"uriRegexRewrite":{"match":"a"}}`:                            "spec.http[0].rewrite.uriRegexRewrite",
		`"rewrite":{"uriRegexRewrite":{"match":"(","rewrite":"b"}}`:              "spec.http[0].rewrite.uriRegexRewrite.match",
		`"rewrite":{"uriRegexRewrite":{"match":"(a)","rewrite":"\\2"}}`:          "spec.http[0].rewrite.uriRegexRewrite.rewrite",
		`"rewrite":{"uriRegexRewrite":{"match":"(a)","rewrite":"a\\"}}`:          "spec.http[0].rewrite.uriRegexRewrite.rewrite",
		`"rewrite":{"authority":"a"},"headers":{"request":{"set":{"host":"b"}}}`: "spec.http[0].rewrite.authority",
	} {
		_, err := Compile(config.Mesh{Services: web(t)}, []*rules.Object{sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{`+entry+`,"route":[{"destination":{"host":"web"}}]}]}`)})
		var unsupported *config.UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Path != path {
			t.Errorf("%s: %v", entry, err)
		}
	}
}

func TestRewritesAreDumpedAsEnvoys(t *testing.T) {
	m := startMesh(t, Options{}, web(t), sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"rewrite":{"uriRegexRewrite":{"match":"a","rewrite":"\\0"},"authority":"other"},"route":[{"destination":{"host":"web"}}]}]}`))
	if got := m.dumped(t, "regex_rewrite") + m.dumped(t, "host_rewrite_literal"); got != `{"pattern":{"regex":"a"},"substitution":"\\0"}"other"` {
		t.Errorf("got %s", got)
	}
}
