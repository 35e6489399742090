package evidence

import (
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
)

// faultSources are those of faults, in their order.
var faultSources = []source[asked]{countedFaults, loggedFaults, metricFaults}

var faults = quantity{check.Function{Name: report.Faults}, (*Window).countFaults}

// countFaults counts the delays and aborts that were injected into requests to a
// service, in the proxies of its clients; a request with both counts twice.
//
// An aborted request leaves no trace in /clusters. So a proxy that no source
// knows must not be a client of the service: it never had a connection to it.
// And if no proxy counted a fault that is in force, all of them must have been
// able to.
func (w *Window) countFaults(t *tally, a asked) {
	var silent, reasons []string
	atGateway := w.atGateway(a.service)
	if atGateway && !slices.ContainsFunc(w.pairs, func(p pair) bool { return p.proxy.Gateway }) {
		t.lack("a VirtualService injects faults into requests to %s at a gateway, and no gateway is read; is its namespace out of reach?", a.service.Name)
	}
	for _, p := range w.pairs {
		if p.proxy.Gateway && !atGateway {
			continue
		}
		ok, why := read(w, t, p, a, faultSources)
		switch {
		case ok:
		case p.proxy.Gateway:
			t.lack("%s may have injected faults into requests to %s, and nothing tells (%s); "+logGateway, p.proxy.Name, a.service.Name, strings.Join(why, "; "))
		case p.everCalled(a.service) || w.conflicting(p, a):
			t.lack("%s calls %s but keeps no fault.*_injected of its own (%s); "+annotate, p.proxy.Name, a.service.Name, strings.Join(why, "; "), "http.outbound")
		default:
			silent, reasons = append(silent, p.proxy.Name), why
		}
	}
	switch {
	case len(t.kinds) == 0:
		t.lack("no proxy keeps fault.*_injected; "+annotateCallers, a.service.Name, "http.outbound")
	case t.value == 0 && slices.Contains(rules.Faulted(w.Objects), a.service.Host) && len(silent) > 0:
		t.lack("no proxy that counts faults injected one, and these do not count them: %s (%s); "+annotateCallers,
			strings.Join(silent, ", "), strings.Join(reasons, "; "), a.service.Name, "http.outbound")
	}
}

// conflicting says whether a proxy counted faults that may be the service's or
// another's.
func (w *Window) conflicting(p pair, a asked) bool {
	delta, kept, why := p.injected(a.service, "delays", "aborts")
	return why != "" || kept && delta > 0
}

// everCalled says whether the proxy has had a connection to a service since its
// clusters were last reconfigured.
func (p pair) everCalled(service mesh.Service) bool {
	for _, r := range []*reading{p.before, p.after} {
		for name, c := range r.clusters {
			if name.Host != service.Host {
				continue
			}
			for _, h := range c.Hosts {
				if h.Conns > 0 || h.Requests > 0 {
					return true
				}
			}
		}
	}
	return false
}

// sharing returns the other services with a fault on a port of this one; those
// of which nothing is known are taken to share it.
func (w *Window) sharing(service mesh.Service) []string {
	var names []string
	for _, host := range rules.Faulted(w.Objects) {
		if host == service.Host {
			continue
		}
		other, known := w.service(host)
		if !known || slices.ContainsFunc(other.Ports, func(port mesh.Port) bool {
			return slices.ContainsFunc(service.Ports, func(own mesh.Port) bool { return own.Number == port.Number })
		}) {
			names = append(names, rules.Short(host, w.Namespace))
		}
	}
	return names
}

// atGateway says whether a fault for the service is in force at a gateway.
func (w *Window) atGateway(service mesh.Service) bool {
	return slices.ContainsFunc(w.Objects, func(o *rules.Object) bool {
		vs, ok := o.Spec.(*networking.VirtualService)
		_, atGateways := rules.Followers(vs.GetGateways())
		return ok && atGateways && rules.HasFault(o) && (slices.Contains(rules.Hosts(o), service.Host) || w.outer(rules.Hosts(o)) && leadsFrom(o, vs, service.Host))
	})
}

// leadsFrom says whether an entry of a VirtualService leads to a host.
func leadsFrom(o *rules.Object, vs *networking.VirtualService, host string) bool {
	return slices.ContainsFunc(vs.Http, func(entry *networking.HTTPRoute) bool { return leadsToHost(entry.Route, o, host) })
}
