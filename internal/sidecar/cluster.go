package sidecar

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"math"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// Workers is how many worker threads a sidecar of Istio's chart has: a
// downstream connection is given to one of them and stays there, connection
// pools are a worker's own, and circuit breakers are shared by all.
const Workers = 2

// resource is what a circuit breaker counts. As in Envoy the question whether
// there is room and the taking of it are two steps, so that two workers can
// both be let in.
type resource struct {
	active atomic.Int64
	max    int64
}

func (r *resource) canCreate() bool { return r.active.Load() < r.max }
func (r *resource) inc()            { r.active.Add(1) }
func (r *resource) dec()            { r.active.Add(-1) }

// cluster is a config.Cluster at work in one proxy.
type cluster struct {
	config  *config.Cluster
	updated time.Time // when it began
	stats   clusterStats
	draws   *draws
	hosts   []*host

	workload  string      // where the proxy's own workload is reached; empty: at the host's address
	unreached func(error) // is told if it is not; nil: a host may be away

	connections, pending, requests, retries resource

	detector *detector              // nil: no outlier detection
	workers  *[Workers]sync.Mutex   // the proxy's
	turn     [Workers]atomic.Uint64 // of ROUND_ROBIN
	ring     atomic.Pointer[ring]   // of RING_HASH, as it was made last
	ctx      context.Context        // ends with the proxy
	end      context.CancelFunc     // ends the detector
	routines *sync.WaitGroup        // the proxy's
}

// host is an endpoint of a cluster with Envoy's counters of it.
type host struct {
	config.Endpoint
	index int
	pools [Workers]*pool
	tcp   [Workers]*tcpPool

	identity *tls.Config // the proxy's, for this host; nil: it is plain text

	cxTotal, cxActive, cxConnectFail                 atomic.Int64
	rqTotal, rqActive, rqSuccess, rqError, rqTimeout atomic.Int64
}

func newCluster(ctx context.Context, cfg *config.Cluster, p *Sidecar) *cluster {
	c := &cluster{
		config: cfg, updated: time.Now(), stats: newClusterStats(p.stats, cfg.Name),
		draws: p.draws, workers: &p.workers, ctx: ctx, routines: &p.routines,
	}
	c.connections.max = int64(cfg.Policy.Thresholds.MaxConnections)
	c.pending.max = int64(cfg.Policy.Thresholds.MaxPendingRequests)
	c.requests.max = int64(cfg.Policy.Thresholds.MaxRequests)
	c.retries.max = int64(cfg.Policy.Thresholds.MaxRetries)
	for i, e := range cfg.Endpoints {
		h := &host{Endpoint: e, index: i}
		if e.MutualTLS {
			h.identity = clientIdentity(p.identity, cfg.Name, cfg.HTTP2)
		}
		for w := range h.pools {
			h.pools[w] = &pool{worker: &p.workers[w], cluster: c, host: h}
			h.tcp[w] = newTCPPool(&p.workers[w], c, h)
		}
		c.hosts = append(c.hosts, h)
	}
	if n := len(c.hosts); n > 0 && cfg.Policy.Balancer == envoy.RoundRobin {
		for w := range c.turn { // Whose turn is first is drawn, by each worker.
			c.turn[w].Store(p.draws.below(cfg.Name+" turns", uint64(n)))
		}
	}
	detectorCtx, end := context.WithCancel(ctx)
	c.end = end
	if o := cfg.Policy.Outlier; o != (envoy.OutlierDetection{}) {
		c.detector = newDetector(o, newOutlierStats(p.stats, cfg.Name), len(c.hosts))
		c.detector.onEjected = func(host int) { c.hosts[host].renew() }
		p.routines.Go(func() { c.detector.run(detectorCtx) })
	}
	return c
}

