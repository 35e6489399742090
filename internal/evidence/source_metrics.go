package evidence

import (
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// metricFaults counts the delays and aborts of a service by istio_requests_total,
// Istio's own metric, which tells services apart. It grows when a request ends,
// so it knows all delays only of a window that has settled.
func metricFaults(w *Window, p pair, a asked) answer {
	n, kept := p.flagged(a.service, "source", "DI", "FI")
	switch {
	case !kept:
		return unknown("")
	case !w.Settled && slices.Contains(w.delayed, a.service.Host):
		return unknown(fmt.Sprintf("istio_requests_total of %s counts a delayed request only when it ends, and the window ended before", p.proxy.Name))
	}
	return counted("istio_requests_total DI, FI", n)
}

// metricOverflows counts the requests to a service, or TCP connections, that were
// refused.
func metricOverflows(_ *Window, p pair, a asked) answer {
	total := unknown("")
	for _, tcp := range []bool{false, true} {
		if !p.carried(a.service, tcp) {
			continue
		}
		said := p.metricRefused(a.service, tcp, "source")
		if said.name == "" {
			return said
		}
		total = counted(said.name, total.value+said.value)
	}
	return total
}

// metricInbound counts those that the service's own proxy refused.
func metricInbound(_ *Window, p pair, pool serverPool) answer {
	said := p.metricRefused(pool.service, pool.calls.tcp, "destination")
	if said.name != "" {
		said.name += " (inbound)"
	}
	return said
}

// metricRefused counts what has the flag UO. It does not tell a connection for which
// too many waited from one that failed otherwise.
func (p pair) metricRefused(service mesh.Service, tcp bool, reporter string) answer {
	if !tcp {
		n, kept := p.flagged(service, reporter, "UO")
		if !kept {
			return unknown("")
		}
		return counted("istio_requests_total UO", n)
	}
	const metric = "istio_tcp_connections_opened_total"
	n, kept := p.inMetric(service, reporter, true, func(s envoy.Requests) bool { return s.Flagged("UO") })
	others, _ := p.inMetric(service, reporter, true, func(s envoy.Requests) bool { return s.Flagged("URX") && !s.Flagged("UF") })
	switch {
	case !kept:
		return unknown("")
	case others > 0:
		return unknown(fmt.Sprintf("%s of %s does not tell why %d connections to %s had no endpoint", metric, p.proxy.Name, others, service.Name))
	}
	return counted(metric+" UO", n)
}

// carried says whether something can have gone to ports of a service of one kind.
func (p pair) carried(service mesh.Service, tcp bool) bool {
	return slices.ContainsFunc(p.flows(service.Host), func(f flow) bool { return isTCP(service, f.name.Port) == tcp && !f.quiet() })
}

// flagged returns how many requests to a service the proxy counted with one of
// the response flags, in istio_requests_total; false if it keeps no such series
// for the service. A request with two of the flags counts twice, as the fault
// filter's own counters count a delay and an abort.
func (p pair) flagged(service mesh.Service, reporter string, flags ...string) (n uint64, kept bool) {
	for _, flag := range flags {
		some, ok := p.inMetric(service, reporter, false, func(s envoy.Requests) bool { return s.Flagged(flag) })
		if !ok {
			return 0, false
		}
		n += some
	}
	return n, true
}

// inMetric is the growth of those series of a service that are as asked; false if the
// proxy keeps none of the service.
func (p pair) inMetric(service mesh.Service, reporter string, tcp bool, as func(envoy.Requests) bool) (uint64, bool) {
	sum := func(r *reading) (n uint64, kept bool) {
		for _, series := range r.requests {
			if series.Reporter != reporter || series.Host != service.Host || series.TCP != tcp {
				continue
			}
			kept = true
			if as(series) {
				n += series.Count
			}
		}
		return n, kept
	}
	before, _ := sum(p.before)
	after, kept := sum(p.after)
	return after - before, kept && after >= before
}
