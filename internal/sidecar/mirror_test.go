package sidecar

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// seen is a request as a workload saw it.
type seen struct {
	*http.Request
	body string
	err  error
}

// notingRequests is a workload that notes what comes, and answers with its name.
func notingRequests(name string, to chan<- seen) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		to <- seen{r, string(body), err}
		fmt.Fprint(w, name)
	}
}

func mirroring(t testing.TB, entry string, v1, v2 http.HandlerFunc) *mesh {
	return startMesh(t, Options{}, web(t, v1, v2), sidecartest.Subsets(t, "web"),
		sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{`+entry+`,"route":[{"destination":{"host":"web","subset":"v1"}}]}]}`))
}

const toV2 = `"mirror":{"host":"web","subset":"v2"}`

// A host may answer before it has read the body: the mirror gets it all the same.
func TestAMirrorGetsABodyThatTheHostDoesNotRead(t *testing.T) {
	copied := make(chan seen, 1)
	m := mirroring(t, toV2, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, notingRequests("v2", copied))
	body := strings.Repeat("x", 100_000)
	for range 20 {
		resp, err := m.client.Post("http://web:8000/", "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if c := <-copied; c.err != nil || c.body != body {
			t.Fatalf("the mirror got %d bytes, %v", len(c.body), c.err)
		}
	}
}

// A mirror gets a copy of the request, body and all, and the client the answer of
// the route alone. The caller's proxy logs the request once.
func TestAMirrorGetsACopy(t *testing.T) {
	first, copied := make(chan seen, 1), make(chan seen, 1)
	m := mirroring(t, toV2, notingRequests("v1", first), notingRequests("v2", copied))
	for _, body := range []string{"", "a body", strings.Repeat("x", 3*keptBody)} {
		resp, err := m.client.Post("http://web:8000/path?q=1", "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(answer) != "v1" {
			t.Errorf("got %q, %v", answer, err)
		}
		a, b := <-first, <-copied
		if b.body != body || b.err != nil || a.body != body {
			t.Errorf("of a body of %d the route's host got %d, the mirror %d, %v", len(body), len(a.body), len(b.body), b.err)
		}
		if b.Host != "web:8000" || b.RequestURI != "/path?q=1" || b.Header.Get("X-Request-Id") != a.Header.Get("X-Request-Id") {
			t.Errorf("the copy is %s %s %s", b.Host, b.RequestURI, b.Header.Get("X-Request-Id"))
		}
		if b.Header.Get("X-Envoy-Internal") != "true" || b.Header.Get("X-Forwarded-For") != "127.0.0.1" || a.Header.Get("X-Envoy-Internal") != "" {
			t.Errorf("the copy has %v, the request %v", b.Header, a.Header)
		}
	}
	if n := len(m.lines.all()); n != 3 {
		t.Errorf("%d lines", n)
	}
	const v2 = "outbound|8000|v2|web"
	sidecartest.Until(t, "the copies are counted", func() bool { return m.stat(sidecartest.ClusterStat(v2, "upstream_rq_completed")) == 3 })
	if got := m.stat("http.outbound_0.0.0.0_8000;.downstream_rq_total"); got != 3 {
		t.Errorf("%d requests of clients", got)
	}
}

// What a mirror does, or that there is none, changes nothing for the client.
func TestAMirrorChangesNothingForTheClient(t *testing.T) {
	v1 := sidecartest.Answering("v1")
	for name, tt := range map[string]struct {
		entry string
		v2    http.HandlerFunc
	}{
		"slow":       {toV2, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		"hanging up": {toV2, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		"missing":    {`"mirror":{"host":"web","subset":"v9"}`, v1},
	} {
		t.Run(name, func(t *testing.T) {
			m := mirroring(t, tt.entry, v1, tt.v2)
			for range 3 {
				if g := m.get("http://web:8000/"); g.Status != 200 || g.Body != "v1" {
					t.Errorf("got %d %q", g.Status, g.Body)
				}
			}
			if got := m.lastFlags(); got != "- via_upstream" {
				t.Errorf("flags %s", got)
			}
		})
	}
}

// A request that does not come to its hosts is not copied.
func TestWhatIsNotSentIsNotMirrored(t *testing.T) {
	copied := make(chan seen, 100)
	v2 := notingRequests("v2", copied)
	for name, start := range map[string]func() *mesh{
		"an abort": func() *mesh {
			return mirroring(t, toV2+`,"fault":{"abort":{"httpStatus":500,"percentage":{"value":100}}}`, sidecartest.Answering("v1"), v2)
		},
		"no endpoint": func() *mesh {
			services := web(t, v2)
			services[0].Ports[0].Endpoints[0].Labels["version"] = "v2"
			return startMesh(t, Options{}, services, sidecartest.Subsets(t, "web"),
				sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{`+toV2+`,"route":[{"destination":{"host":"web","subset":"v1"}}]}]}`))
		},
		"0 %": func() *mesh {
			return mirroring(t, toV2+`,"mirrorPercentage":{"value":0}`, sidecartest.Answering("v1"), v2)
		},
	} {
		m := start()
		for range 5 {
			m.get("http://web:8000/")
		}
		if err := m.Close(); err != nil { // It waits for whatever is on its way.
			t.Error(err)
		}
		if len(copied) > 0 {
			t.Errorf("%s: %d copies", name, len(copied))
		}
	}
}

