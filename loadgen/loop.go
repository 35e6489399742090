package loadgen

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/meshchaos/meshchaos/internal/epoll"
)

// bufferSize is as much as is read at once, in bytes: what Linux keeps for a connection until
// it is read, by default (net.ipv4.tcp_rmem). All connections of a loop share the buffer.
const bufferSize = 128 << 10

// loop drives some of a plan's connections by one goroutine.
type loop struct {
	*request
	script *script       // of its own, since ids are written into its requests
	wire   []byte        // of a request of which something varies
	conns  []loopConn    // as many as there may come to be
	active int           // of them, the first
	poller *epoll.Poller // nil: it was not opened
	buffer []byte
	spare  *spare // nil: no connection is ever added

	dialing sync.WaitGroup
	mu      sync.Mutex
	opened  []opened // guarded by mu: connections that were dialed for, or could not be

	// Of the load under way:
	ctx     context.Context
	pacer   *pacer // of an open loop, or of a closed one as far as its end goes
	record  func(*ended)
	free    list      // that wait for a turn, the longest first
	resting resting   // that think
	flying  list      // that wait for an answer, in the order of their begin
	turn    turn      // of an open loop, the next
	held    bool      // there is such
	spent   bool      // there is none any more
	now     time.Time // when something was last known to have happened
	last    ended     // that was recorded: it would else be allocated for each
}

// opened is what became of dialing for a connection.
type opened struct {
	conn   *loopConn
	dial   int64 // which of the connection's
	socket epoll.Socket
	local  string // ip:port
	err    error
}

func newLoop(r *request, connections, most int) *loop {
	l := &loop{request: r, script: r.script.own(), conns: make([]loopConn, most), active: connections}
	for i := range l.conns {
		l.conns[i] = loopConn{loop: l, at: uint32(i), socket: epoll.None, user: newUser(l.script)}
	}
	return l
}

func (l *loop) open() (err error) {
	l.buffer = make([]byte, bufferSize)
	l.poller, err = epoll.New()
	return err
}

func (l *loop) close() {
	for i := range l.conns {
		l.conns[i].close()
	}
	if l.poller != nil {
		_ = l.poller.Close()
	}
}

// drive sends the requests of a pacer, or of the parts that connections have of it, until
// none is left to begin and none under way.
func (l *loop) drive(ctx context.Context, p *pacer, parts []*pacer, record func(*ended)) {
	l.ctx, l.pacer, l.record, l.free, l.resting, l.held, l.spent = ctx, p, record, list{}, l.resting[:0], false, false
	for i := range l.conns { // also those that are yet to come
		l.conns[i].user.restart()
	}
	for i := range l.active {
		if c := &l.conns[i]; parts[i] != nil {
			c.part, c.used, c.since, c.behind = parts[i], false, p.start, 0
			l.free.add(c)
		}
	}
	for {
		l.now = time.Now()
		l.expire()
		l.wake()
		l.begin()
		if ctx.Err() != nil {
			l.cancel()
		}
		if l.flying.empty() && l.ended() {
			break
		}
		l.look()
	}
	l.dialing.Wait() // for requests that were given up
	l.welcome()
	l.giveBack()
}

// ended says whether no request is to begin any more.
func (l *loop) ended() bool {
	return l.spent || l.free.empty() && len(l.resting) == 0 || l.pacer.ended(l.ctx)
}

// look waits for something to happen, and sees to it.
func (l *loop) look() {
	events := l.poller.Wait(l.until())
	for i := range events {
		e := &events[i]
		c := &l.conns[uint32(e.Key())]
		if c.socket == epoll.None || c.key() != e.Key() { // of one that is closed
			continue
		}
		c.happened(e)
		l.begin()
	}
	l.welcome()
}

