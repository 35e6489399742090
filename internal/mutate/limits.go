package mutate

import (
	"fmt"
	"maps"
	"math"
	"slices"

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
		{"maxRetries", http(func(h *networking.ConnectionPoolSettings_HTTPSettings) *int32 { return &h.MaxRetries })},
		{"maxRequestsPerConnection", http(func(h *networking.ConnectionPoolSettings_HTTPSettings) *int32 { return &h.MaxRequestsPerConnection })},
	}
}

// raised is by how many times a limit is raised.
const raised = 10

// limits raises each limit of a connection pool: that which stands in several
// policies with one value in all of them, else in one at a time.
func limits(w written) []edit {
	var edits []edit
	for i, change := range w.changes {
		after, before := policies(change.After), policies(change.Before)
		for _, l := range poolLimits() {
			was := map[string]int32{}
			for _, path := range after.paths() {
				now := value(l.of(after.at(path).GetConnectionPool()))
				if now > 0 && now <= math.MaxInt32/raised && now != value(l.of(before.at(path).GetConnectionPool())) {
					was[path] = now
				}
			}
			paths := slices.Sorted(maps.Keys(was))
			add := func(prefix string, now int32, paths ...string) {
				edits = append(edits, edit{id: w.ofPolicy(change.After) + prefix + l.name + "-x10", what: fmt.Sprintf("%s of %s is %d, not %d", l.name, shortHost(change.After), raised*now, now), alter: func(w written) ([]rules.Change, error) {
					for _, path := range paths {
						*l.of(policies(w.changes[i].After).at(path).GetConnectionPool()) *= raised
					}
					return w.changes, nil
				}})
			}
			if values := slices.Compact(slices.Sorted(maps.Values(was))); len(values) == 1 {
				add("", values[0], paths...)
				continue
			}
			for _, path := range paths {
				add(prefixOf(path), was[path], path)
			}
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
