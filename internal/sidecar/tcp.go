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
	defer downstream.Close()
	entry := accessLogEntry{Time: time.Now(), Flags: "-"}
	state := s.state.Load()
	route := s.tcpRoute(state.config, key)
	if route == nil {
		return // The listener went as the connection came.
	}
	entry.Cluster = pick(s.draws, route.key, route.targets)
	upstream, h, flag := s.connectTCP(ctx, state.clusters[entry.Cluster])
	if flag != "" {
		entry.Flags = flag
	}
	if h != nil {
		entry.Upstream = h.Address
	}
	s.countConnection(entry.Cluster, h, entry.Flags)
	if upstream != nil {
		relay(ctx, downstream, upstream)
		state.clusters[entry.Cluster].endTCP(h)
	}
	entry.Duration = time.Since(entry.Time)
	s.log.add(entry)
}

// connectTCP connects to a host of a cluster. Where it cannot, it returns the
// response flag that says why.
func (s *Sidecar) connectTCP(ctx context.Context, c *cluster) (net.Conn, *host, string) {
	if c == nil {
		return nil, nil, "NC"
	}
	if !c.connections.canCreate() {
		c.stats.cxOverflow.add(1)
		return nil, nil, "UO"
	}
	h := c.choose(int(s.draws.below("workers", workers)), nil)
	if h == nil {
		return nil, nil, "UH"
	}
	if !c.pending.canCreate() {
		c.stats.rqPendingOverflow.add(1)
		return nil, h, "UO"
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
		return nil, h, "UF"
	}
	c.report(h, http.StatusOK)
	c.stats.rqTotal.add(1)
	c.stats.rqActive.add(1)
	h.rqTotal.Add(1)
	h.rqActive.Add(1)
	return upstream, h, ""
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

// relay copies both ways until both sides have ended, or ctx has.
func relay(ctx context.Context, downstream, upstream net.Conn) {
	stop := context.AfterFunc(ctx, func() {
		downstream.Close()
		upstream.Close()
	})
	defer stop()
	defer upstream.Close()
	var both sync.WaitGroup
	both.Go(func() { copyHalf(upstream, downstream) })
	both.Go(func() { copyHalf(downstream, upstream) })
	both.Wait()
}

// copyHalf copies one way and passes the end on. An error ends both ways, as
// the end of a connection does.
func copyHalf(to, from net.Conn) {
	if _, err := io.Copy(to, from); err != nil {
		to.Close()
		from.Close()
		return
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // It fails only if the other way has ended already.
	}
}
