package sidecar

import (
	"errors"
	"net/http"
	"testing"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

func TestRedirects(t *testing.T) {
	for _, tt := range []struct {
		name, entry, path string
		status            int
		location          string
	}{
		{"to a host", `"redirect":{"authority":"other"}`, "/a?q=1", 301, "http://other/a?q=1"},
		{"to a path", `"redirect":{"uri":"/new","redirectCode":302}`, "/a?q=1", 302, "http://web:8000/new?q=1"},
		{"to a path with a query", `"redirect":{"uri":"new?r=2","redirectCode":303}`, "/a?q=1", 303, "http://web:8000/new?r=2"},
		{"to a prefix", `"match":[{"uri":{"prefix":"/old"}}],"redirect":{"prefixRewrite":"/new","redirectCode":307}`, "/old/a?q=1", 307, "http://web:8000/new/a?q=1"},
		{"to another scheme", `"redirect":{"scheme":"https","redirectCode":308}`, "/a", 308, "https://web:8000/a"},
		{"to another scheme, from the port of this", `"match":[{"headers":{"x":{"exact":"y"}}}],"redirect":{"scheme":"https"}`, "/80", 301, "https://web/80"},
		{"to another port", `"redirect":{"port":8443}`, "/a", 301, "http://web:8443/a"},
		{"to the port that goes without saying", `"redirect":{"authority":"other","scheme":"https","port":443}`, "/a", 301, "https://other/a"},
		{"to the port of the request", `"redirect":{"authority":"other","derivePort":"FROM_REQUEST_PORT"}`, "/a", 301, "http://other:8000/a"},
		{"to the port of the scheme", `"redirect":{"authority":"other","derivePort":"FROM_PROTOCOL_DEFAULT"}`, "/a", 301, "http://other/a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := startMesh(t, Options{}, web(t, sidecartest.Answering("hello")), sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"name":"away",`+tt.entry+`,"headers":{"response":{"set":{"x-a":"added","content-type":"text/x"}}}}]}`))
			m.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			headers := []string{"X", "y"}
			if tt.path == "/80" {
				headers = append(headers, "Host", "web:80")
			}
			g := m.get("http://web:8000"+tt.path, headers...)
			if g.Status != tt.status || g.Header.Get("Location") != tt.location || g.Body != "" || g.Header.Get("X-A") != "added" || g.Header.Get("Content-Type") != "" {
				t.Errorf("got %d %v, want %d %s", g.Status, g.Header, tt.status, tt.location)
			}
			e := m.lines.all()[0]
			if got := m.lastFlags(); got != "- direct_response" || e.cluster != "" || e.route != "away" {
				t.Errorf("the log has %s, cluster %q, route %q", got, e.cluster, e.route)
			}
		})
	}
}

// The scheme is that by which the client came, as a proxy before this one tells.
func TestARedirectGoesByTheSchemeThatWasTold(t *testing.T) {
	for _, tt := range []struct{ redirect, host, location string }{
		{`{"authority":"other"}`, "web", "https://other/a"},
		{`{"uri":"/b"}`, "web:80", "https://web:80/b"},
		{`{"scheme":"http"}`, "web:443", "http://web/a"},
	} {
		m := startMesh(t, Options{}, web(t, sidecartest.Answering("hello")), sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"redirect":`+tt.redirect+`}]}`))
		m.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		if g := m.get("http://web:8000/a", forwardedProto, "https", "Host", tt.host); g.Header.Get("Location") != tt.location {
			t.Errorf("%s of %s leads to %s, want %s", tt.redirect, tt.host, g.Header.Get("Location"), tt.location)
		}
	}
}

func TestARedirectOfAWholeURLGoesByItsScheme(t *testing.T) {
	m := startMesh(t, Options{}, web(t, sidecartest.Answering("hello")), sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"redirect":{"uri":"/b"}}]}`))
	for target, want := range map[string]string{"http://web/a": "http://web/b", "https://web/a": "https://web/b", "/a": "https://web/b", "/a?to=http://web": "https://web/b?to=http://web"} {
		if _, header, _ := m.say(t, "GET "+target+" HTTP/1.1\r\nHost: web\r\nX-Forwarded-Proto: https\r\n\r\n"); header.Get("Location") != want {
			t.Errorf("%s leads to %s, want %s", target, header.Get("Location"), want)
		}
	}
}

func TestRedirectsThatIstioRefusesOrIgnores(t *testing.T) {
	for entry, path := range map[string]string{
		`"redirect":{}`: "spec.http[0].redirect",
		`"redirect":{"uri":"/a","prefixRewrite":"/b"}`:                       "spec.http[0].redirect",
		`"redirect":{"uri":"/a","redirectCode":300}`:                         "spec.http[0].redirect.redirectCode",
		`"redirect":{"scheme":"ftp"}`:                                        "spec.http[0].redirect.scheme",
		`"redirect":{"port":65536}`:                                          "spec.http[0].redirect.port",
		`"match":[{"uri":{"exact":"/a"}}],"redirect":{"prefixRewrite":"/b"}`: "spec.http[0].redirect.prefixRewrite",
	} {
		_, err := Compile(config.Mesh{Services: web(t)}, []*rules.Object{sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{`+entry+`}]}`)})
		var unsupported *config.UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Path != path {
			t.Errorf("%s: %v", entry, err)
		}
	}
}

// A route that redirects leads to no cluster, in the admin interface neither.
func TestRedirectsAreDumpedAsEnvoys(t *testing.T) {
	m := startMesh(t, Options{}, web(t), sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"redirect":{"uri":"/new","port":8443,"redirectCode":302}}]}`))
	const want = `{"redirect":{"path_redirect":"/new","port_redirect":8443,"response_code":"FOUND"}}`
	if got := dumpedText(t, m.dumpedRoute()); got != want {
		t.Errorf("got %s", got)
	}
}
