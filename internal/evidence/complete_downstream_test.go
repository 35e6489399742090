package evidence

import (
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// A request that a fault aborts is in no count of /clusters. That its line is
// missing shows in what the proxy took of its workload.
func TestALogWithoutTheLineOfAnAbortIsNoEvidence(t *testing.T) {
	const taken = "http.outbound_0.0.0.0_9080.downstream_rq_total"
	start := time.Now()
	proxy := mesh.Proxy{Name: "caller"}
	p := pair{
		proxy:  proxy,
		before: &reading{proxy: proxy, stats: map[string]uint64{taken: 7}},
		after:  &reading{proxy: proxy, stats: map[string]uint64{taken: 9}},
	}
	log := newProxyLog(proxy, 0)
	log.begin(start, 0)
	w := &Window{Observed: Observed{Log: &Log{proxies: []*proxyLog{log}}}}
	abort := envoy.LogEntry{Started: start.Add(time.Second), Method: "GET", Status: 500, Flags: []string{"FI"}, Route: "r"}
	log.add(abort)
	if err := w.complete(p); err == nil || !strings.Contains(err.Error(), "1 lines of requests, and the proxy took 2") {
		t.Errorf("with one of two lines: %v", err)
	}
	log.add(envoy.LogEntry{Started: start.Add(time.Second), Cluster: "outbound|9000||echo.shop.svc.cluster.local"})
	if w.complete(p) == nil {
		t.Error("a line of TCP stands for one of HTTP")
	}
	log.add(abort)
	if err := w.complete(p); err != nil {
		t.Errorf("with both lines: %v", err)
	}
}
