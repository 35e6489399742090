package evidence

import (
	"fmt"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// boundRequests counts the requests that a consistentHash bound to one of several
// endpoints: those that had what it hashes, as far as that is known, which it is of
// the load's own. Where a proxy sent no request to several endpoints there is none.
func boundRequests(w *Window, p pair, part rules.Part) answer {
	several := func(name envoy.ClusterName) bool { return governs(part, name) && len(p.after.clusters[name].Hosts) > 1 }
	reached := w.clusterRequests(p, several)
	switch {
	case reached.name == "" || reached.value == 0 || part.BindsAll():
		return reached
	case !p.proxy.Client && !p.proxy.Gateway:
		return unknown(fmt.Sprintf("nothing tells what of it the requests had that %s sent; %s", p.proxy.Name, w.sayWhere(part)))
	}
	said := w.sentThat(p, func(r rules.Request) (bool, bool) {
		if r.Host != part.Host { // it may have been led there
			return false, false
		}
		return part.Binds(r, w.Objects)
	})
	if said.value == 0 {
		return said
	}
	return w.boundOf(p, part, said, several)
}

// boundOf is how many of the requests that had what is hashed got to one of several
// endpoints at least: what got there from the host, less those that had nothing of
// it. The others may have been aborted, or led to somewhere else.
func (w *Window) boundOf(p pair, part rules.Part, said answer, several func(envoy.ClusterName) bool) answer {
	led, why := w.logCount(p, func(k logged) bool {
		name, ok := envoy.ParseClusterName(k.cluster)
		return ok && name.Direction == envoy.Outbound && several(name) && k.upstream != "" && k.asked == part.Host
	})
	if why != "" {
		return unknown(why + "; " + w.sayWhere(part))
	}
	unbound := w.sentThat(p, func(r rules.Request) (bool, bool) {
		bound, _ := part.Binds(r, w.Objects)
		return r.Host == part.Host && !bound, true
	})
	if led <= unbound.value {
		return unknown(fmt.Sprintf("the %d requests of %s that got to one of several endpoints may all have been without what it hashes; let those that have it get there, or %s", led, p.proxy.Name, w.sayWhere(part)))
	}
	said.value = min(said.value, led-unbound.value)
	return said
}

// sayWhere asks for an expectation that shows what was bound.
func (w *Window) sayWhere(part rules.Part) string {
	service := part.Service(w.Namespace)
	return fmt.Sprintf("let an expectation say where they went, as in imbalance(%s) == requests(%s)", service, service)
}

// sentThat counts the requests of the cohorts of a proxy that are as asked, where that
// is known.
func (w *Window) sentThat(p pair, as func(rules.Request) (is, known bool)) answer {
	var n uint64
	untold := ""
	for _, cohort := range w.Cohorts {
		result := w.Loads[cohort.Name]
		if result == nil || !cohort.Enters(p.proxy) {
			continue
		}
		for _, s := range w.allSent(cohort, result) {
			s.Source = p.proxy.Labels
			is, known := as(s.Request)
			switch {
			case !s.known || !known:
				untold = cohort.Name
			case is:
				n += uint64(s.sent)
			}
		}
	}
	if n == 0 && untold != "" {
		return unknown(fmt.Sprintf("what is known of the requests of %s does not tell whether it was for them", untold))
	}
	return counted("clients", n)
}
