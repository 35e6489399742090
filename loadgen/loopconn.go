package loadgen

import (
	"container/heap"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/internal/epoll"
	"github.com/meshchaos/meshchaos/internal/http1"
)

// stage is what a connection of a loop waits for.
type stage uint8

const (
	idle stage = iota
	dialing
	awaiting // an answer
)

// loopConn is a connection of a loop.
type loopConn struct {
	loop   *loop
	at     uint32       // in the loop's list
	socket epoll.Socket // epoll.None: none is open
	ends   bool         // the server has ended it, or nothing can be written to it any more
	local  string       // ip:port
	dials  int64

	before, after *loopConn // in a list

	user  *user
	part  *pacer    // whose requests it sends
	until time.Time // when it has thought
	used  bool      // a request of this load has gone over it
	since time.Time // when it became free

	behind time.Duration // the lag of the request before

	// Of the request:
	stage           stage
	n               int64 // its number in the load
	intended, begun time.Time
	dialed          int64 // dials before it
	id              requestID
	sentID          bool
	unsent          []byte

	answer http1.Reader
	search search
}

// key tells the events of a connection from those of one that it had before.
func (c *loopConn) key() uint64 { return uint64(c.at) | uint64(uint32(c.dials))<<32 }

// begin begins a request. Where the connection was free meanwhile it is asked whether it
// is still open; one whose answer has just been read says so itself.
func (c *loopConn) begin(n int64, intended, now time.Time) {
	l := c.loop
	c.user.begin(n)
	c.n, c.intended, c.begun, c.dialed, c.sentID = n, intended, now, c.dials, false
	l.begun.requests.Add(1)
	l.flying.add(c)
	if c.socket != epoll.None && now.After(c.since) && !c.silent() {
		c.close()
	}
	if c.socket != epoll.None {
		c.send()
		return
	}
	c.dials++
	c.stage = dialing
	l.dial(c)
}

// silent says whether nothing has arrived, not even the end of the connection. Whoever
// finds otherwise gives it up.
func (c *loopConn) silent() bool {
	_, err := c.socket.Read(c.loop.buffer[:1])
	return errors.Is(err, epoll.ErrNothing)
}

// take goes on with a connection that was opened, unless its request has been given up.
func (c *loopConn) take(o opened) {
	if c.stage != dialing || c.dials != o.dial {
		if o.err == nil {
			_ = o.socket.Close()
		}
		return
	}
	if o.err == nil {
		c.socket, c.local = o.socket, o.local
		o.err = c.loop.poller.Add(c.socket, c.key())
	}
	if o.err != nil {
		c.loop.now = time.Now()
		c.failAs(errorName(c.loop.ctx, o.err), o.err)
		return
	}
	c.send()
}

// send sends the request on the open connection.
func (c *loopConn) send() {
	l := c.loop
	sends := c.user.now
	wire, idAt := c.user.wire(&l.wire)
	if idAt >= 0 {
		c.id, c.sentID = newRequestID(), true
		copy(wire[idAt:], c.id[:])
	}
	c.stage = awaiting
	c.search.begin(sends.take)
	c.answer.Begin(sends.isHead)
	n, err := c.socket.Write(wire)
	if c.unsent = wire[n:]; sends.parts != nil || n < idAt+len(c.id) {
		c.unsent = slices.Clone(c.unsent) // the next request has another id, or is another
	}
	c.wrote(err)
}

// goOn writes more of the request.
func (c *loopConn) goOn() {
	n, err := c.socket.Write(c.unsent)
	c.unsent = c.unsent[n:]
	c.wrote(err)
}

// wrote is what came of writing. A failure shows in what is read, if it matters: a server
// may answer without having read the whole request.
func (c *loopConn) wrote(err error) {
	if err != nil && !errors.Is(err, epoll.ErrNothing) {
		c.ends = true
		c.receive()
	}
}

// happened sees to what happened to the socket.
func (c *loopConn) happened(e *epoll.Event) {
	if len(c.unsent) > 0 && e.Writable() {
		c.goOn()
	}
	if c.socket != epoll.None && e.Readable() {
		c.ends = c.ends || e.Ended()
		c.receive()
	}
}

// receive reads what came, and as far as the end of the connection if it has one.
func (c *loopConn) receive() {
	for buffer := c.loop.buffer; ; {
		n, err := c.socket.Read(buffer)
		if errors.Is(err, epoll.ErrNothing) {
			return
		}
		c.loop.now = time.Now()
		switch {
		case c.stage == idle: // an end, or what nobody has asked for
			c.close()
			return
		case err != nil:
			c.failed(err)
			return
		}
		rest, err := c.read(buffer[:n])
		switch {
		case err != nil:
			c.failAs(ErrorOther, err)
			return
		case c.answer.Done():
			c.answered(len(rest) > 0 || n == len(buffer) && !c.silent())
			return
		case n < len(buffer) && !c.ends:
			return
		}
	}
}

// read reads from data until the answer is whole, and returns what is left of it then.
func (c *loopConn) read(data []byte) (rest []byte, err error) {
	for len(data) > 0 && !c.answer.Done() {
		part, n, err := c.answer.Read(data)
		if err != nil {
			return nil, err
		}
		data = data[n:]
		if err := c.search.read(c.loop.match, part, c.answer.Done()); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// failed is that nothing more can be read. An answer may go as far as the end of its
// connection.
func (c *loopConn) failed(err error) {
	if errors.Is(err, io.EOF) {
		if err = c.answer.End(); err == nil {
			c.answered(true)
			return
		}
	}
	c.failAs(errorName(c.loop.ctx, err), err)
}

// answered records an answer. If more came than that, the connection is no good.
func (c *loopConn) answered(more bool) {
	if c.answer.Last() || c.user.now.asked.Close || more || c.ends || len(c.unsent) > 0 {
		c.close()
	}
	checks, version := c.search.found(c.loop.match)
	rep := reply{status: c.answer.Status(), checks: checks, version: version}
	c.finish(c.user.ended(rep, c.search.value, c.search.taken))
}

// failAs records that a request had no answer, for an error of that name.
func (c *loopConn) failAs(name string, err error) {
	if name == ErrorOther {
		c.loop.begun.other.note(err)
	}
	c.fail(name)
}

// fail records that a request had no answer.
func (c *loopConn) fail(name string) {
	c.close()
	c.finish(c.user.ended(reply{err: name}, "", false))
}

// finish records a request.
func (c *loopConn) finish(rep reply) {
	l := c.loop
	l.flying.remove(c)
	e := &l.last
	*e = ended{reply: rep, free: c.since, behind: c.behind, intended: c.intended, begun: c.begun, at: l.now, opened: c.dials - c.dialed}
	if !c.used && e.opened == 0 { // it was open before
		e.opened++
	}
	if c.sentID {
		e.id, e.from = &c.id, c.local
	}
	l.record(e)
	c.used, c.stage, c.since, c.behind = true, idle, l.now, e.lag()
	if think := l.think.after(c.n); think > 0 && !c.part.exhausted(c.part.claimed.Load()) {
		c.until = l.now.Add(c.part.within(l.now, think))
		heap.Push(&l.resting, c)
		return
	}
	l.free.add(c)
	l.spare.freed()
}

// close closes the connection, if one is open.
func (c *loopConn) close() {
	if c.socket != epoll.None {
		_ = c.socket.Close()
		c.socket = epoll.None
	}
	c.unsent, c.ends = nil, false
}
