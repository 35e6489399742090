package sidecar

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// noting is a filter that notes what it sees of the proxy.
type noting struct {
	name  string
	stops bool
	note  func(name string, s *stream)
	back  func(name string, s *stream) // of answers
}

func (f noting) Fields() config.Fields { return config.Fields{"HTTPRoute": {"cors_policy"}} }

func (f noting) Check(string, *networking.HTTPRoute, config.Refuse) {}

func (f noting) Compile(_ config.Place, r *networking.HTTPRoute) config.RouteFilter {
	if r.GetCorsPolicy() == nil {
		return nil
	}
	return f
}

func (f noting) Dump(route config.Object) { route[f.name] = true }

func (f noting) decode(s *stream) bool {
	f.note(f.name, s)
	if f.stops {
		s.reply(418, "", "", "noted")
	}
	return !f.stops
}

func (f noting) encode(s *stream) {
	if f.back != nil {
		f.back(f.name, s)
	}
}

// startFilters starts a mesh whose service web is served by h, with the filters
// on its path /noted alone.
func startFilters(t *testing.T, h http.HandlerFunc, filters ...config.HTTPFilter) *mesh {
	services := []config.Service{sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", sidecartest.Serve(t, h)))}
	m := startMesh(t, Options{}, services)
	cfg, err := config.Compile(config.Mesh{Services: services}, []*rules.Object{sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[
		{"match":[{"uri":{"exact":"/noted"}}],"corsPolicy":{},"route":[{"destination":{"host":"web"}}]},
		{"route":[{"destination":{"host":"web"}}]}]}`)}, append(filters, retriesFilter{}, routerFilter{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Push(cfg); err != nil {
		t.Fatal(err)
	}
	return m
}

// dumpedRoute is web's first route, as /config_dump shows it.
func (m *mesh) dumpedRoute() config.Object {
	route := config.Object{"route": config.Object{}}
	for _, f := range m.Snapshot().Config.HTTP[8000].VirtualHosts[0].Routes[0].Filters {
		f.Dump(route)
	}
	return route
}

// dumped is a field of the action of web's first route, as /config_dump shows it.
func (m *mesh) dumped(t *testing.T, field string) string {
	t.Helper()
	return dumpedText(t, m.dumpedRoute()["route"].(config.Object)[field])
}

func dumpedText(t *testing.T, dumped any) string {
	t.Helper()
	text, err := json.Marshal(dumped)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Filters see a request in their order until one answers it, on the routes that
// have something for them, and a request's line and counts are there when what
// it held is given back.
func TestAFilterSeesTheRequestsOfItsRoutesUntilOneAnswers(t *testing.T) {
	seen := make(chan string, 10)
	note := func(name string, s *stream) {
		seen <- name
		s.onEnd(func() { seen <- fmt.Sprintf("%s ended after %d lines", name, len(s.proxy.lines.all())) })
	}
	m := startFilters(t, sidecartest.Answering("hello"),
		noting{name: "first", note: note}, noting{name: "second", note: note, stops: true}, noting{name: "third", note: note})
	if g := m.get("http://web:8000/"); g.Status != 200 || len(seen) != 0 {
		t.Errorf("a route without the filters' field: %d, %d notes", g.Status, len(seen))
	}
	if g := m.get("http://web:8000/noted"); g.Status != 418 {
		t.Errorf("got %d", g.Status)
	}
	for _, want := range []string{"first", "second", "first ended after 2 lines", "second ended after 2 lines"} {
		if got := <-seen; got != want {
			t.Errorf("noted %q, want %q", got, want)
		}
	}
}

// Answers come back through the filters in reverse, the proxy's own through all
// of them, and what they make of its head is what the client gets.
func TestAnswersComeBackThroughTheFilters(t *testing.T) {
	back := func(name string, s *stream) { s.answer.header.Add("X-Back", name) }
	pass := func(string, *stream) {}
	for _, tt := range []struct {
		name   string
		stops  bool
		status int
	}{
		{"a host's", false, 200},
		{"the proxy's own", true, 418},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := startFilters(t, sidecartest.Answering("hello"),
				noting{name: "first", note: pass, back: back}, noting{name: "second", note: pass, stops: tt.stops, back: back}, noting{name: "third", note: pass, back: back})
			if g := m.get("http://web:8000/noted"); g.Status != tt.status || joinedValues(g.Header, "X-Back") != "third,second,first" {
				t.Errorf("got %d, back through %v", g.Status, g.Header["X-Back"])
			}
			if g := m.get("http://web:8000/"); len(g.Header["X-Back"]) > 0 {
				t.Error("a filter saw the answer of a route that it is not on")
			}
		})
	}
}

// upper makes a body's letters large.
type upper struct{ io.ReadCloser }

func (u upper) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	copy(p[:n], bytes.ToUpper(p[:n]))
	return n, err
}

// A filter may change a body as it passes: each part of it reaches the client
// before the next is there, and at its end the connection is free.
func TestAFilterChangesABodyAsItPasses(t *testing.T) {
	more := make(chan bool)
	m := startFilters(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "one ")
		w.(http.Flusher).Flush()
		if <-more {
			fmt.Fprint(w, "two")
		}
	}, noting{name: "upper", note: func(string, *stream) {}, back: func(_ string, s *stream) { s.answer.body = upper{s.answer.body} }})
	for range 2 {
		resp, err := m.client.Get("http://web:8000/noted")
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, 4)
		if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "ONE " {
			t.Fatalf("%q, %v", first, err)
		}
		more <- true
		rest, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(rest) != "TWO" {
			t.Errorf("%q, %v", rest, err)
		}
	}
	if n := m.stat(sidecartest.ClusterStat("outbound|8000||web", "upstream_cx_total")); n != 1 {
		t.Errorf("%d connections to the upstream", n)
	}
}
