package sidecar

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// Options returns what the proxy was started with.
func (s *Sidecar) Options() Options { return s.options }

// Uptime is how long the proxy runs.
func (s *Sidecar) Uptime() time.Duration { return time.Since(s.started) }

// Snapshot is what a proxy runs at one moment.
type Snapshot struct {
	Config   *config.Config
	Inbound  *config.Inbound // nil: the proxy has no workload
	Clusters []ClusterStatus // in the order of the configuration, the workload's own last
}

// ClusterStatus is a cluster with the hosts that it has counted.
type ClusterStatus struct {
	Config  *config.Cluster
	Updated time.Time // when it began
	Hosts   []HostStatus
}

// HostStatus is an endpoint of a cluster with Envoy's counters of it: of the
// connections and the requests that this proxy made.
type HostStatus struct {
	config.Endpoint
	Ejected bool

	CxTotal, CxActive, CxConnectFail                 int64
	RqTotal, RqActive, RqSuccess, RqError, RqTimeout int64
}

// Snapshot returns what the proxy runs now.
func (s *Sidecar) Snapshot() Snapshot {
	st := s.state.Load()
	now := Snapshot{Config: st.config, Inbound: st.inbound}
	for _, cfg := range st.config.Clusters {
		now.Clusters = append(now.Clusters, st.clusters[cfg.Name].status())
	}
	if st.inbound != nil {
		now.Clusters = append(now.Clusters, st.clusters[st.inbound.Cluster.Name].status())
	}
	return now
}

func (c *cluster) status() ClusterStatus {
	status := ClusterStatus{Config: c.config, Updated: c.updated}
	for _, h := range c.hosts {
		status.Hosts = append(status.Hosts, HostStatus{
			Endpoint: h.Endpoint, Ejected: c.ejected(h),
			CxTotal: h.cxTotal.Load(), CxActive: h.cxActive.Load(), CxConnectFail: h.cxConnectFail.Load(),
			RqTotal: h.rqTotal.Load(), RqActive: h.rqActive.Load(), RqSuccess: h.rqSuccess.Load(), RqError: h.rqError.Load(), RqTimeout: h.rqTimeout.Load(),
		})
	}
	return status
}

// Stat is a counter or a gauge as it stands.
type Stat struct {
	Name  string // Envoy's
	Gauge bool
	Value int64
	Used  bool // it was ever changed

	Tagged string // its name in Prometheus' format
	Tags   map[string]string
}

// Stats returns the proxy's stats, sorted by name.
func (s *Sidecar) Stats() []Stat {
	s.uptime.value.Store(int64(s.Uptime().Seconds()))
	s.stats.mu.RLock()
	defer s.stats.mu.RUnlock()
	all := make([]Stat, 0, len(s.stats.metrics))
	for m := range maps.Values(s.stats.metrics) {
		all = append(all, Stat{Name: m.name, Gauge: m.gauge, Value: m.value.Load(), Used: m.used.Load(), Tagged: m.tagged, Tags: m.tags})
	}
	slices.SortFunc(all, func(a, b Stat) int { return strings.Compare(a.Name, b.Name) })
	return all
}
