package evidence

import (
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// inboundRefusals adds what the service's own proxies refused by a connection pool:
// Istio gives the policy of a whole service to the inbound cluster of its sidecar
// too, where the requests of all clients meet. Pools of subsets are not there.
func (w *Window) inboundRefusals(t *tally, part rules.Part) {
	if part.Kind != rules.PartOverflow || part.Subset != "" {
		return
	}
	if _, serving, _ := rules.InCluster(part.Host); !rules.FollowedIn(part.Object, part.Host, serving) {
		return // what the service's own sidecars refuse is by another rule
	}
	service, _ := w.service(part.Host)
	called := map[string]endpointCalls{}
	for _, p := range w.pairs {
		for _, f := range p.flows(part.Host) {
			if !part.Governs(part.Host, "", f.name.Port) {
				continue
			}
			for _, h := range f.hosts {
				called[h.address] = called[h.address].and(h.errors, isTCP(service, f.name.Port) && h.conns > 0)
			}
		}
	}
	for _, endpoint := range sortedKeys(called) {
		if calls := called[endpoint]; (calls.errors > 0 || calls.tcp) && !w.shared(endpoint, part) {
			w.refusedInbound(t, endpoint, calls)
		}
	}
}

// shared says whether an endpoint is of another service too, or of a port that
// other limits are for: its proxy has one inbound cluster for all of them.
func (w *Window) shared(endpoint string, part rules.Part) bool {
	return slices.ContainsFunc(w.pairs, func(p pair) bool {
		for name, c := range p.after.clusters {
			own := name.Direction != envoy.Outbound || part.Governs(name.Host, "", name.Port)
			if !own && slices.ContainsFunc(c.Hosts, func(h envoy.Host) bool { return h.Address == endpoint }) {
				return true
			}
		}
		return false
	})
}

// refusedInbound adds what the proxy in front of an endpoint refused. What nothing
// counts may have been refused.
func (w *Window) refusedInbound(t *tally, endpoint string, calls endpointCalls) {
	for _, p := range w.pairs {
		name, limit := p.inbound(endpoint, calls.tcp)
		if limit == envoy.NoLimit || p.flow(name).why != "" {
			continue
		}
		pool := serverPool{name: name, calls: calls}
		if ok, why := read(w, t, p, pool, []source[serverPool]{countedInbound, loggedInbound}); !ok {
			t.lack("%s may have refused requests itself, as Istio limits a service's own sidecar too, but nothing counts that (%s); "+annotate, p.proxy.Name, strings.Join(why, "; "), "cluster.inbound")
		}
	}
}
