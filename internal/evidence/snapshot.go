// Package evidence turns what proxies count into quantities: how many requests,
// faults, overflows and ejections there were between two readings.
//
// A quantity is a sum over all proxies. It is either exact or absent, with the
// reason and what to do about it: a counter that a proxy does not keep is never
// taken for 0 unless the proxy's other evidence shows that it must be.
//
// Each quantity is a file with the list of its sources in their order, and each
// source is a file: Envoy's counters, /clusters, the access log, Istio's metrics.
// From the same lines come the calls that explain a request.
//
// The package reads the proxies' admin interfaces and access logs alone, so it is
// the same for every mesh. It may import loadgen, report, internal/envoy, internal/rules,
// internal/check, internal/mesh and internal/plural.
package evidence

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// Snapshot is one reading of all proxies.
type Snapshot struct {
	taken    time.Time
	took     time.Duration
	readings []*reading
}

// reading is what one proxy had counted when it was asked.
type reading struct {
	proxy    mesh.Proxy
	stats    map[string]uint64
	clusters map[envoy.ClusterName]envoy.Cluster
	configs  map[envoy.ClusterName]envoy.ClusterConfig
	requests []envoy.Requests
	err      error // the proxy could not be read
}

const (
	// readers bounds how many proxies are read at once.
	readers = 8
	// readLimit is how long the reading of one proxy may take.
	readLimit = 10 * time.Second
)

// Take reads all proxies. One that cannot be read makes the quantities absent
// that are taken from the snapshot; the error is that of an ended ctx alone.
func Take(ctx context.Context, proxies []mesh.Proxy) (*Snapshot, error) {
	return take(ctx, proxies, readProxy)
}

// TakeCounts reads all proxies as Take does, for a window of which no quantity is asked,
// nor what bit: whether they are steady, what they took, and what their endpoints did.
func TakeCounts(ctx context.Context, proxies []mesh.Proxy) (*Snapshot, error) {
	return take(ctx, proxies, readCounts)
}

func take(ctx context.Context, proxies []mesh.Proxy, read func(context.Context, mesh.Proxy) *reading) (*Snapshot, error) {
	s := &Snapshot{taken: time.Now(), readings: make([]*reading, len(proxies))}
	var group errgroup.Group
	group.SetLimit(readers)
	for i, proxy := range proxies {
		group.Go(func() error {
			s.readings[i] = read(ctx, proxy)
			return nil
		})
	}
	_ = group.Wait() // each reading keeps its own error
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("reading the proxies: %w", err)
	}
	s.Extend()
	return s, nil
}

// Extend has a snapshot before a load last until now: what comes behind it is the load.
func (s *Snapshot) Extend() { s.took = time.Since(s.taken) }

// wantedStats are the stats that quantities are made of. server.uptime, which
// every proxy keeps, shows that a proxy was restarted.
const wantedStats = `^(server\.uptime` +
	`|http\.outbound_.*\.(downstream_rq_total|fault\.(delays|aborts)_injected)` +
	`|cluster\.(in|out)bound\|.*\.(upstream_rq_pending_overflow|upstream_rq_active_overflow|upstream_rq_retry|upstream_rq_retry_overflow|upstream_cx_overflow|outlier_detection\.ejections_enforced_total))$`

func readProxy(ctx context.Context, proxy mesh.Proxy) *reading {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	r := readCounts(ctx, proxy)
	if r.err != nil {
		return r
	}
	if r.requests, r.err = proxy.Admin.Requests(ctx); r.err != nil {
		return r
	}
	configs, err := proxy.Admin.ClusterGenerations(ctx)
	if err != nil {
		r.err = err
		return r
	}
	for _, c := range configs {
		r.configs[c.Name] = c
	}
	return r
}

func readCounts(ctx context.Context, proxy mesh.Proxy) *reading {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	r := &reading{
		proxy:    proxy,
		clusters: map[envoy.ClusterName]envoy.Cluster{},
		configs:  map[envoy.ClusterName]envoy.ClusterConfig{},
	}
	if r.stats, r.err = proxy.Admin.Stats(ctx, wantedStats); r.err != nil {
		return r
	}
	clusters, err := proxy.Admin.Clusters(ctx)
	r.err = err
	for _, c := range clusters {
		r.clusters[c.Name] = c
	}
	return r
}

// of returns the reading of a proxy, nil if the snapshot has none.
func (s *Snapshot) of(name string) *reading {
	for _, r := range s.readings {
		if r.proxy.Name == name {
			return r
		}
	}
	return nil
}
