package evidence

import (
	"cmp"
	"strings"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/report"
)

// ejectionSources are those of ejections, in their order, of one cluster of a
// proxy: it may keep the counter of some of them.
var ejectionSources = []func(*Window, pair, flow) answer{enforcedEjections, clustersEjections}

// leastEjections are the sources of how many there were at least, for where no
// other knows the number.
var leastEjections = []func(*Window, pair, flow) answer{loggedEjections, leftEjected}

var ejections = quantity{check.Function{Name: report.Ejections}, (*Window).countEjections}

// countEjections counts how often outlier detection ejected an endpoint of a
// service, in any client's proxy: the same endpoint is ejected by each of them
// on its own.
func (w *Window) countEjections(t *tally, a asked) {
	if !w.hasCluster(a.service.Host) {
		t.lack("no proxy has a cluster of %s", a.service.Host)
	}
	for _, p := range w.pairs {
		for _, f := range p.flows(a.service.Host) {
			w.ejected(t, p, f)
		}
	}
	could := w.ejectable(a.service.Host, func(envoy.ClusterName) bool { return true })
	t.each, t.most, t.none = could.each, could.most, could.known && could.most == 0
}

// ejected adds what the first source says that knows it.
func (w *Window) ejected(t *tally, p pair, f flow) {
	var why []string
	for _, ask := range ejectionSources {
		said := ask(w, p, f)
		if said.name != "" {
			t.add(said.name, p.proxy.Name, said.value)
			return
		}
		if said.why != "" {
			why = append(why, said.why)
		}
	}
	for _, ask := range leastEjections {
		if said := ask(w, p, f); said.name != "" {
			t.add(said.name, p.proxy.Name, said.value)
			break
		} else if said.why != "" {
			why = append(why, said.why)
		}
	}
	t.more = cmp.Or(t.more, strings.Join(why, "; "), "no source knows all ejections of "+f.name.String())
}
