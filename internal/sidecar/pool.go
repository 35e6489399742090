package sidecar

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
)

// pool holds the connections of one worker to one host. It follows Envoy's
// source/common/conn_pool/conn_pool_base.cc step by step. A connection of HTTP/1
// carries one request at a time, one of HTTP/2 (multiplexed.go) as many as its other
// end lets it.
//
// Its fields are guarded by the worker's lock: a worker does one thing at a
// time.
type pool struct {
	worker  *sync.Mutex
	cluster *cluster
	host    *host

	ready      []*upstreamConn // take another request; the last to become ready is the first to be used
	busy       int             // take no other now, or no other ever
	connecting int
	pending    []*pendingStream // the first to come is the first to be served
	draining   bool
	generation int // of its connections; older ones end with their requests
}

// pendingStream is a request that waits for a connection.
type pendingStream struct {
	request  *http.Request
	attached chan attachment // holds one
}

// attachment is what becomes of a pending stream.
type attachment struct {
	exchange *exchange
	err      error
}

// errOverflow says that a circuit breaker is open.
var errOverflow = errors.New("overflow")

// errPendingOverflow is that of the requests that wait for a connection: it is
// found before any endpoint has the request, so Envoy names none in its log.
var errPendingOverflow = fmt.Errorf("%w of pending requests", errOverflow)

// newStream gets a connection for a request: a ready one, else the request
// queues if a pending slot is free, else it overflows. The error is
// errOverflow, a *connectError, or ctx's.
func (p *pool) newStream(ctx context.Context, r *http.Request) (*exchange, error) {
	p.worker.Lock()
	if conn := p.usable(); conn != nil {
		x, err := p.attach(conn, r)
		p.tryCreateNewConnections()
		p.worker.Unlock()
		return x, err
	}
	if !p.cluster.pending.canCreate() {
		p.cluster.stats.rqPendingOverflow.add(1)
		p.worker.Unlock()
		return nil, errPendingOverflow
	}
	s := &pendingStream{request: r, attached: make(chan attachment, 1)}
	p.addPending(s)
	p.tryCreateNewConnections()
	p.worker.Unlock()
	select {
	case a := <-s.attached:
		return a.exchange, a.err
	case <-ctx.Done():
		return nil, p.cancel(ctx, s)
	}
}

// cancel takes a request out of the queue. The connection that was being made
// for it stays.
func (p *pool) cancel(ctx context.Context, s *pendingStream) error {
	p.worker.Lock()
	if i := slices.Index(p.pending, s); i >= 0 {
		p.removePending(i)
		p.cluster.stats.rqCancelled.add(1)
	}
	p.worker.Unlock()
	select {
	case a := <-s.attached:
		if a.exchange != nil {
			a.exchange.release(false)
		}
	default:
	}
	return ctx.Err()
}

func (p *pool) addPending(s *pendingStream) {
	p.pending = append(p.pending, s)
	p.cluster.pending.inc()
	p.cluster.stats.rqPendingTotal.add(1)
	p.cluster.stats.rqPendingActive.add(1)
}

func (p *pool) removePending(i int) {
	p.pending = slices.Delete(p.pending, i, i+1)
	p.cluster.pending.dec()
	p.cluster.stats.rqPendingActive.add(-1)
}

// attach puts a request on a ready connection.
func (p *pool) attach(c *upstreamConn, r *http.Request) (*exchange, error) {
	if !p.cluster.requests.canCreate() {
		p.cluster.stats.rqActiveOverflow.add(1)
		if c.multiplexed != nil {
			c.multiplexed.Release()
		}
		return nil, errOverflow
	}
	if limit := p.cluster.config.Policy.MaxRequestsPerConnection; limit > 0 {
		c.served++
		if c.served == limit {
			p.cluster.stats.cxMaxRequests.add(1)
			c.draining = true
		}
	}
	x := &exchange{conn: c, request: r, head: make(chan head, 1), done: make(chan struct{})}
	c.carrying++
	if c.multiplexed == nil {
		c.exchange = x
	} else {
		x.begin()
	}
	if c.multiplexed == nil || c.draining {
		p.occupy(c)
	}
	p.cluster.requests.inc()
	p.cluster.stats.rqTotal.add(1)
	p.cluster.stats.rqActive.add(1)
	p.host.rqTotal.Add(1)
	p.host.rqActive.Add(1)
	return x, nil
}

// occupy takes a connection out of those that take another request.
func (p *pool) occupy(c *upstreamConn) {
	p.ready = slices.DeleteFunc(p.ready, func(other *upstreamConn) bool { return other == c })
	p.busy++
}

// detach ends the request on a connection, which then serves the next or, if
// it cannot be used again, is closed; why counts that.
func (p *pool) detach(c *upstreamConn, reusable bool, why *metric) {
	c.exchange = nil
	p.busy--
	p.leave(c)
	if !reusable || c.draining || p.draining || c.generation != p.generation {
		p.remove(c, why)
		return
	}
	p.ready = append(p.ready, c)
	p.onUpstreamReady()
}

// leave counts a request less that a connection carries.
func (p *pool) leave(c *upstreamConn) {
	c.carrying--
	p.cluster.requests.dec()
	p.cluster.stats.rqActive.add(-1)
	p.host.rqActive.Add(-1)
}

