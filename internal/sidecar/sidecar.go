// Package sidecar is one proxy that behaves as Envoy does under Istio: routes,
// faults, connection pools, ejection, its counters and its access log. It knows
// no application.
//
// Its rooms: internal/sidecar/config holds what Istio's objects compile to, and
// internal/sidecar/admin the admin interface; here is the data plane. Every proxy
// of a mesh runs the same configuration, which is pushed to it. A request goes
// through a chain of filters in Envoy's order, a file each (filters.go). A proxy
// serves real connections on loopback; where it and Envoy differ, it is wrong.
// Names of stats, flags and texts are Envoy's and Istio's own.
//
// The package may import internal/sidecar/config, internal/rules and
// internal/envoy.
package sidecar

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// Options say who a proxy belongs to.
type Options struct {
	Name      string // of its pod: productpage-v1
	App       string // the label app
	Version   string // the label version; empty: none
	Account   string // the service account of its identity; empty: one of its own name
	Namespace string
	Gateway   bool   // it is the ingress gateway
	Seed      uint64 // every draw follows from it and the name
	IP        string // the loopback address of its listeners; empty: 127.0.0.1

	Credentials func(name string) *Credential // of a gateway, those of the secrets that it may read; nil, or of none: there is none

	CA       *CA          // issues its identity; nil: it has none and knows plain text alone
	Inbound  net.Listener // takes other proxies' connections to its workload, and is closed with the proxy; nil: none
	Workload string       // the host:port of the workload behind Inbound
}

// proxy is who it is to its configuration.
func (o Options) proxy() config.Proxy {
	namespace := o.Namespace
	if o.Gateway {
		namespace = config.GatewayNamespace
	}
	return config.Proxy{Namespace: namespace, Labels: o.Labels(), Gateway: o.Gateway}
}

func (o Options) account() string { return cmp.Or(o.Account, o.Name) }

// Labels are those of its pod.
func (o Options) Labels() map[string]string {
	labels := map[string]string{"app": o.App}
	if o.Version != "" {
		labels["version"] = o.Version
	}
	if o.Gateway {
		maps.Copy(labels, rules.IngressGateway())
	}
	return labels
}

// Sidecar is a running proxy.
type Sidecar struct {
	options  Options
	identity *tls.Config
	draws    *draws
	stats    *stats
	requests sync.Map      // the metrics of istio_requests_total, by their series
	uptime   *metric       // server.uptime, in seconds
	copies   *httpListener // of mirrored requests, which no client sent: what it counts goes nowhere
	lines    accessLog
	failures failures
	workers  [Workers]sync.Mutex
	started  time.Time

	ctx      context.Context // ends with the proxy
	end      context.CancelFunc
	entering sync.RWMutex // held while a routine begins that none of the others waits for
	routines sync.WaitGroup

	state     atomic.Pointer[state]
	mu        sync.Mutex // of Push and Close
	listeners map[string]listener
	refusing  []net.Conn // of a gateway: both ends of a connection, whose first end's address refuses others
}

// state is the configuration that a proxy runs, and its clusters.
type state struct {
	config   *config.Config
	clusters map[string]*cluster
	inbound  *config.Inbound // nil: the proxy has no workload
}

// Start starts a proxy. Close must be called.
func Start(options Options, cfg *config.Config) (*Sidecar, error) {
	ctx, end := context.WithCancel(context.Background())
	s := &Sidecar{
		options:   options,
		draws:     newDraws(options.Seed, options.Name),
		stats:     newStats(),
		lines:     accessLog{closed: ctx},
		started:   time.Now(),
		ctx:       ctx,
		end:       end,
		listeners: map[string]listener{},
	}
	s.copies = &httpListener{proxy: s, stats: newListenerStats(newStats(), envoy.Outbound, 0)}
	if err := s.begin(cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the proxy of %s: %w", options.Name, err), s.Close())
	}
	return s, nil
}

// begin starts what Close ends.
func (s *Sidecar) begin(cfg *config.Config) (err error) {
	s.uptime = s.stats.gauge("server.uptime")
	s.uptime.used.Store(true)
	if l := s.options.Inbound; l != nil {
		s.listeners[inboundKey] = listener{address: l.Addr().String(), close: func() { l.Close() }}
	}
	if s.options.CA != nil {
		if s.identity, err = s.options.CA.identity(s.options.Namespace, s.options.account()); err != nil {
			return err
		}
	}
	if s.options.Gateway {
		if err := s.refuse(); err != nil {
			return fmt.Errorf("reserving an address that refuses: %w", err)
		}
	}
	if err := s.Push(cfg); err != nil {
		return err
	}
	if s.options.Inbound != nil {
		s.openInbound(s.options.Inbound)
	}
	return nil
}