// connect connects to a host, as Istio's automatic mutual TLS does: with TLS to
// one that has a proxy, else in plain text.
func (c *cluster) connect(ctx context.Context, h *host) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Policy.ConnectTimeout)
	defer cancel()
	var dialer net.Dialer
	plain, err := dialer.DialContext(ctx, "tcp", cmp.Or(c.workload, h.Address))
	if err != nil && c.unreached != nil {
		c.unreached(err)
	}
	if err != nil || !h.MutualTLS {
		return plain, err
	}
	secure := tls.Client(plain, h.identity)
	if err := secure.HandshakeContext(ctx); err != nil {
		plain.Close()
		return nil, err
	}
	return secure, nil
}

// drain ends what a replaced cluster does on its own: requests in flight and
// queued are still carried out, and each connection is closed after its last.
func (c *cluster) drain() {
	c.end()
	if c.detector != nil {
		c.detector.end()
	}
	for _, h := range c.hosts {
		for _, p := range h.pools {
			p.drain()
		}
	}
}

// renew ends the connections to a host, those in use after their requests: what
// Envoy's cluster manager does with an ejected one (onHostHealthFailure).
func (h *host) renew() {
	for _, p := range h.pools {
		p.renew()
	}
}

// report tells the outlier detection of a host's answer.
func (c *cluster) report(h *host, status int) {
	if c.detector != nil {
		c.detector.report(h.index, status)
	}
}

func (c *cluster) ejected(h *host) bool { return c.detector != nil && c.detector.ejected(h.index) }

// choice is what the host of a request is chosen by.
type choice struct {
	worker int
	bond   bond
	tried  []*host
	again  int // how often another is chosen in the place of one that was tried
}

// choose picks the host of a request; nil if none is healthy.
func (c *cluster) choose(by choice) *host {
	candidates, panicking := c.healthy()
	if panicking {
		c.stats.lbHealthyPanic.add(1)
	}
	if len(candidates) == 0 {
		c.stats.cxNoneHealthy.add(1)
		return nil
	}
	if c.config.Policy.Balancer == envoy.RingHash && !by.bond.bound {
		by.bond.hash = c.draws.below(c.config.Name+" hashes", math.MaxUint64)
	}
	h := c.balance(by, candidates, 0)
	for i := 1; i <= by.again && slices.Contains(by.tried, h); i++ {
		h = c.balance(by, candidates, i)
		if panicking && c.config.Policy.Balancer != envoy.RingHash {
			c.stats.lbHealthyPanic.add(1) // Of each choice, but of the ring's together.
		}
	}
	return h
}

// healthy are the hosts that the workers know of no ejection of, or all of them
// below the panic threshold, which is 0 unless minHealthPercent says otherwise.
func (c *cluster) healthy() (in []*host, panicking bool) {
	for _, h := range c.hosts {
		if c.detector == nil || !c.detector.skipped(h.index) {
			in = append(in, h)
		}
	}
	if len(c.hosts) == 0 {
		return nil, c.config.Policy.PanicThreshold > 0
	}
	if float64(100*len(in)) < c.config.Policy.PanicThreshold*float64(len(c.hosts)) {
		return c.hosts, true
	}
	return in, false
}

// balance picks one of the hosts for the i-th time.
func (c *cluster) balance(by choice, hosts []*host, i int) *host {
	if len(hosts) == 1 {
		return hosts[0]
	}
	n := uint64(len(hosts))
	switch c.config.Policy.Balancer {
	case envoy.RoundRobin:
		return hosts[(c.turn[by.worker].Add(1)-1)%n]
	case envoy.RingHash:
		return c.ringOf(hosts).at(by.bond.hash, i)
	}
	stream := fmt.Sprintf("%s hosts", c.config.Name)
	first := hosts[c.draws.below(stream, n)]
	if c.config.Policy.Balancer == envoy.Random {
		return first
	}
	// Of two choices, the one with fewer requests.
	if second := hosts[c.draws.below(stream, n)]; second.rqActive.Load() < first.rqActive.Load() {
		return second
	}
	return first
}
