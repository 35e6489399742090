package evidence

import (
	"strings"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/report"
)

// ejectionSources are those of ejections, in their order, of one cluster of a
// proxy: it may keep the counter of some of them. Of the access log's flag UH, no
// healthy upstream, only a number of requests follows and none of ejections: it
// is what shows that an ejection bit.
var ejectionSources = []func(*Window, pair, flow) answer{enforcedEjections, clustersEjections}

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
	t.lack("%s", strings.Join(why, "; "))
}
