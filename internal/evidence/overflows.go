package evidence

import (
	"maps"
	"net"
	"slices"
	"strconv"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// What to do about a counter that a sidecar, or that none, keeps. The older
// annotation sidecar.istio.io/statsInclusionPrefixes is deprecated.
const (
	annotation      = "proxy.istio.io/config: {proxyStatsMatcher: {inclusionPrefixes: [%s]}}"
	annotate        = "annotate its pod with " + annotation + ", restart it, and run again"
	annotateCallers = "annotate the pods that call %s with " + annotation + ", restart them, and run again"
)

const pendingOverflow = "upstream_rq_pending_overflow"

// overflows counts the requests to a service that a circuit breaker refused: in
// the proxies of its clients, and in its own, as Istio puts the connection pool
// of a DestinationRule also on the inbound cluster of the service's sidecar.
func (w *window) overflows(t *tally, service mesh.Service) {
	clusters := false
	failed := map[string]uint64{} // errors that clients saw, by endpoint
	for _, p := range w.pairs {
		for _, f := range p.flows(service.Host) {
			clusters = true
			if f.why != "" {
				t.lack("%s", f.why)
				return
			}
			w.clientOverflows(t, p, f, service)
			for _, h := range f.hosts {
				failed[h.address] += h.errors
			}
		}
	}
	if !clusters {
		t.lack("no proxy has a cluster of %s", service.Host)
	}
	for _, endpoint := range slices.Sorted(maps.Keys(failed)) {
		w.serverOverflows(t, service, endpoint, failed[endpoint])
	}
}

// clientOverflows adds those of one client's cluster.
func (w *window) clientOverflows(t *tally, p pair, f flow, service mesh.Service) {
	delta, kept, why := p.counter(f.stat(pendingOverflow))
	switch {
	case why != "":
		t.lack("%s", why)
	case kept:
		t.add("stat "+pendingOverflow, p.proxy.Name, delta)
	case f.quiet():
		t.add("no traffic in /clusters", p.proxy.Name, 0)
	default:
		if n, ok := p.flagged(service, "source", "UO"); ok {
			t.add("istio_requests_total UO", p.proxy.Name, n)
			return
		}
		t.lack("%s called %s but does not keep "+pendingOverflow+"; "+annotate, p.proxy.Name, service.Name, "cluster.outbound")
	}
}

// serverOverflows adds those of the service's own proxy in front of an
// endpoint. Each is a 503 that some client counted as an error of the endpoint,
// so without errors there were none.
func (w *window) serverOverflows(t *tally, service mesh.Service, endpoint string, errors uint64) {
	for _, p := range w.pairs {
		name, limited := p.inbound(endpoint)
		if !limited {
			continue
		}
		delta, kept, why := p.counter(flow{name: name}.stat(pendingOverflow))
		n, counted := p.flagged(service, "destination", "UO")
		switch {
		case why != "":
			t.lack("%s", why)
		case kept:
			t.add("stat "+pendingOverflow+" (inbound)", p.proxy.Name, delta)
		case errors == 0:
			t.add("no rq_error in /clusters", p.proxy.Name, 0)
		case counted:
			t.add("istio_requests_total UO (inbound)", p.proxy.Name, n)
		default:
			t.lack("%s answered %d requests with an error and may have overflowed itself, as Istio limits a service's own sidecar too, but it does not keep "+pendingOverflow+"; "+annotate,
				p.proxy.Name, errors, "cluster.inbound")
		}
	}
}

// inbound returns the inbound cluster of the proxy in front of an endpoint, and
// whether it has limits at which requests overflow.
func (p pair) inbound(endpoint string) (envoy.ClusterName, bool) {
	if p.proxy.Gateway || !belongs(endpoint, p.proxy.Address) {
		return envoy.ClusterName{}, false
	}
	_, text, err := net.SplitHostPort(endpoint)
	if err != nil {
		return envoy.ClusterName{}, false
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return envoy.ClusterName{}, false
	}
	name := envoy.ClusterName{Direction: envoy.Inbound, Port: port}
	limited := false
	for _, r := range []*reading{p.before, p.after} {
		if c, ok := r.clusters[name]; ok {
			limited = limited || c.Thresholds.MaxPendingRequests != envoy.NoLimit || c.Thresholds.MaxRequests != envoy.NoLimit
		}
	}
	return name, limited
}
