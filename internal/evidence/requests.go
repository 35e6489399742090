package evidence

import (
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// requests counts what reached the endpoints of a service, or of one version of
// it, from any proxy of the namespace: HTTP requests, each attempt of a retry on
// its own, or TCP connections. /clusters is kept by every proxy.
func (w *window) requests(t *tally, service mesh.Service, version []string) {
	const source = "rq_total of /clusters"
	clusters, matched := false, len(version) == 0
	for _, p := range w.pairs {
		for _, f := range p.flows(service.Host) {
			clusters = true
			if f.why != "" {
				t.lack("%s", f.why)
				return
			}
			for _, h := range f.hosts {
				if len(version) > 0 {
					v, known := w.version(h.address)
					if !known && h.requests > 0 {
						t.lack("%s sent %d requests to %s, an endpoint of %s which is no workload of the namespace with a proxy, so its version is not known", p.proxy.Name, h.requests, h.address, service.Name)
						return
					}
					if !known || v != version[0] {
						continue
					}
				}
				matched = true
				t.add(source, p.proxy.Name, h.requests)
			}
		}
	}
	switch {
	case !clusters:
		t.lack("no proxy has a cluster of %s", service.Host)
	case !matched:
		t.lack("no endpoint of %s is of a workload with the label version: %s", service.Name, version[0])
	}
}

// version returns the label version of the workload that an endpoint is of.
func (w *window) version(endpoint string) (string, bool) {
	for address, version := range w.versions {
		if belongs(endpoint, address) {
			return version, true
		}
	}
	return "", false
}
