package sidecar

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
)

// Connections of HTTP/2 to hosts. net/http carries the frames; which connection takes a
// request, and when another is made, is the pool's to say.

// mostStreams is how many requests at a time a proxy takes on one connection: none is
// turned away that comes in a load.
const mostStreams = 1 << 20

// unencryptedHTTP2 is HTTP/2 that begins without an upgrade. Of TLS the proxy takes care.
func unencryptedHTTP2() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

// bothHTTP are what a listener takes: the client's first bytes tell which it is.
func bothHTTP() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(true)
	return p
}

// connectMultiplexed makes a connection that carries several requests at a time.
func (p *pool) connectMultiplexed() (socket net.Conn, c *http.ClientConn, err error) {
	var failed error
	t := &http.Transport{
		Protocols:          unencryptedHTTP2(),
		DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			socket, failed = p.cluster.connect(ctx, p.host)
			return socket, failed
		},
	}
	c, err = t.NewClientConn(p.cluster.ctx, "http", p.host.Address)
	switch {
	case failed != nil:
		return nil, nil, failed
	case err != nil:
		return nil, nil, fmt.Errorf("beginning HTTP/2 with %s: %w", p.host.Address, err)
	}
	return socket, c, nil
}

// capacity is how many requests a connection that is being made will take at a time.
func (p *pool) capacity() int {
	switch limit := p.cluster.config.Policy.MaxRequestsPerConnection; {
	case !p.cluster.config.HTTP2:
		return 1
	case limit > 0:
		return int(min(limit, math.MaxInt32))
	default:
		return math.MaxInt32
	}
}

// usable is the ready connection that takes the next request; nil: none does.
func (p *pool) usable() *upstreamConn {
	for len(p.ready) > 0 {
		c := p.ready[len(p.ready)-1]
		if c.multiplexed == nil || c.multiplexed.Reserve() == nil {
			return c
		}
		p.fill(c)
	}
	return nil
}

// fill takes a connection out of the ready ones whose other end takes no more: for now,
// or because it goes away.
func (p *pool) fill(c *upstreamConn) {
	c.full = true
	p.occupy(c)
	p.end(c)
}

// end closes a connection that is in no list any more, carries nothing and will not.
func (p *pool) end(c *upstreamConn) {
	switch {
	case c.closed || c.carrying > 0:
	case c.multiplexed.Err() != nil:
		p.busy--
		p.remove(c, p.cluster.stats.cxDestroyRemote)
	case c.draining || p.draining || c.generation != p.generation || c.multiplexed.Available() == 0:
		p.busy--
		p.remove(c, p.cluster.stats.cxDestroyLocal)
	}
}

// detachStream ends a request on a connection of HTTP/2.
func (p *pool) detachStream(c *upstreamConn) {
	p.leave(c)
	if c.draining || c.full {
		p.end(c)
	} else if p.draining || c.generation != p.generation {
		p.retire(c)
	}
	p.onUpstreamReady()
}

// changed is called when a connection of HTTP/2 may take more requests than before, or none
// any more.
func (p *pool) changed(c *upstreamConn) {
	p.worker.Lock()
	defer p.worker.Unlock()
	switch {
	case c.closed:
	case c.multiplexed.Err() != nil:
		if !c.full && !c.draining {
			p.fill(c)
		} else {
			p.end(c)
		}
		p.tryCreateNewConnections()
	case c.full && !c.draining && c.multiplexed.Available() > 0:
		c.full = false
		p.busy--
		p.ready = append(p.ready, c)
		p.onUpstreamReady()
	}
}

// begin makes the exchange one that can be reset by itself.
func (x *exchange) begin() {
	ctx, reset := context.WithCancel(context.Background())
	x.request, x.reset = x.request.WithContext(ctx), reset
}

// stream sends a request on a connection of HTTP/2 and has its answer read.
func (c *upstreamConn) stream(x *exchange) {
	c.pool.cluster.routines.Go(func() {
		response, err := c.multiplexed.RoundTrip(x.request) //nolint:bodyclose // Its receiver reads it; the stream is reset instead.
		x.head <- head{response, err}
	})
}

// multiplexedRequest is a request as net/http sends it over HTTP/2.
func multiplexedRequest(r *http.Request) *http.Request {
	r.URL = &url.URL{
		Scheme: "http", Host: cmp.Or(r.Host, "unknown"), // net/http wants one; what it sends is r.Host.
		Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery, ForceQuery: r.URL.ForceQuery,
	}
	r.TransferEncoding = nil
	return r
}

// whole says whether the answer is its head alone.
func (a arrival) whole() bool {
	return a.response.Body == http.NoBody || a.exchange.conn.multiplexed != nil && a.response.ContentLength == 0
}

// streamError is the reset of a stream, as net/http shows it to those who do not import
// its kind.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

// Error implements error.
func (e streamError) Error() string {
	return fmt.Sprintf("stream %d was reset by code %d", e.StreamID, e.Code)
}

// refusedStream is the code by which a server says that it has not begun on a request.
const refusedStream = 7

// resetReason is why an attempt over HTTP/2 got no answer, or no whole one, in Envoy's words.
func resetReason(err error) error {
	var reset streamError
	switch {
	case !errors.As(err, &reset):
		return errTermination
	case reset.Code == refusedStream:
		return errRefusedStream
	default:
		return errRemoteReset
	}
}
