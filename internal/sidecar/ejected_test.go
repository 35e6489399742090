package sidecar

import (
	"net/http"
	"testing"

	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

func unavailable(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusServiceUnavailable)
}

// The connections to an ejected host end, the one that brought the answer too.
func TestAnEjectedHostsConnectionsEnd(t *testing.T) {
	m := startMesh(t, Options{}, web(t, unavailable),
		sidecartest.DestinationRule(t, "web", `{"host":"web","trafficPolicy":{"outlierDetection":{"consecutive5xxErrors":2,"maxEjectionPercent":100}}}`))
	m.get("http://web:8000/")
	m.wantStats(t, map[string]int64{"upstream_cx_active": 1, "upstream_cx_destroy_local": 0})
	m.get("http://web:8000/")
	m.wantStats(t, map[string]int64{"upstream_cx_active": 0, "upstream_cx_destroy_local": 1})
}

// A request whose last attempt found no host has that of the attempt before in its
// line of the access log, and counts for none.
func TestTheHostOfAnAttemptBeforeStaysInTheLog(t *testing.T) {
	m := startMesh(t, Options{}, web(t, unavailable),
		sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"retries":{"attempts":1,"retryOn":"5xx"},"route":[{"destination":{"host":"web"}}]}]}`),
		sidecartest.DestinationRule(t, "web", `{"host":"web","trafficPolicy":{"outlierDetection":{"consecutive5xxErrors":1,"maxEjectionPercent":100}}}`))
	host := m.state.Load().clusters["outbound|8000||web.default.svc.cluster.local"].hosts[0]
	m.get("http://web:8000/")
	if got := m.lastFlags(); got != "UH no_healthy_upstream" {
		t.Errorf("it ended with %s", got)
	}
	if e := m.lines.all()[0]; e.upstream != host.Address {
		t.Errorf("its line names the host %q, not %s", e.upstream, host.Address)
	}
	if n := host.rqError.Load(); n != 1 {
		t.Errorf("%d errors count for the host that was asked once", n)
	}
}

// In panic each choice of a host counts, also of one that was tried before, and of
// a cluster that has none.
func TestEachChoiceInPanicCounts(t *testing.T) {
	services := web(t, unavailable)
	m := startMesh(t, Options{}, services,
		sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"match":[{"uri":{"exact":"/none"}}],"route":[{"destination":{"host":"web","subset":"v9"}}]},
			{"retries":{"attempts":1,"retryOn":"5xx"},"route":[{"destination":{"host":"web"}}]}]}`),
		sidecartest.DestinationRule(t, "web", `{"host":"web","subsets":[{"name":"v9","labels":{"version":"v9"}}],"trafficPolicy":{"outlierDetection":{"consecutive5xxErrors":1,"maxEjectionPercent":100,"minHealthPercent":50}}}`))
	m.get("http://web:8000/") // The first attempt ejects the host, the second finds it again and again.
	m.wantStats(t, map[string]int64{"lb_healthy_panic": 6})
	m.get("http://web:8000/none")
	if n := m.stat(sidecartest.ClusterStat("outbound|8000|v9|web", "lb_healthy_panic")); n != 1 {
		t.Errorf("a subset without hosts was in panic %d times", n)
	}
}
