package evidence

import (
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// loggedPolicy counts the requests that a policy applied to: those that reached
// an endpoint, and those that it kept from one. A fault comes before it.
func loggedPolicy(w *Window, p pair, part rules.Part) answer {
	n, why := w.logCount(p, func(k logged) bool {
		name, ok := envoy.ParseClusterName(k.cluster)
		return ok && name.Direction == envoy.Outbound && governs(part, name) && (k.upstream != "" || k.flagged("UO") || k.flagged("UH"))
	})
	if why != "" {
		return unknown(why)
	}
	return counted(logSource+" by upstream cluster", n)
}

// policyClusters counts the requests to the clusters that have a policy.
func policyClusters(w *Window, p pair, part rules.Part) answer {
	return w.clusterRequests(p, func(name envoy.ClusterName) bool { return governs(part, name) })
}

// governs says whether the policy of a DestinationRule is that of a cluster.
func governs(part rules.Part, name envoy.ClusterName) bool {
	return part.Governs(name.Host, name.Subset, name.Port)
}

// queuedRequests counts, of a connection pool that refuses no request, since of HTTP it
// limits connections alone, those that it applied to: it makes them wait, which nothing
// shows.
func queuedRequests(w *Window, p pair, part rules.Part) answer {
	service, _ := w.service(part.Host)
	queues := func(f flow) bool {
		limits := p.after.clusters[f.name].Thresholds
		return isHTTP(service, f.name.Port) && limits.MaxConnections != envoy.NoLimit && lowest(limits, false) == envoy.NoLimit
	}
	governed := slices.DeleteFunc(p.flows(part.Host), func(f flow) bool { return !governs(part, f.name) })
	if len(governed) == 0 || slices.ContainsFunc(governed, func(f flow) bool { return !queues(f) }) {
		return unknown("")
	}
	if said := loggedPolicy(w, p, part); said.name != "" {
		return said
	}
	return policyClusters(w, p, part)
}

// countedRefusals counts what a connection pool refused, by the counters of the
// clusters that have it.
func countedRefusals(w *Window, p pair, part rules.Part) answer {
	service, _ := w.service(part.Host)
	return countFlows(p, part, func(f flow) (uint64, bool, string) {
		return p.overflowed(f, isTCP(service, f.name.Port))
	}, "stat "+pendingOverflow)
}

// countedRetryOverflows counts the retries that a connection pool refused, by the
// counters of the clusters that have it. No line of a log shows them.
func countedRetryOverflows(_ *Window, p pair, part rules.Part) answer {
	said := countFlows(p, part, func(f flow) (uint64, bool, string) { return p.counter(f.stat(retryOverflow)) }, "stat "+retryOverflow)
	if said.name == "" {
		said.why += "; annotate its pod with " + fmt.Sprintf(annotation, "cluster.outbound") + ", restart it, and run again"
	}
	return said
}

// countFlows adds up a counter over the clusters that a policy governs.
func countFlows(p pair, part rules.Part, count func(flow) (uint64, bool, string), name string) answer {
	var n uint64
	for _, f := range p.flows(part.Host) {
		if !governs(part, f.name) {
			continue
		}
		delta, kept, why := count(f)
		switch {
		case why != "":
			return unknown(why)
		case !kept && !f.quiet():
			return unknown(fmt.Sprintf("%s keeps no %s of %s", p.proxy.Name, name, f.name))
		case kept:
			n += delta
		}
	}
	return counted(name, n)
}

// loggedRefusals counts what a connection pool refused, by flags.
func loggedRefusals(w *Window, p pair, part rules.Part) answer {
	service, _ := w.service(part.Host)
	return w.governed(p, part, "UO", func(k logged, port int) bool { return k.refused(isTCP(service, port)) })
}

// loggedUnhealthy counts the requests that found no healthy upstream, by the flag
// UH: they show that an ejection was in force, in a cluster that has endpoints.
// That there were none shows nothing.
func loggedUnhealthy(w *Window, p pair, part rules.Part) answer {
	said := w.governed(p, part, "UH", func(k logged, _ int) bool { return k.flagged("UH") })
	switch {
	case said.name == "":
		return said
	case said.value == 0:
		return unknown("no request had the flag UH, which an ejection of some endpoints does not show in")
	case !slices.ContainsFunc(p.flows(part.Host), func(f flow) bool { return governs(part, f.name) && len(f.hosts) > 0 }):
		return unknown("requests had the flag UH, but there is no endpoint that could have been ejected")
	}
	return said
}

// governed counts what went to the clusters that have a policy and is as asked, of
// its port.
func (w *Window) governed(p pair, part rules.Part, flag string, as func(k logged, port int) bool) answer {
	n, why := w.logCount(p, func(k logged) bool {
		name, ok := envoy.ParseClusterName(k.cluster)
		return ok && name.Direction == envoy.Outbound && governs(part, name) && as(k, name.Port)
	})
	if why != "" {
		return unknown(why)
	}
	return counted(logSource+" "+flag, n)
}

// countedEjections counts ejections by the counters of the clusters.
func countedEjections(_ *Window, p pair, part rules.Part) answer {
	return countFlows(p, part, func(f flow) (uint64, bool, string) { return p.counter(f.stat(ejectionsEnforced)) }, "stat ejections_enforced_total")
}

// flaggedEjections counts ejections by the flags of endpoints.
func flaggedEjections(w *Window, p pair, part rules.Part) answer {
	total := counted("failed_outlier_check of /clusters", 0)
	for _, f := range p.flows(part.Host) {
		if !governs(part, f.name) {
			continue
		}
		said := clustersEjections(w, p, f)
		if said.name == "" {
			return said
		}
		total.value += said.value
	}
	return total
}
