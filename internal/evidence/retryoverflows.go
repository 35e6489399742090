package evidence

import (
	"strings"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
)

// retryOverflowSources has one: no line of a log shows them, and no metric.
var retryOverflowSources = []source[asked]{clientsRetryOverflows}

var retryOverflows = quantity{check.Function{Name: report.RetryOverflows}, (*Window).countRetryOverflows}

// countRetryOverflows counts the retries of requests to a service that a limit of
// retries refused in the proxies of its clients.
func (w *Window) countRetryOverflows(t *tally, a asked) {
	if !w.hasCluster(a.service.Host) {
		t.lack("no proxy has a cluster of %s", a.service.Host)
	}
	for _, p := range w.pairs {
		if len(p.flows(a.service.Host)) == 0 {
			continue
		}
		if ok, why := read(w, t, p, a, retryOverflowSources); !ok {
			t.lack("%s", strings.Join(why, "; "))
		}
	}
	could := w.retriesRefusable(a.service.Host, func(envoy.ClusterName) bool { return true })
	t.each, t.most, t.none = could.each, could.most, could.known && could.most == 0
}

// clientsRetryOverflows adds up the counters of a client's clusters of a service. One
// that had no traffic refused nothing.
func clientsRetryOverflows(w *Window, p pair, a asked) answer {
	for _, f := range p.flows(a.service.Host) {
		if f.why != "" {
			return unknown(f.why)
		}
	}
	return countedRetryOverflows(w, p, rules.Part{Host: a.service.Host})
}
