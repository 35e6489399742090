package sidecar

import (
	"testing"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// A proxy has the entries that are for its workload, and where none is, none of its
// VirtualService: what came to a service came to all of its versions before.
func TestAnEntryIsForTheProxiesOfItsSource(t *testing.T) {
	services := []config.Service{sidecartest.Reviews(t)}
	to := func(match, version string) string {
		return `{"match":[{` + match + `}],"name":"` + version + `","route":[{"destination":{"host":"reviews","subset":"` + version + `"}}]}`
	}
	callers := map[string]Options{
		"page v1": {Name: "page-v1", App: "page", Version: "v1", Namespace: "default"},
		"page v2": {Name: "page-v2", App: "page", Version: "v2", Namespace: "default"},
		"other":   {Name: "other", App: "other", Namespace: "default"},
	}
	for name, tt := range map[string]struct {
		entries string
		want    map[string]string // route name by caller
	}{
		"labels": {to(`"sourceLabels":{"app":"page","version":"v1"}`, "v1") + "," + to(`"sourceLabels":{"app":"page"}`, "v2"),
			map[string]string{"page v1": "v1", "page v2": "v2", "other": "default"}},
		"labels and headers": {to(`"sourceLabels":{"app":"page"},"headers":{"none":{}}`, "v1") + "," + to(`"uri":{"prefix":"/"}`, "v2"),
			map[string]string{"page v1": "v2", "page v2": "v2", "other": "v2"}},
		"a namespace": {to(`"sourceNamespace":"elsewhere"`, "v1") + "," + to(`"sourceNamespace":"default","sourceLabels":{"app":"other"}`, "v2"),
			map[string]string{"page v1": "default", "other": "v2"}},
		"gateways": {to(`"gateways":["mesh"],"sourceLabels":{"app":"nobody"},"sourceNamespace":"nowhere"`, "v1"),
			map[string]string{"page v1": "v1", "other": "v1"}},
	} {
		for caller, want := range tt.want {
			m := startMesh(t, callers[caller], services, sidecartest.Subsets(t, "reviews"), sidecartest.VirtualService(t, "reviews", `{"hosts":["reviews"],"http":[`+tt.entries+`]}`))
			g := m.get("http://reviews:9080/")
			sidecartest.Until(t, "the access log has the request", func() bool { return len(m.lines.all()) == 1 })
			if got := m.lines.all()[0].route; got != want || want != "default" && g.Body != want {
				t.Errorf("%s: %s took the route %s to %s, want %s", name, caller, got, g.Body, want)
			}
		}
	}
}

// The gateway is a source like any other.
func TestAnEntryMayBeForTheGatewayAlone(t *testing.T) {
	m := startMesh(t, Options{Name: "istio-ingressgateway", App: "istio-ingressgateway", Gateway: true, Namespace: "default"}, []config.Service{sidecartest.Reviews(t)}, sidecartest.Subsets(t, "reviews"),
		sidecartest.Gateway(t, "front", `{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":80,"name":"http","protocol":"HTTP"},"hosts":["*"]}]}`),
		sidecartest.VirtualService(t, "front", `{"hosts":["*"],"gateways":["front"],"http":[
			{"match":[{"sourceLabels":{"app":"page"}},{"sourceNamespace":"default"}],"route":[{"destination":{"host":"reviews","subset":"v1"}}]},
			{"match":[{"sourceLabels":{"istio":"ingressgateway"},"sourceNamespace":"istio-system"}],"route":[{"destination":{"host":"reviews","subset":"v2"}}]}]}`))
	if routes := m.Snapshot().Config.Gateways[0].HTTP.VirtualHosts[0].Routes; len(routes) != 1 || routes[0].Targets[0].Cluster != "outbound|9080|v2|reviews.default.svc.cluster.local" {
		t.Errorf("the gateway has %d routes, the first %v", len(routes), routes[0])
	}
}
