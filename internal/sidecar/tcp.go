package sidecar

import (
	"context"
	"errors"
	"io"
	"net"
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
	s.takeTCP(ctx, route.Targets[pick(s.draws, route.Key, route.Targets)].Cluster, downstream).pass(ctx, downstream, peer{})
}

// tcpStream is a connection that is passed on to a host of a cluster.
type tcpStream struct {
	proxy    *Sidecar
	state    *state
	target   string
	entry    accessLogEntry
	pool     *tcpPool // nil: no host was chosen
	upstream net.Conn // nil: there is none
}

// takeTCP gets a connection to a host of a cluster for one that came.
func (s *Sidecar) takeTCP(ctx context.Context, target string, downstream net.Conn) *tcpStream {
	t := &tcpStream{proxy: s, state: s.state.Load(), target: target, entry: accessLogEntry{
		start: time.Now(), flags: "-", downstreamLocal: downstream.LocalAddr(), downstreamRemote: downstream.RemoteAddr().String(),
	}}
	cluster := t.state.clusters[target]
	if cluster != nil {
		t.entry.cluster = target
	}
	failed := t.connect(ctx, cluster)
	if failed != nil {
		t.entry.flags, t.entry.failure = failed.flag, underscored(failed.reason)
	}
	if t.pool != nil {
		t.entry.upstream = t.pool.host.Address
	}
	return t
}

// pass passes all that comes on, and logs the connection when it ends. from is the
// zero peer if the proxy's own workload made it.
func (t *tcpStream) pass(ctx context.Context, downstream net.Conn, from peer) {
	defer downstream.Close()
	var h *host
	if t.pool != nil {
		h = t.pool.host
	}
	t.proxy.countConnection(t.proxy.labels(t.target, h, from), t.entry.flags)
	if t.upstream != nil {
		t.entry.upstreamLocal = t.upstream.LocalAddr()
		var by end
		t.entry.received, t.entry.sent, by = relay(ctx, downstream, t.upstream)
		t.pool.end(by)
	}
	if t.state.config.AccessLog {
		t.entry.serverName, t.entry.duration = from.server, time.Since(t.entry.start)
		t.proxy.lines.add(t.entry)
	}
}

// abandon gives up a connection that nothing was passed on of.
func (t *tcpStream) abandon() {
	if t.upstream != nil {
		t.upstream.Close()
		t.pool.end(byProxy)
	}
}

// unconnectedTCP says why a connection has no upstream: the response flags, and
// the reason of the transport; empty: it was not tried.
type unconnectedTCP struct{ flag, reason string }

// connect connects to a host of a cluster. Where it cannot, it returns the
// reason.
func (t *tcpStream) connect(ctx context.Context, c *cluster) *unconnectedTCP {
	if c == nil {
		return &unconnectedTCP{flag: "NC"}
	}
	pool, failed := c.newTCP(int(t.proxy.draws.below("workers", Workers)))
	if failed != nil {
		return failed
	}
	t.pool = pool
	upstream, err := c.connect(ctx, pool.host)
	if err != nil {
		failure := newConnectError(err)
		pool.failed(failure)
		// Its one attempt is over, which Envoy says as well.
		return &unconnectedTCP{"UF,URX", failure.detail()}
	}
	pool.connected()
	t.upstream = upstream
	return nil
}

// end is who ended a connection to a host.
type end int

const (
	byProxy end = iota
	byHost
)

// relay copies both ways until both sides have ended, or ctx has, and returns
// how many bytes came from each, and who ended the connection to the host.
func relay(ctx context.Context, downstream, upstream net.Conn) (received, sent int64, by end) {
	stop := context.AfterFunc(ctx, func() {
		downstream.Close()
		upstream.Close()
	})
	defer stop()
	defer upstream.Close()
	var both sync.WaitGroup
	both.Go(func() { received, _ = copyHalf(upstream, downstream) })
	both.Go(func() {
		var err error
		sent, err = copyHalf(downstream, upstream)
		by = endOf(err)
	})
	both.Wait()
	return received, sent, by
}

// endOf says who ended a connection by why no more is read of it: its host, unless it
// was closed here, as where what came could not be passed on.
func endOf(err error) end {
	var failed *net.OpError
	if errors.Is(err, net.ErrClosed) || errors.As(err, &failed) && failed.Op == "write" {
		return byProxy
	}
	return byHost
}

// copyHalf copies one way and passes the end on. An error ends both ways, as
// the end of a connection does.
func copyHalf(to, from net.Conn) (int64, error) {
	n, err := io.Copy(to, from)
	if err != nil {
		to.Close()
		from.Close()
		return n, err
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // It fails only if the other way has ended already.
	}
	return n, nil
}
