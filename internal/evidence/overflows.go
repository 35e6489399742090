package evidence

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/plural"
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
				called[h.address] = called[h.address].and(h.errors, isTCP(a.service, f.name.Port))
			}
		}
	}
	for _, endpoint := range sortedKeys(called) {
		w.serverOverflows(t, a, endpoint, called[endpoint])
	}
	could := w.refusable(a.service, func(envoy.ClusterName) bool { return true })
	t.each, t.most, t.none = could.each, could.most, could.known && could.most == 0
}

// endpointCalls is what clients saw of an endpoint.
type endpointCalls struct {
	errors uint64
	tcp    bool // it is behind a port of connections, which are cut without an error
}

func (e endpointCalls) and(errors uint64, tcp bool) endpointCalls {
	return endpointCalls{e.errors + errors, e.tcp || tcp}
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

// isHTTP says whether a port is known to carry requests, which a limit of connections
// alone makes wait, and refuses none of.
func isHTTP(service mesh.Service, port int) bool {
	return slices.ContainsFunc(service.Ports, func(p mesh.Port) bool { return p.Number == port && !p.TCP && !p.Either })
}

// serverPool is the connection pool of a service's own proxy, by its inbound cluster.
type serverPool struct {
	name    envoy.ClusterName
	service mesh.Service
	calls   endpointCalls
}

// serverSources are those of what such a pool refused, in their order.
var serverSources = []source[serverPool]{countedInbound, withoutErrors, loggedInbound, metricInbound}

// serverOverflows adds those of the service's own proxy in front of an endpoint.
func (w *Window) serverOverflows(t *tally, a asked, endpoint string, calls endpointCalls) {
	for _, p := range w.pairs {
		name, limit := p.inbound(endpoint, calls.tcp)
		if limit == envoy.NoLimit {
			continue
		}
		ok, why := read(w, t, p, serverPool{name, a.service, calls}, serverSources)
		did := fmt.Sprintf("answered %s with an error and may have overflowed itself", plural.Of(calls.errors, "request"))
		if calls.tcp {
			did = "may have cut connections itself"
		}
		if !ok {
			t.lack("%s %s, as Istio limits a service's own sidecar too, but nothing counts that (%s); "+annotate, p.proxy.Name, did, strings.Join(why, "; "), "cluster.inbound")
		}
	}
}

// countedInbound is what an inbound cluster refused by its own counters.
func countedInbound(_ *Window, p pair, pool serverPool) answer {
	delta, kept, why := p.overflowed(flow{name: pool.name}, pool.calls.tcp)
	if !kept || why != "" {
		return unknown(why)
	}
	return counted("stat "+pendingOverflow+" (inbound)", delta)
}

// withoutErrors is none: what is refused of a request is a 503 that some client
// counted as an error of the endpoint.
func withoutErrors(_ *Window, _ pair, pool serverPool) answer {
	if pool.calls.errors > 0 || pool.calls.tcp {
		return unknown("")
	}
	return counted("no rq_error in /clusters", 0)
}

// loggedInbound counts what the service's own proxy refused. Its inbound listener
// may log otherwise than those by which it calls, so what it let through has to be
// in the log.
func loggedInbound(w *Window, p pair, pool serverPool) answer {
	n, why := w.logCount(p, func(k logged) bool { return k.cluster == pool.name.String() && k.refused(pool.calls.tcp) })
	if why != "" {
		return unknown(why)
	}
	if err := w.completeOf(p, w.Log.of(p.proxy.Name), pool.name); err != nil {
		return unknown(fmt.Sprintf("the access log of %s is no evidence: %v", p.proxy.Name, err))
	}
	return counted(logSource+" UO (inbound)", n)
}

// inbound returns the inbound cluster of the proxy in front of an endpoint, and the
// lowest of its limits at which requests overflow, or connections; envoy.NoLimit:
// there is none.
func (p pair) inbound(endpoint string, tcp bool) (envoy.ClusterName, uint32) {
	if p.proxy.Gateway || !belongs(endpoint, p.proxy.Address) {
		return envoy.ClusterName{}, envoy.NoLimit
	}
	_, text, err := net.SplitHostPort(endpoint)
	if err != nil {
		return envoy.ClusterName{}, envoy.NoLimit
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return envoy.ClusterName{}, envoy.NoLimit
	}
	name := envoy.ClusterName{Direction: envoy.Inbound, Port: port}
	limit := uint32(envoy.NoLimit)
	for _, r := range []*reading{p.before, p.after} {
		if c, ok := r.clusters[name]; ok {
			limit = min(limit, lowest(c.Thresholds, tcp))
		}
	}
	return name, limit
}
