package evidence

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/report"
)

// overflowSources are those of a client's overflows, in their order.
var overflowSources = []source[asked]{countedOverflows, loggedOverflows, metricOverflows}

var overflows = quantity{check.Function{Name: report.Overflows}, (*Window).countOverflows}

// countOverflows counts the requests to a service, or TCP connections, that a circuit
// breaker refused: in the proxies of its clients, and in its own, as Istio puts
// the connection pool of a DestinationRule also on the inbound cluster of the
// service's sidecar.
func (w *Window) countOverflows(t *tally, a asked) {
	if !w.hasCluster(a.service.Host) {
		t.lack("no proxy has a cluster of %s", a.service.Host)
	}
	called := map[string]endpointCalls{}
	for _, p := range w.pairs {
		flows := p.flows(a.service.Host)
		if len(flows) == 0 {
			continue
		}
		if ok, why := read(w, t, p, a, overflowSources); !ok {
			t.lack("%s called %s, and nothing counts what it refused (%s); "+annotate, p.proxy.Name, a.service.Name, strings.Join(why, "; "), "cluster.outbound")
		}
		for _, f := range flows {
			for _, h := range f.hosts {
				calls := called[h.address]
				called[h.address] = endpointCalls{calls.errors + h.errors, calls.tcp || isTCP(a.service, f.name.Port)}
			}
		}
	}
	for _, endpoint := range slices.Sorted(maps.Keys(called)) {
		w.serverOverflows(t, a, endpoint, called[endpoint])
	}
	t.most = w.refusable(a.service, func(envoy.ClusterName) bool { return true }).most
}

// endpointCalls is what clients saw of an endpoint.
type endpointCalls struct {
	errors uint64
	tcp    bool // it is behind a port of connections, which are cut without an error
}

// countedOverflows adds up the counters of a client's clusters of a service. One
// that had no traffic refused nothing.
func countedOverflows(_ *Window, p pair, a asked) answer {
	var n uint64
	quiet := true
	for _, f := range p.flows(a.service.Host) {
		delta, kept, why := p.overflowed(f, isTCP(a.service, f.name.Port))
		switch {
		case f.why != "":
			return unknown(f.why)
		case why != "":
			return unknown(why)
		case kept:
			n, quiet = n+delta, false
		case !f.quiet():
			return unknown(p.proxy.Name + " does not keep " + pendingOverflow + " of " + f.name.String())
		}
	}
	if quiet {
		return counted("no traffic in /clusters", 0)
	}
	return counted("stat "+pendingOverflow, n)
}

func isTCP(service mesh.Service, port int) bool {
	return slices.ContainsFunc(service.Ports, func(p mesh.Port) bool { return p.Number == port && p.TCP })
}

// serverOverflows adds those of the service's own proxy in front of an
// endpoint. Each of a request is a 503 that some client counted as an error of the
// endpoint, so without errors there were none.
func (w *Window) serverOverflows(t *tally, a asked, endpoint string, calls endpointCalls) {
	for _, p := range w.pairs {
		name, limited := p.inbound(endpoint, calls.tcp)
		if !limited {
			continue
		}
		if p.addCounted(t, name, calls.tcp) {
			continue
		}
		if calls.errors == 0 && !calls.tcp {
			t.add("no rq_error in /clusters", p.proxy.Name, 0)
			continue
		}
		why := w.addLogged(t, p, name)
		if why == "" {
			continue
		}
		if n, inMetric := p.flagged(a.service, "destination", "UO"); inMetric && !calls.tcp {
			t.add("istio_requests_total UO (inbound)", p.proxy.Name, n)
			continue
		}
		t.lack("%s answered %d requests with an error and may have overflowed itself, as Istio limits a service's own sidecar too, but nothing counts that (%s); "+annotate,
			p.proxy.Name, calls.errors, why, "cluster.inbound")
	}
}

// addCounted adds what an inbound cluster refused by its own counters, or that they
// are no evidence. It returns false if the proxy does not keep them.
func (p pair) addCounted(t *tally, name envoy.ClusterName, tcp bool) bool {
	delta, kept, back := p.overflowed(flow{name: name}, tcp)
	switch {
	case back != "":
		t.lack("%s", back)
	case kept:
		t.add("stat "+pendingOverflow+" (inbound)", p.proxy.Name, delta)
	}
	return back != "" || kept
}

// addLogged adds what an inbound cluster refused by the log of its proxy, or says why
// that is no evidence.
func (w *Window) addLogged(t *tally, p pair, name envoy.ClusterName) (why string) {
	n, why := w.loggedInbound(p, name)
	if why == "" {
		t.add(logSource+" UO (inbound)", p.proxy.Name, n)
	}
	return why
}

// loggedInbound counts the requests that the service's own proxy refused. Its
// inbound listener may log otherwise than those by which it calls, so what it
// let through has to be in the log.
func (w *Window) loggedInbound(p pair, name envoy.ClusterName) (uint64, string) {
	n, why := w.logCount(p, func(k logged) bool { return k.cluster == name.String() && k.flagged("UO") })
	if why != "" {
		return 0, why
	}
	if err := w.completeOf(p, w.Log.of(p.proxy.Name), name); err != nil {
		return 0, fmt.Sprintf("the access log of %s is no evidence: %v", p.proxy.Name, err)
	}
	return n, ""
}

// inbound returns the inbound cluster of the proxy in front of an endpoint, and
// whether it has limits at which requests overflow, or connections.
func (p pair) inbound(endpoint string, tcp bool) (envoy.ClusterName, bool) {
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
			limited = limited || tcp && c.Thresholds.MaxConnections != envoy.NoLimit || c.Thresholds.MaxPendingRequests != envoy.NoLimit || c.Thresholds.MaxRequests != envoy.NoLimit
		}
	}
	return name, limited
}
