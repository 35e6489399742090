package evidence

import (
	"maps"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/report"
)

var imbalance = quantity{check.Function{Name: report.Imbalance, Versioned: true}, (*Window).countImbalance}

// countImbalance counts by how many requests the endpoint of a service, or of one
// version of it, that got most is ahead of the one that got fewest. Only /clusters
// tells those that got none.
func (w *Window) countImbalance(t *tally, a asked) {
	w.countRequests(t, a) // which says what is missing, and names the proxies that sent some
	reached := map[string]uint64{}
	for _, p := range w.pairs {
		for _, f := range p.flows(a.service.Host) {
			if f.why != "" {
				t.lack("%s", f.why)
			}
			for _, h := range f.hosts {
				pod, version, known := w.podOf(h.address)
				switch {
				case !known && a.version != "":
					t.lack("%s is an endpoint of %s which is no workload with a proxy that is read, so its version is not known", h.address, a.service.Name)
				case a.version == "" || version == a.version:
					reached[pod] += h.requests
				}
			}
		}
	}
	counts := slices.Sorted(maps.Values(reached))
	var all uint64
	for _, n := range counts {
		all += n
	}
	of := strings.TrimSpace(a.service.Name + " " + a.version)
	switch {
	case len(counts) < 2:
		t.lack("%s has one endpoint alone, and there is nothing to balance", of)
	case all == 0:
		t.lack("no request reached %s: there are no samples", of)
	case all == 1:
		t.lack("one request alone reached %s, which leaves its endpoints unlike whatever chose between them; send more", of)
	default:
		t.value = counts[len(counts)-1] - counts[0]
	}
}

// podOf returns the address of the workload that an endpoint is of, whichever of
// its ports that is, and its version. Where no workload is known it is the
// endpoint's own.
func (w *Window) podOf(endpoint string) (address, version string, known bool) {
	for address, version := range w.versions {
		if belongs(endpoint, address) {
			return address, version, true
		}
	}
	return endpoint, "", false
}
