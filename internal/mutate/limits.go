package mutate

import (
	"fmt"
	"math"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// limit is one of a connection pool's; nil: the pool has none of its group.
type limit struct {
	name string
	of   func(*networking.ConnectionPoolSettings) *int32
}

func poolLimits() []limit {
	http := func(field func(*networking.ConnectionPoolSettings_HTTPSettings) *int32) func(*networking.ConnectionPoolSettings) *int32 {
		return func(p *networking.ConnectionPoolSettings) *int32 {
			if p.GetHttp() == nil {
				return nil
			}
			return field(p.Http)
		}
	}
	return []limit{
		{"maxConnections", func(p *networking.ConnectionPoolSettings) *int32 {
			if p.GetTcp() == nil {
				return nil
			}
			return &p.Tcp.MaxConnections
		}},
		{"http1MaxPendingRequests", http(func(h *networking.ConnectionPoolSettings_HTTPSettings) *int32 { return &h.Http1MaxPendingRequests })},
		{"http2MaxRequests", http(func(h *networking.ConnectionPoolSettings_HTTPSettings) *int32 { return &h.Http2MaxRequests })},
		{"maxRequestsPerConnection", http(func(h *networking.ConnectionPoolSettings_HTTPSettings) *int32 { return &h.MaxRequestsPerConnection })},
	}
}

// raised is by how many times a limit is raised.
const raised = 10

// limits raises each limit of a connection pool.
func limits(w written) []edit {
	var edits []edit
	for i, change := range w.changes {
		after, before := policies(change.After), policies(change.Before)
		for _, l := range poolLimits() {
			var was int32
			for path, policy := range after {
				if now := l.of(policy.GetConnectionPool()); now != nil && *now > 0 && *now != value(l.of(before[path].GetConnectionPool())) {
					was = *now
				}
			}
			if was == 0 || was > math.MaxInt32/raised {
				continue
			}
			edits = append(edits, edit{w.ofPolicy(change.After) + l.name + "-x10", fmt.Sprintf("%s of %s is %d, not %d", l.name, shortHost(change.After), raised*was, was), func(w written) ([]rules.Change, error) {
				for _, policy := range policies(w.changes[i].After) {
					if now := l.of(policy.GetConnectionPool()); value(now) == was {
						*now = raised * was
					}
				}
				return w.changes, nil
			}})
		}
	}
	return edits
}

func value(limit *int32) int32 {
	if limit == nil {
		return 0
	}
	return *limit
}

// policies are those of a DestinationRule, by what they are for: that of the
// service, and those of its subsets and of ports.
func policies(o *rules.Object) map[string]*networking.TrafficPolicy {
	if o == nil {
		return nil
	}
	rule, ok := o.Spec.(*networking.DestinationRule)
	if !ok {
		return nil
	}
	all := map[string]*networking.TrafficPolicy{"": rule.TrafficPolicy}
	for _, s := range rule.Subsets {
		all[s.Name] = s.TrafficPolicy
	}
	return all
}

// ofPolicy tells edits of one id apart, where the rule has a policy for several
// services.
func (w written) ofPolicy(o *rules.Object) string {
	several := 0
	for _, change := range w.changes {
		if len(policies(change.After)) > 0 {
			several++
		}
	}
	if several < 2 {
		return ""
	}
	return shortHost(o) + "/"
}
