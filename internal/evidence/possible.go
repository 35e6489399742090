package evidence

import (
	"slices"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// possible is how often something could have happened with the requests that there
// were: who says that it did not says something only if it could have.
type possible struct {
	each  int64 // how many errors, or requests, one takes by the strictest rule; 0: there is none
	most  int64
	known bool
}

// ejectable is how many ejections there could have been by the proxies that called a
// host, in those of its clusters that are asked for: each takes as many errors as the
// rule of the cluster says, and an endpoint that is out is not ejected until it is back.
func (w *Window) ejectable(host string, of func(envoy.ClusterName) bool) possible {
	all := possible{known: true}
	for _, p := range w.pairs {
		for _, f := range p.flows(host) {
			if !of(f.name) {
				continue
			}
			config, known := p.after.configs[f.name]
			if f.why != "" || !known {
				return possible{}
			}
			fewest, allowed := int64(fewestErrors(config.Outlier)), int64(len(f.hosts))*int64(config.Outlier.MaxEjectionPercent)/100
			if fewest == 0 || allowed == 0 {
				continue
			}
			if all.each == 0 || fewest < all.each {
				all.each = fewest
			}
			rounds := 1 + int64(w.length/max(config.Outlier.BaseEjectionTime, 1))
			all.most += min(rounds*allowed, w.attempted(p, f, logged.tried)/fewest)
		}
	}
	return all
}

// refusable is how many requests to a host, or TCP connections, limits could have
// refused, in those of its clusters that are asked for and have some: those beyond as
// many as the lowest of these lets be under way at once. The limit of an endpoint's
// own sidecar is one for all that call it, and what a caller's refuses does not get there.
func (w *Window) refusable(service mesh.Service, of func(envoy.ClusterName) bool) possible {
	all := possible{known: true}
	var entering int64
	inbound := int64(envoy.NoLimit)
	for _, p := range w.pairs {
		for _, f := range p.flows(service.Host) {
			if f.why != "" {
				return possible{}
			}
			if !of(f.name) {
				continue
			}
			own, theirs := int64(lowest(p.after.clusters[f.name].Thresholds, !isHTTP(service, f.name.Port))), w.inboundLimit(f, isTCP(service, f.name.Port))
			if own == envoy.NoLimit && theirs == envoy.NoLimit {
				continue
			}
			n := w.attempted(p, f, logged.admitted)
			all.most += max(n-own, 0)
			if first := min(own, theirs) + 1; all.each == 0 || first < all.each {
				all.each = first
			}
			if theirs != envoy.NoLimit {
				entering, inbound = entering+n, min(inbound, theirs)
			}
		}
	}
	all.most = max(all.most, entering-inbound)
	return all
}

// retriesRefusable is how many requests to a host limits of retries could have kept
// from being tried again, likewise.
func (w *Window) retriesRefusable(host string, of func(envoy.ClusterName) bool) possible {
	all := possible{known: true}
	for _, p := range w.pairs {
		for _, f := range p.flows(host) {
			limit := int64(p.after.clusters[f.name].Thresholds.MaxRetries)
			switch {
			case f.why != "":
				return possible{}
			case !of(f.name), limit == envoy.NoLimit:
				continue
			case all.each == 0 || limit+1 < all.each:
				all.each = limit + 1
			}
			all.most += max(w.attempted(p, f, logged.tried)-limit, 0)
		}
	}
	return all
}

// inboundLimit is the lowest limit of the inbound clusters of a cluster's endpoints,
// to which Istio gives those of a whole service too; envoy.NoLimit: there is none.
func (w *Window) inboundLimit(f flow, tcp bool) int64 {
	limit := uint32(envoy.NoLimit)
	for _, other := range w.pairs {
		for _, h := range f.hosts {
			_, inbound := other.inbound(h.address, tcp)
			limit = min(limit, inbound)
		}
	}
	return int64(limit)
}

// lowest is the lowest of the limits at which requests overflow, or connections;
// envoy.NoLimit: there is none.
func lowest(t envoy.Thresholds, connections bool) uint32 {
	limit := min(t.MaxPendingRequests, t.MaxRequests)
	if connections {
		limit = min(limit, t.MaxConnections)
	}
	return limit
}

// admitted says whether a request came as far as the limits of its cluster: a fault
// aborts it before.
func (k logged) admitted() bool { return k.upstream != "" || !k.flagged("FI") }

// tried says whether a request may have been an error of an endpoint: what a limit
// refused has been none.
func (k logged) tried() bool { return k.admitted() && (k.upstream != "" || !k.flagged("UO")) }

// attempted is how often a proxy called a cluster at most: what no endpoint got is in
// its log, as far as it counts, and each attempt of a request in /clusters. Without a
// log it may be all that the clients sent, beside that.
func (w *Window) attempted(p pair, f flow, counts func(logged) bool) int64 {
	var requests, conns uint64
	for _, h := range f.hosts {
		requests, conns = requests+h.requests, conns+h.conns
	}
	logged, why := w.logCount(p, func(k logged) bool { return k.cluster == f.name.String() && counts(k) })
	n := int64(max(requests, conns, logged))
	if why != "" && !f.quiet() {
		for _, load := range w.Loads {
			if load != nil {
				n += load.Sent
			}
		}
	}
	return n
}

// couldBite is how often a limit, or an ejection rule, could have bitten by the
// requests that it was for; nil: that is not known, or the part is none of these.
func (w *Window) couldBite(part rules.Part) *int64 {
	of := func(name envoy.ClusterName) bool { return governs(part, name) }
	could := possible{}
	by := *w // the proxies that follow it: what others' limits could do is none of the part's
	by.pairs = slices.DeleteFunc(slices.Clone(w.pairs), func(p pair) bool {
		return !rules.FollowedIn(part.Object, part.Host, p.proxy.Namespace)
	})
	switch part.Kind {
	case rules.PartEjection:
		could = by.ejectable(part.Host, of)
	case rules.PartRetried:
		could = by.retriesRefusable(part.Host, of)
	case rules.PartOverflow:
		service, _ := w.service(part.Host)
		service.Host = part.Host
		could = by.refusable(service, of)
	}
	if !could.known || w.gap != "" {
		return nil
	}
	return &could.most
}