// onUpstreamReady serves the queue with ready connections.
func (p *pool) onUpstreamReady() {
	for len(p.pending) > 0 {
		conn := p.usable()
		if conn == nil {
			return
		}
		s := p.pending[0]
		x, err := p.attach(conn, s.request)
		p.removePending(0)
		s.attached <- attachment{x, err}
	}
}

// tryCreateNewConnections makes connections as long as more requests wait than
// connections are coming, three at the most.
func (p *pool) tryCreateNewConnections() {
	for range 3 {
		if !p.tryCreateNewConnection() {
			return
		}
	}
}

// tryCreateNewConnection makes one if more are needed and allowed. A pool that
// has none always gets one, so that nothing waits for ever.
func (p *pool) tryCreateNewConnection() bool {
	if len(p.pending) <= p.capacity()*(p.connecting+len(p.ready)) {
		return false
	}
	allowed := p.cluster.connections.canCreate()
	if !allowed {
		p.cluster.stats.cxOverflow.add(1)
	}
	if allowed || len(p.ready)+p.busy+p.connecting == 0 {
		p.connect()
	}
	return allowed
}

func (p *pool) connect() {
	p.connecting++
	p.cluster.connections.inc()
	p.cluster.stats.cxTotal.add(1)
	if p.cluster.config.HTTP2 {
		p.cluster.stats.cxHTTP2Total.add(1)
	} else {
		p.cluster.stats.cxHTTP1Total.add(1)
	}
	p.cluster.stats.cxActive.add(1)
	p.host.cxTotal.Add(1)
	p.host.cxActive.Add(1)
	p.cluster.routines.Go(p.dial)
}

// dial makes a connection, TLS and all, and reads from it until it is closed.
func (p *pool) dial() {
	nc, multiplexed, err := p.handshake()
	p.worker.Lock()
	p.connecting--
	if err != nil {
		p.connectFailed(err)
		p.worker.Unlock()
		return
	}
	c := newUpstreamConn(nc, p)
	c.multiplexed = multiplexed
	p.ready = append(p.ready, c)
	p.onUpstreamReady()
	if p.draining {
		p.retire(c)
	}
	p.worker.Unlock()
	if multiplexed != nil {
		multiplexed.SetStateHook(func(*http.ClientConn) { go p.changed(c) }) // Who calls it may hold the worker.
		return
	}
	c.readAnswers()
}

// handshake makes a connection; one of HTTP/2 reads from itself.
func (p *pool) handshake() (net.Conn, *http.ClientConn, error) {
	if p.cluster.config.HTTP2 {
		return p.connectMultiplexed()
	}
	nc, err := p.cluster.connect(p.cluster.ctx, p.host)
	return nc, nil, err
}

// retire has a ready connection closed, when it has ended what it carries.
func (p *pool) retire(c *upstreamConn) {
	switch {
	case !slices.Contains(p.ready, c):
	case c.carrying > 0:
		c.draining = true
		p.occupy(c)
	default:
		p.removeReady(c, p.cluster.stats.cxDestroyLocal)
	}
}

// connectFailed fails all requests that wait: they would not fare better on
// the next connection, and whether to retry is the router's to say.
func (p *pool) connectFailed(err error) {
	failure := newConnectError(err)
	p.cluster.stats.cxConnectFail.add(1)
	p.host.cxConnectFail.Add(1)
	if failure.timedOut {
		p.cluster.stats.cxConnectTimeout.add(1)
	}
	p.cluster.stats.cxDestroy.add(1)
	if !failure.timedOut {
		p.cluster.stats.cxDestroyRemote.add(1) // Envoy takes who refuses for one who closes.
	} else {
		p.cluster.stats.cxDestroyLocal.add(1)
	}
	p.forget()
	for len(p.pending) > 0 {
		p.cluster.stats.rqPendingFailure.add(1)
		s := p.pending[0]
		p.removePending(0)
		s.attached <- attachment{err: failure}
	}
}

// remove closes a connection that is in no list any more.
func (p *pool) remove(c *upstreamConn, why *metric) {
	p.cluster.stats.cxDestroy.add(1)
	why.add(1)
	p.forget()
	c.close()
	p.tryCreateNewConnections()
}

func (p *pool) removeReady(c *upstreamConn, why *metric) {
	p.ready = slices.DeleteFunc(p.ready, func(other *upstreamConn) bool { return other == c })
	p.remove(c, why)
}

// forget gives back what a connection counts for.
func (p *pool) forget() {
	p.cluster.connections.dec()
	p.cluster.stats.cxActive.add(-1)
	p.host.cxActive.Add(-1)
}

// drain closes idle connections now and every other after its request.
func (p *pool) drain() {
	p.worker.Lock()
	defer p.worker.Unlock()
	p.draining = true
	for len(p.ready) > 0 {
		p.retire(p.ready[0])
	}
}

// renew closes idle connections now and those in use after their requests.
func (p *pool) renew() {
	p.worker.Lock()
	defer p.worker.Unlock()
	p.generation++
	for len(p.ready) > 0 {
		p.retire(p.ready[0])
	}
}