// Mirrors get their shares, and one draw decides for all: what the smaller share
// gets the larger gets too.
func TestMirrorsGetTheirShares(t *testing.T) {
	const requests = 400
	v1, v2 := make(chan seen, requests), make(chan seen, requests)
	m := startMesh(t, Options{}, web(t, notingRequests("v1", v1), notingRequests("v2", v2), sidecartest.Answering("v3")),
		sidecartest.DestinationRule(t, "web", `{"host":"web","subsets":[{"name":"v1","labels":{"version":"v1"}},{"name":"v2","labels":{"version":"v2"}},{"name":"v3","labels":{"version":"v3"}}]}`),
		sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"mirrors":[
			{"destination":{"host":"web","subset":"v1"},"percentage":{"value":25}},{"destination":{"host":"web","subset":"v2"},"percentage":{"value":60}}],
			"route":[{"destination":{"host":"web","subset":"v3"}}]}]}`))
	for range requests {
		if g := m.get("http://web:8000/"); g.Body != "v3" {
			t.Fatalf("got %q", g.Body)
		}
	}
	smaller, larger := map[string]bool{}, map[string]bool{}
	received := func(from chan seen, ids map[string]bool) {
		for len(from) > 0 {
			ids[(<-from).Header.Get("X-Request-Id")] = true
		}
	}
	// Four standard deviations.
	sidecartest.Until(t, "what the smaller share got the larger got too, and both are due", func() bool {
		received(v1, smaller)
		received(v2, larger)
		if len(smaller) < 66 || len(larger) < 201 {
			return false
		}
		for id := range smaller {
			if !larger[id] {
				return false
			}
		}
		return true
	})
	if len(smaller) > 134 || len(larger) > 279 {
		t.Errorf("%d and %d of %d requests were copied", len(smaller), len(larger), requests)
	}
}

func TestMirrorsAreDumpedAsEnvoys(t *testing.T) {
	m := mirroring(t, toV2+`,"mirrorPercent":40`, sidecartest.Answering("v1"), sidecartest.Answering("v2"))
	const want = `[{"cluster":"outbound|8000|v2|web.default.svc.cluster.local","disable_shadow_host_suffix_append":true,` +
		`"runtime_fraction":{"default_value":{"denominator":"MILLION","numerator":400000}},"trace_sampled":false}]`
	if got := m.dumped(t, "request_mirror_policies"); got != want {
		t.Errorf("got %s", got)
	}
}

// A copy says how long an attempt of its request may take, or the request if that
// is limited: it has no attempts of its own.
func TestACopySaysHowLongItMayTake(t *testing.T) {
	for entry, want := range map[string]string{
		`"retries":{"attempts":1,"perTryTimeout":"5s","retryOn":"5xx"},`:                 "5000",
		`"timeout":"60s","retries":{"attempts":1,"perTryTimeout":"5s","retryOn":"5xx"},`: "60000",
		`"timeout":"60s",`: "60000",
		``:                 "",
	} {
		copied := make(chan seen, 1)
		m := mirroring(t, entry+toV2, sidecartest.Answering("v1"), notingRequests("v2", copied))
		m.get("http://web:8000/")
		if got := (<-copied).Header.Get(expectedTimeout); got != want {
			t.Errorf("with %s a copy says %q, not %q", entry, got, want)
		}
	}
}
