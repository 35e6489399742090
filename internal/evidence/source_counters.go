package evidence

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// What to do about a counter that a sidecar, or that none, keeps. The older
// annotation sidecar.istio.io/statsInclusionPrefixes is deprecated.
const (
	annotation = "proxy.istio.io/config: {proxyStatsMatcher: {inclusionPrefixes: [%s]}}"
	annotate   = "let the access log be read, or annotate its pod with " + annotation + ", restart it, and run again"
	// A gateway's counters tell no services apart.
	logGateway      = "let its access log be read: by accessLogFile in the mesh's configuration, or by a Telemetry object that selects it in its namespace, which the run writes by itself where it may (its warnings say why not)"
	annotateCallers = "let the access logs be read, or annotate the pods that call %s with " + annotation + ", restart them, and run again"
)

const (
	pendingOverflow    = "upstream_rq_pending_overflow"
	activeOverflow     = "upstream_rq_active_overflow" // of http2MaxRequests, which older Envoys count with the pending
	connectionOverflow = "upstream_cx_overflow"        // of TCP: a connection that was refused, or made beyond the limit
	retried            = "upstream_rq_retry"
	retryOverflow      = "upstream_rq_retry_overflow"
	ejectionsEnforced  = "outlier_detection.ejections_enforced_total"
)

// The counters of a listener have its port in their names.
var (
	faultStat      = regexp.MustCompile(`^http\.outbound_.*_(\d+)\.fault\.(delays|aborts)_injected$`)
	downstreamStat = regexp.MustCompile(`^http\.outbound_.*_(\d+)\.downstream_rq_total$`)
)

// countedFaults is the growth of the fault filter's counters on the listeners of
// a service's HTTP ports. They count by listener, that is by port, so they are a
// service's only if no other service on the port has a fault.
func countedFaults(w *Window, p pair, a asked) answer {
	if p.proxy.Gateway {
		return unknown("the counters of a gateway do not tell services apart")
	}
	delta, kept, why := p.injected(a.service, "delays", "aborts")
	sharing := w.sharing(a.service)
	switch {
	case why != "":
		return unknown(why)
	case !kept:
		return unknown("")
	case delta == 0:
		return counted("stat fault.*_injected", delta)
	case len(sharing) == 0:
		if n := w.loggedElsewhere(p, a); n > 0 {
			return unknown(fmt.Sprintf("%s injected %d faults on a port of %s, of which its access log has %d for other services", p.proxy.Name, delta, a.service.Name, n))
		}
		return counted("stat fault.*_injected", delta)
	}
	return unknown(fmt.Sprintf("%s injected %d faults on a port of %s, but counts them by port, and %s has a fault on it too", p.proxy.Name, delta, a.service.Name, strings.Join(sharing, ", ")))
}

// loggedElsewhere counts the faults that a proxy's access log has for other
// services on the ports of this one: of rules that nobody knew of, or that came
// and went while the window lasted. It is 0 where the log says nothing.
func (w *Window) loggedElsewhere(p pair, a asked) uint64 {
	n, _ := w.logCount(p, func(k logged) bool {
		name, ok := envoy.ParseClusterName(k.cluster)
		return ok && (k.flagged("DI") || k.flagged("FI")) && !w.about(k, a.service.Host) && hasPort(a.service, fmt.Sprint(name.Port))
	})
	return n
}

// injected returns the growth of the fault filter's counters, of delays, aborts or
// both, on the listeners of a service's HTTP ports.
func (p pair) injected(service mesh.Service, which ...string) (delta uint64, kept bool, why string) {
	return p.growth(func(name string) bool {
		parts := faultStat.FindStringSubmatch(name)
		return parts != nil && hasPort(service, parts[1]) && slices.Contains(which, parts[2])
	})
}

// downstream returns how many requests the proxy took of its workload, or at a gateway,
// on its listeners of a port; empty: of all ports.
func (p pair) downstream(port string) (taken uint64, kept bool, why string) {
	return p.growth(func(name string) bool {
		parts := downstreamStat.FindStringSubmatch(name)
		return parts != nil && (port == "" || parts[1] == port)
	})
}

// growth is that of all counters of some names together; kept is false where there is
// none.
func (p pair) growth(of func(name string) bool) (delta uint64, kept bool, why string) {
	for name := range p.after.stats {
		if !of(name) {
			continue
		}
		n, _, back := p.counter(name)
		if back != "" {
			return 0, false, back
		}
		delta, kept = delta+n, true
	}
	return delta, kept, ""
}

// overflowed is the growth of a cluster's own overflow counters. Of a TCP port they
// are no evidence where that of connections grew: Envoy's TCP proxy counts there what
// it cuts, and its pool what it makes beyond the limit, when the workers come at once
// (conn_pool_base.cc, tryCreateNewConnection).
func (p pair) overflowed(f flow, tcp bool) (delta uint64, kept bool, why string) {
	delta, kept, why = p.refused(f)
	if !tcp || why != "" {
		return delta, kept, why
	}
	most, keptToo, why := p.counter(f.stat(connectionOverflow))
	if why == "" && most > 0 {
		why = fmt.Sprintf("%s of %s grew by %d at %s, by those that were cut and by some that were made beyond the limit", connectionOverflow, f.name, most, p.proxy.Name)
	}
	return delta, kept && keptToo, why
}

// refused is the growth of a cluster's counters of requests that met a limit.
func (p pair) refused(f flow) (delta uint64, kept bool, why string) {
	delta, kept, why = p.counter(f.stat(pendingOverflow))
	if why != "" {
		return delta, kept, why
	}
	active, _, why := p.counter(f.stat(activeOverflow))
	return delta + active, kept, why
}

// enforcedEjections is the growth of a cluster's own counter of ejections.
func enforcedEjections(_ *Window, p pair, f flow) answer {
	delta, kept, why := p.counter(f.stat(ejectionsEnforced))
	if !kept || why != "" {
		return unknown(why)
	}
	return counted("stat ejections_enforced_total", delta)
}
