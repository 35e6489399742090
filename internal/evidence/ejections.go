package evidence

// ejections counts how often outlier detection ejected an endpoint of a
// service, in any client's proxy: the same endpoint is ejected by each of them
// on its own.
//
// The sources are the counter of each cluster, then /clusters. Of the access
// log's flag UH, no healthy upstream, only a number of requests follows and
// none of ejections: it is what shows that an ejection bit.
func (w *window) ejections(t *tally, a asked) {
	if !w.hasCluster(a.service.Host) {
		t.lack("no proxy has a cluster of %s", a.service.Host)
	}
	for _, p := range w.pairs {
		for _, f := range p.flows(a.service.Host) {
			delta, kept, why := p.counter(f.stat(ejectionsEnforced))
			switch {
			case why != "":
				t.lack("%s", why)
			case kept:
				t.add("stat ejections_enforced_total", p.proxy.Name, delta)
			default:
				said := clustersEjections(w, p, f)
				if said.name == "" {
					t.lack("%s", said.why)
					continue
				}
				t.add(said.name, p.proxy.Name, said.value)
			}
		}
	}
}
