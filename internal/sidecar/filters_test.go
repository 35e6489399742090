package sidecar

import (
	"fmt"
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

// Filters see a request in their order until one answers it, on the routes that
// have something for them, and a request's line and counts are there when what
// it held is given back.
func TestAFilterSeesTheRequestsOfItsRoutesUntilOneAnswers(t *testing.T) {
	seen := make(chan string, 10)
	note := func(name string, s *stream) {
		seen <- name
		s.onEnd(func() { seen <- fmt.Sprintf("%s ended after %d lines", name, len(s.proxy.lines.all())) })
	}
	filters := []config.HTTPFilter{noting{name: "first", note: note}, noting{name: "second", note: note, stops: true}, noting{name: "third", note: note}, routerFilter{}}
	services := []config.Service{sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", sidecartest.Serve(t, sidecartest.Answering("hello"))))}
	m := startMesh(t, Options{}, services)
	cfg, err := config.Compile(config.Mesh{Services: services}, []*rules.Object{sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[
		{"match":[{"uri":{"exact":"/noted"}}],"corsPolicy":{},"route":[{"destination":{"host":"web"}}]},
		{"route":[{"destination":{"host":"web"}}]}]}`)}, filters)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Push(cfg); err != nil {
		t.Fatal(err)
	}
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
