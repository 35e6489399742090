package evidence

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// faults counts the delays and aborts that were injected into requests to a
// service, in the proxies of its clients; a request with both counts twice.
//
// Envoy's fault filter counts by listener, that is by port, so its counters are
// a service's only if no other service on the port has a fault.
// istio_requests_total tells services apart.
//
// An aborted request leaves no trace in /clusters. So a proxy that keeps neither
// must not be a client of the service: it never had a connection to it. And if
// no proxy counted a fault that is in force, all of them must have been able to.
func (w *window) faults(t *tally, service mesh.Service) {
	faulted := w.isFaulted(service)
	if w.atGateway(service) {
		t.lack("a VirtualService injects faults into requests to %s at a gateway, whose counters do not tell services apart", service.Name)
		return
	}
	sharing := w.sharing(service)
	var silent []string
	for _, p := range w.pairs {
		if p.proxy.Gateway {
			continue
		}
		delta, kept, why := p.injected(service)
		n, telemetry := p.flagged(service, "source", "DI", "FI")
		switch {
		case why != "":
			t.lack("%s", why)
		case kept && (len(sharing) == 0 || delta == 0):
			t.add("stat fault.*_injected", p.proxy.Name, delta)
		case telemetry && w.isDelayed(service):
			// The metric grows when a request ends, and a delay may outlive its caller
			// and the window.
			t.lack("%s tells the faults on %s from others by istio_requests_total alone, which counts a delayed request only when it ends; fault one service of a port at a time, and keep http.outbound in proxyStatsMatcher", p.proxy.Name, service.Name)
		case telemetry:
			t.add("istio_requests_total DI, FI", p.proxy.Name, n)
		case kept:
			t.lack("%s injected %d faults on a port of %s, but counts them by port, and %s has a fault on it too", p.proxy.Name, delta, service.Name, strings.Join(sharing, ", "))
		case p.everCalled(service):
			t.lack("%s calls %s but does not keep fault.*_injected; "+annotate, p.proxy.Name, service.Name, "http.outbound")
		default:
			silent = append(silent, p.proxy.Name)
		}
	}
	switch {
	case len(t.kinds) == 0:
		t.lack("no proxy keeps fault.*_injected; "+annotateCallers, service.Name, "http.outbound")
	case t.value == 0 && faulted && len(silent) > 0:
		t.lack("no proxy that counts faults injected one, and these do not count them: %s; "+annotateCallers,
			strings.Join(silent, ", "), service.Name, "http.outbound")
	}
}

// injected returns the growth of the fault filter's counters on the listeners
// of a service's HTTP ports.
func (p pair) injected(service mesh.Service) (delta uint64, kept bool, why string) {
	for name := range p.after.stats {
		parts := faultStat.FindStringSubmatch(name)
		if parts == nil || !slices.ContainsFunc(service.Ports, func(port mesh.Port) bool {
			return !port.TCP && parts[1] == fmt.Sprint(port.Number)
		}) {
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

var faultStat = regexp.MustCompile(`^http\.outbound_.*_(\d+)\.fault\.(?:delays|aborts)_injected$`)

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

func (w *window) isFaulted(service mesh.Service) bool {
	return among(rules.Faulted(w.objects), service)
}

func (w *window) isDelayed(service mesh.Service) bool {
	return among(rules.Delayed(w.objects), service)
}

func among(names []string, service mesh.Service) bool {
	return slices.Contains(names, service.Name) || slices.Contains(names, service.Host)
}

// sharing returns the other services with a fault on a port of this one; those
// of which nothing is known are taken to share it.
func (w *window) sharing(service mesh.Service) []string {
	var names []string
	for _, name := range rules.Faulted(w.objects) {
		other, known := w.service(name)
		if other.Host == service.Host {
			continue
		}
		if !known || slices.ContainsFunc(other.Ports, func(port mesh.Port) bool {
			return slices.ContainsFunc(service.Ports, func(own mesh.Port) bool { return own.Number == port.Number })
		}) {
			names = append(names, name)
		}
	}
	return names
}

// atGateway says whether a fault for the service is in force at a gateway.
func (w *window) atGateway(service mesh.Service) bool {
	return slices.ContainsFunc(w.objects, func(o *rules.Object) bool {
		vs, ok := o.Spec.(*networking.VirtualService)
		return ok && rules.HasFault(o) && slices.Contains(rules.Hosts(o), service.Host) &&
			slices.ContainsFunc(vs.Gateways, func(name string) bool { return name != rules.MeshGateway })
	})
}
