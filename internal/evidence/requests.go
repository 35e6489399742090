package evidence

import (
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/report"
)

// requestSources are those of requests, in their order.
var requestSources = []source[asked]{clustersRequests, loggedRequests}

var requests = quantity{check.Function{Name: report.Requests, Versioned: true}, (*Window).countRequests}

// countRequests counts what reached the endpoints of a service, or of one version of
// it, from any proxy of the namespace.
func (w *Window) countRequests(t *tally, a asked) { w.countEndpoints(t, a, requestSources) }

// countEndpoints counts what all proxies together had to do with the endpoints of a
// service, or of one version of it.
func (w *Window) countEndpoints(t *tally, a asked, sources []source[asked]) {
	if !w.hasCluster(a.service.Host) {
		t.lack("no proxy has a cluster of %s", a.service.Host)
		return
	}
	if a.version != "" && !w.hasVersion(a) {
		t.lack("no endpoint of %s is of a workload with the label version: %s", a.service.Name, a.version)
		return
	}
	for _, p := range w.pairs {
		if w.escape(p, a.service.Host) {
			t.lack("%s calls %s without a cluster of it, and does not count that; let the Sidecar of its namespace, or the exportTo of the service, have the host", p.proxy.Name, a.service.Name)
		}
		if ok, why := read(w, t, p, a, sources); !ok {
			t.lack("%s", strings.Join(why, "; "))
		}
	}
}

// escape says whether requests of a proxy reach a host, or may, by the way of what the
// proxy knows nothing of: it has no cluster of the host, though others have.
func (w *Window) escape(p pair, host string) bool {
	if p.proxy.Gateway || len(p.flows(host)) > 0 {
		return false
	}
	n, why := w.logCount(p, func(k logged) bool {
		return k.asked == host && k.cluster == "PassthroughCluster"
	})
	return n > 0 || why != "" && slices.ContainsFunc(w.Cohorts, func(c mesh.Cohort) bool {
		request, ok := requestOf(c, w.Namespace, w.namespaces...)
		result := w.Loads[c.Name]
		return ok && request.Host == host && c.Enters(p.proxy) && result != nil && result.Sent > 0
	})
}

func (w *Window) hasCluster(host string) bool {
	for _, p := range w.pairs {
		if len(p.flows(host)) > 0 {
			return true
		}
	}
	return false
}

// hasVersion says whether a proxy has an endpoint of the version.
func (w *Window) hasVersion(a asked) bool {
	for _, p := range w.pairs {
		for _, f := range p.flows(a.service.Host) {
			if f.why != "" {
				return true // it cannot be told; the source says why
			}
			for _, h := range f.hosts {
				if v, known := w.version(h.address); known && v == a.version || !known && h.requests > 0 {
					return true
				}
			}
		}
	}
	return false
}
