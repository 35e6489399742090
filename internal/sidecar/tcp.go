package sidecar

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// proxyTCP is Envoy's TCP proxy for one connection: a cluster is drawn once,
// and all that comes goes to one host of it.
func (s *Sidecar) proxyTCP(ctx context.Context, key string, downstream net.Conn) {
	route := s.tcpRoute(s.state.Load().config, key)
	if route == nil {
		downstream.Close()
		return // The listener went as the connection came.
	}
	s.relayTCP(ctx, route.Targets[pick(s.draws, route.Key, route.Targets)].Cluster, downstream, peer{})
}

// relayTCP passes a connection on to a host of a cluster, and logs it. from is the
// zero peer if the proxy's own workload made it.
func (s *Sidecar) relayTCP(ctx context.Context, target string, downstream net.Conn, from peer) {
	defer downstream.Close()
	entry := accessLogEntry{
		start: time.Now(), flags: "-",
		downstreamLocal: downstream.LocalAddr(), downstreamRemote: downstream.RemoteAddr().String(), serverName: from.server,
	}
	state := s.state.Load()
	cluster := state.clusters[target]
	if cluster != nil {
		entry.cluster = target
	}
	upstream, h, failed := s.connectTCP(ctx, cluster)
	if failed != nil {
		entry.flags, entry.failure = failed.flag, underscored(failed.reason)
	}
	if h != nil {
		entry.upstream = h.Address
	}
	s.countConnection(s.labels(target, h, from), entry.flags)
	if upstream != nil {
		entry.upstreamLocal = upstream.LocalAddr()
		entry.received, entry.sent = relay(ctx, downstream, upstream)
		cluster.endTCP(h)
	}
	if state.config.AccessLog {
		entry.duration = time.Since(entry.start)
		s.lines.add(entry)
	}
}

// unconnectedTCP says why a connection has no upstream: the response flags, and
// the reason of the transport; empty: it was not tried.
type unconnectedTCP struct{ flag, reason string }

// connectTCP connects to a host of a cluster. Where it cannot, it returns the
// reason.
func (s *Sidecar) connectTCP(ctx context.Context, c *cluster) (net.Conn, *host, *unconnectedTCP) {
	if c == nil {
		return nil, nil, &unconnectedTCP{flag: "NC"}
	}
	if !c.connections.canCreate() {
		c.stats.cxOverflow.add(1)
		return nil, nil, &unconnectedTCP{flag: "UO"}
	}
	h := c.choose(choice{worker: int(s.draws.below("workers", Workers))})
	if h == nil {
		return nil, nil, &unconnectedTCP{flag: "UH"}
	}
	if !c.pending.canCreate() {
		c.stats.rqPendingOverflow.add(1)
		return nil, nil, &unconnectedTCP{flag: "UO"}
	}
	c.beginTCP(h)
	upstream, err := c.connect(ctx, h)
	c.pending.dec()
	c.stats.rqPendingActive.add(-1)
	if err != nil {
		c.stats.cxConnectFail.add(1)
		h.cxConnectFail.Add(1)
		c.report(h, http.StatusServiceUnavailable)
		c.forgetTCP(h)
		// Its one attempt is over, which Envoy says as well.
		return nil, h, &unconnectedTCP{"UF,URX", newConnectError(err).detail()}
	}
	c.report(h, http.StatusOK)
	c.stats.rqTotal.add(1)
	c.stats.rqActive.add(1)
	h.rqTotal.Add(1)
	h.rqActive.Add(1)
	return upstream, h, nil
}

// beginTCP counts a connection that is being made, and who waits for it.
func (c *cluster) beginTCP(h *host) {
	c.pending.inc()
	c.stats.rqPendingTotal.add(1)
	c.stats.rqPendingActive.add(1)
	c.connections.inc()
	c.stats.cxTotal.add(1)
	c.stats.cxActive.add(1)
	h.cxTotal.Add(1)
	h.cxActive.Add(1)
}

// endTCP counts the end of a connection that was made.
func (c *cluster) endTCP(h *host) {
	c.stats.rqActive.add(-1)
	h.rqActive.Add(-1)
	c.forgetTCP(h)
}

func (c *cluster) forgetTCP(h *host) {
	c.connections.dec()
	c.stats.cxDestroy.add(1)
	c.stats.cxActive.add(-1)
	h.cxActive.Add(-1)
}

// relay copies both ways until both sides have ended, or ctx has, and returns
// how many bytes came from each.
func relay(ctx context.Context, downstream, upstream net.Conn) (received, sent int64) {
	stop := context.AfterFunc(ctx, func() {
		downstream.Close()
		upstream.Close()
	})
	defer stop()
	defer upstream.Close()
	var both sync.WaitGroup
	both.Go(func() { received = copyHalf(upstream, downstream) })
	both.Go(func() { sent = copyHalf(downstream, upstream) })
	both.Wait()
	return received, sent
}

// copyHalf copies one way and passes the end on. An error ends both ways, as
// the end of a connection does.
func copyHalf(to, from net.Conn) int64 {
	n, err := io.Copy(to, from)
	if err != nil {
		to.Close()
		from.Close()
		return n
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // It fails only if the other way has ended already.
	}
	return n
}