// until is when something is to be done, unless something happens; zero: nobody knows.
func (l *loop) until() (at time.Time) {
	if first := l.flying.first; first != nil {
		at = first.begun.Add(l.plan.timeout())
	}
	if len(l.resting) > 0 && (at.IsZero() || l.resting[0].until.Before(at)) {
		at = l.resting[0].until
	}
	if l.held && !l.free.empty() && (at.IsZero() || l.turn.at.Before(at)) {
		at = l.turn.at
	}
	if l.lacks() && !l.pacer.ended(l.ctx) {
		if due, ok := l.pacer.due(); ok && (at.IsZero() || due.Before(at)) {
			at = due
		}
	}
	return at
}

// begin begins what is due on connections that are free.
func (l *loop) begin() {
	if l.pacer.open() {
		l.beginDue()
		for l.lacks() && l.grow() {
			l.beginDue()
		}
		return
	}
	for c := l.free.first; c != nil; c = l.free.first {
		l.free.remove(c)
		if t, ok := c.part.claim(c.since); ok && c.part.mayBegin(l.ctx, t, l.now) {
			c.begin(t.n, l.now, l.now)
		}
	}
}

// beginDue begins the requests of an open loop whose time has come.
func (l *loop) beginDue() {
	for !l.spent && !l.free.empty() && l.claim() && !l.turn.at.After(l.now) {
		l.now = time.Now()
		if !l.pacer.mayBegin(l.ctx, l.turn, l.now) {
			l.spent = true
			return
		}
		l.held = false
		c := l.free.first
		l.free.remove(c)
		l.spare.taken(l)
		c.begin(l.turn.n, l.turn.at, l.now)
	}
}

// claim has the next turn held, if there is one, for the connection that is free longest.
func (l *loop) claim() bool {
	if !l.held {
		l.turn, l.held = l.pacer.claim(l.free.first.since)
		l.spent = l.spent || !l.held
	}
	return l.held
}

// giveBack notes, as a load has ended, the turns that connections were free for in time.
func (l *loop) giveBack() {
	for c := l.free.first; c != nil && l.pacer.open() && l.claim(); c = c.after {
		if l.held = false; l.turn.at.After(c.since) {
			l.pacer.giveBack(l.turn)
		}
	}
}

// expire gives up requests that have no answer in time.
func (l *loop) expire() {
	for c := l.flying.first; c != nil && l.now.Sub(c.begun) >= l.plan.timeout(); c = l.flying.first {
		c.fail(ErrorTimeout)
	}
}

// cancel gives up all requests.
func (l *loop) cancel() {
	for c := l.flying.first; c != nil; c = l.flying.first {
		c.fail(ErrorCanceled)
	}
}

// dial opens a connection for c.
func (l *loop) dial(c *loopConn) {
	ctx, cancel := context.WithDeadline(l.ctx, c.begun.Add(l.plan.timeout()))
	o := opened{conn: c, dial: c.dials}
	l.dialing.Go(func() {
		defer cancel()
		o.socket, o.local, o.err = dial(ctx, l.target)
		l.mu.Lock()
		l.opened = append(l.opened, o)
		l.mu.Unlock()
		l.poller.Ring()
	})
}

// dial opens a connection as Go does, with its resolver and its choice of addresses.
func dial(ctx context.Context, target string) (s epoll.Socket, local string, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", target)
	if err != nil {
		return epoll.None, "", err
	}
	local = conn.LocalAddr().String()
	s, err = epoll.Take(conn.(*net.TCPConn))
	return s, local, err
}

// welcome hands the connections that were opened to those that asked for them.
func (l *loop) welcome() {
	l.mu.Lock()
	all := l.opened
	l.opened = nil
	l.mu.Unlock()
	for _, o := range all {
		o.conn.take(o)
	}
}

// list has connections in an order.
type list struct{ first, last *loopConn }

func (q *list) empty() bool { return q.first == nil }

func (q *list) add(c *loopConn) {
	c.before, c.after = q.last, nil
	if q.last == nil {
		q.first = c
	} else {
		q.last.after = c
	}
	q.last = c
}

func (q *list) remove(c *loopConn) {
	if c.before == nil {
		q.first = c.after
	} else {
		c.before.after = c.after
	}
	if c.after == nil {
		q.last = c.before
	} else {
		c.after.before = c.before
	}
	c.before, c.after = nil, nil
}
