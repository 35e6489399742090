package evidence

import (
	"fmt"

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
	case !w.Settled && among(w.delayed, a.service):
		return unknown(fmt.Sprintf("istio_requests_total of %s counts a delayed request only when it ends, and the window ended before", p.proxy.Name))
	}
	return counted("istio_requests_total DI, FI", n)
}

// metricOverflows counts the requests to a service that were refused, by
// istio_requests_total.
func metricOverflows(_ *Window, p pair, a asked) answer {
	n, kept := p.flagged(a.service, "source", "UO")
	if !kept {
		return unknown("")
	}
	return counted("istio_requests_total UO", n)
}

// flagged returns how many requests to a service the proxy counted with one of
// the response flags, in istio_requests_total; false if it keeps no such series
// for the service. A request with two of the flags counts twice, as the fault
// filter's own counters count a delay and an abort.
func (p pair) flagged(service mesh.Service, reporter string, flags ...string) (uint64, bool) {
	sum := func(r *reading) (n uint64, kept bool) {
		for _, series := range r.requests {
			if series.Reporter != reporter || series.Host != service.Host {
				continue
			}
			kept = true
			for _, flag := range flags {
				if series.Flagged(flag) {
					n += series.Count
				}
			}
		}
		return n, kept
	}
	before, _ := sum(p.before)
	after, kept := sum(p.after)
	return after - before, kept && after >= before
}
