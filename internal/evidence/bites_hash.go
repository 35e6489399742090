package evidence

import (
	"fmt"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// boundRequests counts the requests that a consistentHash bound to one of several
// endpoints: those that had what it hashes, as far as that is known, which it is of
// the load's own. Where a proxy sent no request to several endpoints there is none.
func boundRequests(w *Window, p pair, part rules.Part) answer {
	several := w.clusterRequests(p, func(name envoy.ClusterName) bool {
		return governs(part, name) && len(p.after.clusters[name].Hosts) > 1
	})
	switch {
	case several.name == "" || several.value == 0 || part.BindsAll():
		return several
	case !p.proxy.Client && !p.proxy.Gateway:
		return unknown(fmt.Sprintf("nothing tells what of it the requests had that %s sent; let an expectation say where they went, as in imbalance(%s) == requests(%s)", p.proxy.Name, part.Service(), part.Service()))
	}
	said := w.sentThat(p, part, func(r rules.Request) (bool, bool) {
		if r.Host != part.Host { // it may have been led there
			return false, false
		}
		return part.Binds(r, w.Objects)
	})
	said.value = min(said.value, several.value)
	return said
}

// sentThat counts the requests of the cohorts of a proxy to the host of a part that
// are as asked, where that is known.
func (w *Window) sentThat(p pair, part rules.Part, as func(rules.Request) (is, known bool)) answer {
	var n uint64
	untold := ""
	for _, cohort := range w.Cohorts {
		result := w.Loads[cohort.Name]
		if result == nil || (cohort.From == mesh.FromGateway) != p.proxy.Gateway {
			continue
		}
		request, ok := requestOf(cohort, part.Object.Namespace)
		is, known := as(request)
		switch {
		case !ok || !known:
			untold = cohort.Name
		case is:
			n += uint64(result.Sent)
		}
	}
	if n == 0 && untold != "" {
		return unknown(fmt.Sprintf("what is known of the requests of %s does not tell whether it was for them", untold))
	}
	return counted("clients", n)
}
