package evidence

import "github.com/meshchaos/meshchaos/internal/mesh"

const ejectionsEnforced = "outlier_detection.ejections_enforced_total"

// ejections counts how often outlier detection ejected an endpoint of a
// service, in any client's proxy: the same endpoint is ejected by each of them
// on its own.
func (w *window) ejections(t *tally, service mesh.Service) {
	clusters := false
	for _, p := range w.pairs {
		for _, f := range p.flows(service.Host) {
			clusters = true
			delta, kept, why := p.counter(f.stat(ejectionsEnforced))
			switch {
			case why != "":
				t.lack("%s", why)
			case kept:
				t.add("stat ejections_enforced_total", p.proxy.Name, delta)
			default:
				w.flagsOf(t, p, f, service)
			}
		}
	}
	if !clusters {
		t.lack("no proxy has a cluster of %s", service.Host)
	}
}

// flagsOf reads the ejections of a cluster whose counter is not kept from the
// flags of its endpoints. They tell all if none was set before and the window
// was shorter than an ejection, so that none can have ended unseen.
func (w *window) flagsOf(t *tally, p pair, f flow, service mesh.Service) {
	outlier := p.after.configs[f.name].Outlier
	var ejected uint64
	unseen := w.length >= outlier.BaseEjectionTime
	for _, h := range f.hosts {
		unseen = unseen || h.wasEjected
		if h.isEjected {
			ejected++
		}
	}
	_, configured := p.after.configs[f.name]
	switch {
	case f.why != "":
		t.lack("%s", f.why)
	case configured && outlier.Consecutive5xx == 0 && outlier.ConsecutiveGatewayFailure == 0:
		t.add("no outlier detection in /config_dump", p.proxy.Name, 0)
	case f.quiet() && ejected == 0:
		t.add("no traffic in /clusters", p.proxy.Name, 0)
	case configured && !unseen:
		t.add("failed_outlier_check of /clusters", p.proxy.Name, ejected)
	default:
		t.lack("%s called %s but does not keep ejections_enforced_total, and an ejection may have ended unseen; "+annotate, p.proxy.Name, service.Name, "cluster.outbound")
	}
}