// Push makes the proxy run a configuration from now on. Requests in flight
// keep the route that they have. Clusters that did not change keep their
// connections, counts of hosts and ejections; others start anew, as in Envoy.
func (s *Sidecar) Push(cfg *config.Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return fmt.Errorf("configuring the proxy of %s: it is closed", s.options.Name)
	}
	next, replaced, err := s.next(cfg.For(s.options.proxy()))
	if err != nil {
		return err
	}
	s.state.Store(next)
	for _, c := range replaced {
		c.drain()
	}
	return s.syncListeners(next.config)
}

// next is the state that runs a configuration, and which clusters of the state
// before it are not in it.
func (s *Sidecar) next(cfg *config.Config) (next *state, replaced []*cluster, err error) {
	old := s.state.Load()
	if old == nil {
		old = &state{}
	}
	next = &state{config: cfg, clusters: map[string]*cluster{}}
	replaced = slices.Collect(maps.Values(old.clusters))
	add := func(cfg *config.Cluster, start func(*config.Cluster) *cluster) {
		kept := old.clusters[cfg.Name]
		if kept == nil || !reflect.DeepEqual(kept.config, cfg) {
			next.clusters[cfg.Name] = start(cfg)
			return
		}
		next.clusters[cfg.Name] = kept
		replaced = slices.DeleteFunc(replaced, func(r *cluster) bool { return r == kept })
	}
	if l := s.options.Inbound; l != nil {
		if next.inbound = cfg.Inbound[l.Addr().String()]; next.inbound == nil {
			return nil, nil, fmt.Errorf("configuring the proxy of %s: no service has its endpoint %s", s.options.Name, l.Addr())
		}
		add(next.inbound.Cluster, s.workloadCluster)
	}
	for _, c := range cfg.Clusters {
		add(c, func(c *config.Cluster) *cluster { return newCluster(s.ctx, c, s) })
	}
	return next, replaced, nil
}

// Close ends the proxy and everything that it does. The error is what had gone
// wrong in the proxy itself: a server of its own that failed, a workload that
// it could not reach, a panic.
func (s *Sidecar) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil
	}
	s.end()
	for _, c := range s.refusing {
		c.Close()
	}
	for _, l := range s.listeners {
		l.close()
	}
	if st := s.state.Load(); st != nil {
		for _, c := range st.clusters {
			c.drain()
		}
	}
	s.entering.Lock()
	s.entering.Unlock() //nolint:staticcheck // Whoever began to enter has.
	s.routines.Wait()
	return s.failures.err(s.options.Name)
}

// enter counts a routine of the proxy, unless that is closed.
func (s *Sidecar) enter() bool {
	s.entering.RLock()
	defer s.entering.RUnlock()
	if s.ctx.Err() != nil {
		return false
	}
	s.routines.Add(1)
	return true
}

// ErrorLog is for a server that belongs to the proxy: what it logs is a failure
// of the proxy.
func (s *Sidecar) ErrorLog() *log.Logger { return log.New(&s.failures, "", 0) }

// failed notes what went wrong in the proxy itself, unless it is the end of
// what was closed.
func (s *Sidecar) failed(err error, doing string) {
	if s.ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
		s.failures.add("%s: %v", doing, err)
	}
}

// KeptLog returns the last lines of the access log, 1,000 at the most.
func (s *Sidecar) KeptLog() []byte {
	var lines []byte
	for _, e := range s.lines.all() {
		lines = e.appendLine(lines)
	}
	return lines
}

// FollowLog follows the proxy's access log, in Istio's default text format:
// from the lines written at since on, or all that are kept if it is zero, until
// ctx ends, with ctx's error, or the reader is closed. It fails if lines since
// then are not kept any more; the last 1,000 are. A reader that falls too far
// behind is ended with an error, as it is when the proxy is closed.
func (s *Sidecar) FollowLog(ctx context.Context, since time.Time) (io.ReadCloser, error) {
	f, err := s.lines.follow(ctx, since)
	if err != nil {
		return nil, fmt.Errorf("following the access log of %s: %w", s.options.Name, err)
	}
	return f, nil
}
