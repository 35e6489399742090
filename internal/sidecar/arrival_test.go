package sidecar

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// What a workload says of retries and timeouts has no effect, and its host does
// not see it; a host that is changed is told.
func TestWhatAWorkloadMayNotSayIsTakenAway(t *testing.T) {
	seen := make(chan seen, 2)
	m := startMesh(t, Options{}, web(t, notingRequests("v1", seen)), sidecartest.VirtualService(t, "web",
		`{"hosts":["web"],"http":[{"headers":{"request":{"remove":["x-envoy-attempt-count"]}},"rewrite":{"authority":"elsewhere"},"route":[{"destination":{"host":"web"}}]}]}`))
	m.get("http://web:8000/a/../b", "X-Envoy-Retry-On", "5xx", "X-Envoy-Internal", "true", "X-Envoy-Upstream-Rq-Timeout-Ms", "1", "Te", "trailers")
	got := <-seen
	for _, name := range []string{"X-Envoy-Retry-On", "X-Envoy-Internal", "X-Envoy-Upstream-Rq-Timeout-Ms", attemptCount} {
		if v := got.Header.Get(name); v != "" {
			t.Errorf("%s is %s", name, v)
		}
	}
	if got.Host != "elsewhere" || got.Header.Get(originalHost) != "web:8000" || got.RequestURI != "/b" || got.Header.Get("Te") != "trailers" {
		t.Errorf("%s%s with %v", got.Host, got.RequestURI, got.Header)
	}
	if path := m.lines.all()[0].path; path != "/b" {
		t.Errorf("the log has the path %s", path)
	}
}

// Who refuses a connection, or ends it before an answer, is the one who closed it.
func TestClosedByTheOtherSide(t *testing.T) {
	hangUp := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	m := startMesh(t, Options{}, web(t, hangUp))
	m.get("http://web:8000/")
	m.wantStats(t, map[string]int64{"upstream_cx_destroy": 1, "upstream_cx_destroy_remote": 1, "upstream_cx_destroy_local": 0})
}

// What Envoy 1.40 made of these under Istio 1.31.
func TestPathsAreNormalizedAsEnvoys(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/a/b?c=/../d": "/a/b?c=/../d", "/a/../b": "/b", "/a/./b": "/a/b", "//a//b": "//a//b", "/a%2Fb": "/a%2Fb", "/%61": "/a", "/a%20b": "/a%20b",
		"/%2e%2E/x": "/x", "/a/b/%2e%2E/x?y": "/a/x?y", `/a\b`: "/a/b", "/a//../b": "/a/b", "/..": "/", "/a/..": "/", "/a/.": "/a/", "/%7Ea%41%2f%2d": "/~aA%2f-", "/a.b/..c/...": "/a.b/..c/...",
		"/a/..;/b": "/b", "/a/..;x=1/b;y": "/b;y", "/a/.;/b": "/a/b", "/a/..;": "/", "/a/%2e%2e;/b": "/a/..;/b", "/a;x/../b": "/b", "/a/...;/b": "/a/...;/b",
	} {
		u, err := url.ParseRequestURI(path)
		if err != nil {
			t.Fatal(err)
		}
		r := &http.Request{URL: u, RequestURI: path}
		normalize(r)
		if got := r.URL.RequestURI(); got != want {
			t.Errorf("%s became %s, want %s", path, got, want)
		}
	}
}
