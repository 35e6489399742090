package sidecar

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// silent takes connections and never says a word, so that no TLS comes about.
func silent(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() }) // The system takes connections, up to its backlog.
	return l.Addr().String()
}

// startSilentMesh is a mesh with the service web, of which no connection comes about,
// and the address of its endpoint.
func startSilentMesh(t *testing.T, objects ...*rules.Object) (m *mesh, address string) {
	t.Helper()
	ca, err := NewCA()
	if err != nil {
		t.Fatal(err)
	}
	endpoint := sidecartest.Endpoint("web", "v1", silent(t))
	endpoint.MutualTLS = true
	return startMesh(t, Options{Name: "meshchaos-client", Namespace: "default", CA: ca}, []config.Service{sidecartest.Service("web", 8000, false, endpoint)}, objects...), endpoint.Address
}

// Envoy names the endpoint in its log, and does not charge it with the timeout.
func TestATimeoutBeforeAConnectionIsNotItsEndpoints(t *testing.T) {
	m, address := startSilentMesh(t,
		sidecartest.DestinationRule(t, "web", `{"host":"web","trafficPolicy":{"outlierDetection":{"consecutive5xxErrors":1,"maxEjectionPercent":100}}}`),
		sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"timeout":"0.05s","route":[{"destination":{"host":"web"}}]}]}`))
	for range 2 {
		if g := m.get("http://web:8000/"); g.Status != http.StatusGatewayTimeout {
			t.Errorf("got %d %q", g.Status, g.Body)
		}
	}
	sidecartest.Until(t, "the access log has the requests", func() bool { return len(m.lines.all()) == 2 })
	for _, line := range m.lines.all() {
		if line.upstream != address {
			t.Errorf("the log names %q", line.upstream)
		}
	}
	if h := m.Snapshot().Clusters[0].Hosts[0]; h.RqTimeout != 0 || h.RqError != 0 {
		t.Errorf("the host has %d timeouts, %d errors", h.RqTimeout, h.RqError)
	}
}

// What Envoy 1.40 was seen to answer and to count.
func TestAConnectionThatIsNotMadeInTimeIsAFailedAttempt(t *testing.T) {
	m, _ := startSilentMesh(t,
		sidecartest.DestinationRule(t, "web", `{"host":"web","trafficPolicy":{
			"connectionPool":{"tcp":{"connectTimeout":"0.05s"}},"outlierDetection":{"consecutive5xxErrors":2,"maxEjectionPercent":100}}}`),
		sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"route":[{"destination":{"host":"web"}}],
			"retries":{"attempts":1,"retryOn":"connect-failure","backoff":"0.001s"}}]}`))
	g := m.get("http://web:8000/")
	if want := "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: connection timeout"; g.Status != http.StatusServiceUnavailable || g.Body != want {
		t.Errorf("got %d %q", g.Status, g.Body)
	}
	if g.Took < 100*time.Millisecond || g.Took > config.DefaultConnectTimeout {
		t.Errorf("two attempts of 50ms took %s", g.Took)
	}
	sidecartest.Until(t, "the access log has the request", func() bool { return len(m.lines.all()) == 1 })
	if flags := m.lastFlags(); flags != "URX,UF upstream_reset_before_response_started{connection_timeout}" {
		t.Errorf("the flags are %s", flags)
	}
	for name, want := range map[string]int64{
		"upstream_cx_connect_timeout": 2, "upstream_cx_connect_fail": 2, "upstream_cx_destroy_local": 2, "upstream_rq_pending_failure_eject": 2,
		"upstream_rq_retry": 1, "upstream_rq_retry_limit_exceeded": 1, "upstream_rq_503": 1, "outlier_detection.ejections_enforced_consecutive_5xx": 1,
	} {
		if n := m.stat(sidecartest.ClusterStat("outbound|8000||web", name)); n != want {
			t.Errorf("%s is %d, want %d", name, n, want)
		}
	}
}
