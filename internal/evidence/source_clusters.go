package evidence

import "fmt"

// What is read of /clusters, which every proxy keeps whatever its stats matcher says.
const (
	clustersSource     = "rq_total of /clusters"
	clustersConnSource = "cx_total of /clusters"
)

// clustersRequests counts what reached the endpoints of a service: HTTP requests,
// each attempt of a retry on its own, or TCP connections.
func clustersRequests(w *Window, p pair, a asked) answer {
	return w.ofEndpoints(p, a, clustersSource, func(h hostFlow) (uint64, string) { return h.requests, "sent %d requests" })
}

// clustersConnections counts the connections that were opened to the endpoints of a
// service, for requests or for TCP. One counts when it is begun.
func clustersConnections(w *Window, p pair, a asked) answer {
	return w.ofEndpoints(p, a, clustersConnSource, func(h hostFlow) (uint64, string) { return h.conns, "opened %d connections" })
}

// ofEndpoints adds up one count of the endpoints of a service, or of one version of
// it. An endpoint of no known version must have none; did words what it had.
func (w *Window) ofEndpoints(p pair, a asked, source string, of func(hostFlow) (n uint64, did string)) answer {
	var all uint64
	for _, f := range p.flows(a.service.Host) {
		if f.why != "" {
			return unknown(f.why)
		}
		for _, h := range f.hosts {
			n, did := of(h)
			version, known := w.version(h.address)
			switch {
			case a.version == "" || known && version == a.version:
				all += n
			case !known && n > 0:
				return unknown(fmt.Sprintf("%s "+did+" to %s, an endpoint of %s which is no workload of the namespace with a proxy, so its version is not known", p.proxy.Name, n, h.address, a.service.Name))
			}
		}
	}
	return counted(source, all)
}

// clustersEjections reads ejections from the flags of endpoints. They tell all if
// none was set before and the window was shorter than an ejection, so that none
// can have ended unseen.
func clustersEjections(w *Window, p pair, f flow) answer {
	outlier := p.after.configs[f.name].Outlier
	_, configured := p.after.configs[f.name]
	var ejected uint64
	unseen := w.length >= outlier.BaseEjectionTime
	for _, h := range f.hosts {
		unseen = unseen || h.wasEjected
		if h.isEjected {
			ejected++
		}
	}
	switch {
	case f.why != "":
		return unknown(f.why)
	case configured && outlier.Consecutive5xx == 0 && outlier.ConsecutiveGatewayFailure == 0:
		return counted("no outlier detection in /config_dump", 0)
	case f.quiet() && ejected == 0:
		return counted("no traffic in /clusters", 0)
	case configured && !unseen:
		return counted("failed_outlier_check of /clusters", ejected)
	}
	return unknown(fmt.Sprintf("%s keeps no ejections_enforced_total of %s, and an ejection may have ended unseen; "+annotate, p.proxy.Name, f.name.Host, "cluster.outbound"))
}

// leftEjected counts the endpoints that are ejected at the end of the window and
// were not at its start: each was ejected, and others may have come back.
func leftEjected(_ *Window, _ pair, f flow) answer {
	var n uint64
	for _, h := range f.hosts {
		if h.isEjected && !h.wasEjected {
			n++
		}
	}
	if f.why != "" || n == 0 {
		return unknown("")
	}
	return counted("failed_outlier_check of /clusters (at least)", n)
}

// version returns the label version of the workload that an endpoint is of.
func (w *Window) version(endpoint string) (string, bool) {
	_, version, known := w.podOf(endpoint)
	return version, known
}
