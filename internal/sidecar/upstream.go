package sidecar

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
)

// upstreamConn is a connection of a pool: Envoy's ActiveClient. Its goroutine
// reads answers and notices when the other side closes; its fields are guarded
// by the worker's lock.
type upstreamConn struct {
	socket net.Conn
	pool   *pool
	reader *bufio.Reader // read by the goroutine for the head of an answer, by its receiver for the body

	writing sync.Mutex // held while a request is written

	multiplexed *http.ClientConn // of HTTP/2, which carries several requests at a time; nil: HTTP/1
	full        bool             // it takes no more for now, or for ever

	served     uint32 // requests so far, counted only where there is a limit
	carrying   int    // requests
	draining   bool   // closed after the requests that it carries
	generation int    // of the pool's when it was made
	closed     bool
	exchange   *exchange // what it carries; nil: idle, or HTTP/2
}

// exchange is one request on a connection.
type exchange struct {
	conn    *upstreamConn
	request *http.Request
	head    chan head     // holds one
	done    chan struct{} // closed when the connection is free again or closed
	reset   func()        // of HTTP/2: ends the stream, if it has not ended
}

// sent says whether the request is written whole, or its end is on the way: the
// next on the connection comes after it.
func (x *exchange) sent() bool {
	body, ok := x.request.Body.(*bodyReader)
	return !ok || body.ended.Load()
}

// head is the head of an answer, its body still to be read, or why there is none.
type head struct {
	response *http.Response
	err      error
}

func newUpstreamConn(nc net.Conn, p *pool) *upstreamConn {
	return &upstreamConn{socket: nc, pool: p, generation: p.generation, reader: bufio.NewReader(nc)}
}

// readAnswers reads one answer after another until the connection is closed.
func (c *upstreamConn) readAnswers() {
	for {
		_, err := c.reader.Peek(1)
		x := c.current()
		if x == nil {
			return
		}
		if err != nil {
			x.head <- head{err: err}
			return
		}
		response, err := readFinal(c.reader, x.request) //nolint:bodyclose // Its receiver reads it; the connection is closed instead.
		x.head <- head{response, err}
		<-x.done
	}
}

// current is what the connection carries as something has come in or it was
// closed; an idle one is then of no use any more.
func (c *upstreamConn) current() *exchange {
	c.pool.worker.Lock()
	defer c.pool.worker.Unlock()
	if c.exchange == nil && !c.closed {
		c.pool.removeReady(c, c.pool.cluster.stats.cxDestroyRemote)
	}
	return c.exchange
}

// readFinal reads an answer, informational ones skipped.
func readFinal(r *bufio.Reader, req *http.Request) (*http.Response, error) {
	for {
		response, err := http.ReadResponse(r, req)
		if err != nil || response.StatusCode >= 200 || response.StatusCode == http.StatusSwitchingProtocols {
			return response, err
		}
	}
}

// send writes the request that the connection carries: in the background if its
// body, or what the connection still writes of the request before, has to be
// waited for. If it is not written whole the answer, or the error in its place,
// still comes from the reading side: an upstream may answer before it has read
// all.
func (c *upstreamConn) send(x *exchange) {
	if c.multiplexed != nil {
		c.stream(x)
		return
	}
	if (x.request.Body == nil || x.request.Body == http.NoBody) && c.writing.TryLock() {
		c.write(x.request)
		return
	}
	c.pool.cluster.routines.Go(func() {
		c.writing.Lock()
		c.write(x.request)
	})
}

// write writes a request. The writing is locked, and is unlocked here.
func (c *upstreamConn) write(r *http.Request) {
	defer c.writing.Unlock()
	w := bufio.NewWriter(c.socket)
	err := r.Write(w)
	if err == nil {
		err = w.Flush()
	}
	if err != nil && !isTermination(err) {
		c.socket.Close() // Nothing would come: the request itself is bad.
	}
}

// release frees the connection of the request. One that is not reusable is closed; of
// HTTP/2 it is the stream alone that ends.
func (x *exchange) release(reusable bool) {
	x.detach(reusable, x.conn.pool.cluster.stats.cxDestroyLocal)
}

// lost gives up a connection that the other side closed.
func (x *exchange) lost() { x.detach(false, x.conn.pool.cluster.stats.cxDestroyRemote) }

func (x *exchange) detach(reusable bool, why *metric) {
	p := x.conn.pool
	p.worker.Lock()
	if x.conn.multiplexed != nil {
		p.detachStream(x.conn)
	} else {
		p.detach(x.conn, reusable, why)
	}
	p.worker.Unlock()
	if x.reset != nil {
		x.reset()
	}
	close(x.done)
}

// abandon makes the reading of the answer fail.
func (x *exchange) abandon() {
	if x.reset != nil {
		x.reset()
		return
	}
	x.conn.socket.Close()
}

// close closes the socket. What its goroutine reads for then fails.
func (c *upstreamConn) close() {
	c.closed = true
	if c.multiplexed != nil {
		c.multiplexed.SetStateHook(nil)
		_ = c.multiplexed.Close() // That it fails says nothing of use: it is closed.
		return
	}
	c.socket.Close()
}

// isTermination says whether reading an answer failed because the connection
// ended, rather than because of what came.
func isTermination(err error) bool {
	var netErr net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &netErr)
}
