package evidence

import (
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// No healthy upstream is what a request finds whose endpoints were ejected, and
// what it finds where there never was one.
func TestOnlyWhereThereAreEndpointsDoesNoHealthyUpstreamShowAnEjection(t *testing.T) {
	start := time.Now()
	proxy := mesh.Proxy{Name: "caller"}
	name := envoy.ClusterName{Direction: envoy.Outbound, Port: 8000, Host: "web.shop.svc.cluster.local"}
	part := rules.Part{Kind: rules.PartEjection, Host: name.Host}
	for _, hosts := range [][]envoy.Host{nil, {{Address: "10.0.0.1:8000"}}} {
		clusters := map[envoy.ClusterName]envoy.Cluster{name: {Name: name, Hosts: hosts}}
		p := pair{proxy: proxy, before: &reading{proxy: proxy, clusters: clusters}, after: &reading{proxy: proxy, clusters: clusters}}
		log := newProxyLog(proxy, 0)
		log.begin(start, 0)
		w := &Window{Observed: Observed{Log: &Log{proxies: []*proxyLog{log}}}}
		if said := loggedUnhealthy(w, p, part); said.name != "" {
			t.Errorf("%d endpoints, no request: %+v", len(hosts), said)
		}
		log.add(envoy.LogEntry{Started: start.Add(time.Second), Method: "GET", Status: 503, Flags: []string{"UH"}, Cluster: name.String()})
		if said := loggedUnhealthy(w, p, part); (said.value == 1) != (len(hosts) > 0) {
			t.Errorf("%d endpoints, a request with UH: %+v", len(hosts), said)
		}
	}
}
