package loadgen

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// connection sends the requests of one of a plan's connections, one at a time.
// Of its methods only cut may be called beside another.
type connection interface {
	// open does what comes before the first request.
	open(ctx context.Context) error

	// send carries out one request, which was begun at the given time. Hidden is
	// how many requests more were sent by a client that repeats them: they have
	// no answer.
	send(ctx context.Context, begun time.Time) (rep reply, hidden int64)

	// requestID is the id that went with the last request, and the ip:port that it
	// went from; nil: none of ours did.
	requestID() (id *requestID, from string)

	// cut makes open and send return soon. Their context has ended.
	cut()

	// dialed is how many TCP connections were opened, or tried to be.
	dialed() int64

	close()
}

// lingering is a connection that is not free for the next request as soon as the last was
// answered: a WebSocket is closed by both sides first.
type lingering interface {
	// answeredAt is when the last request was; the zero time: when send returned.
	answeredAt() time.Time
}

// newConnection takes how what it sends is encrypted, nil: it is not; and the user whose
// requests those are, or the method that it calls, nil where it sends one and the same, as a
// client of fortio and one of TCP do.
func newConnection(plan *Plan, how *encrypted, u *user, method *grpcMethod, m *matcher) (connection, error) {
	target, err := plan.target()
	if err != nil {
		return nil, err
	}
	switch {
	case plan.GRPC != nil:
		return newGRPCConn(plan, target, how, method, m), nil
	case plan.Engine == EngineFortio && plan.HTTP != nil:
		return newFortioHTTP(plan, target, m)
	case plan.Engine == EngineFortio:
		return newFortioTCP(plan, target), nil
	case u == nil:
		return newTCPConn(plan, target, m), nil
	case plan.first().IsWebSocket():
		return newWSConn(plan, target, how, u, m)
	case plan.first().HTTP2:
		return newHTTP2Conn(plan, target, how, u, m)
	default:
		return newHTTPConn(plan, target, how, u, m)
	}
}

// blocking has a goroutine for each connection, which waits for its answers.
type blocking struct {
	conns  []connection // as many as there may come to be
	users  []*user      // of each of them; nil: it has none
	used   int          // of them, the first
	plan   *Plan
	script *script  // nil: there are no users
	think  thinking // between two requests of a connection
	login  bool     // opening a connection is a login
	begun  *tally

	encrypted *encrypted // nil: they are not
}

func newBlocking(plan *Plan, seed int64, m *matcher, begun *tally) (*blocking, error) {
	d := &blocking{used: plan.Connections, plan: plan, think: plan.thinking(seed), begun: begun}
	config, err := plan.encryption()
	if err != nil {
		return nil, err
	}
	if config != nil {
		d.encrypted = &encrypted{config: config}
	}
	if first := plan.first(); first != nil && plan.Engine != EngineFortio {
		if d.script, err = newScript(plan, seed); err != nil {
			return nil, err
		}
		d.login = first.Login != nil
	}
	var method *grpcMethod
	if plan.GRPC != nil {
		method = &grpcMethod{plan: plan.GRPC}
	}
	for range plan.mostConnections() {
		var u *user
		if d.script != nil {
			u = newUser(d.script.own())
		}
		conn, err := newConnection(plan, d.encrypted, u, method, m)
		if err != nil {
			return nil, err
		}
		if s, has := conn.(interface{ tell(*firstWords) }); has {
			s.tell(&begun.other)
		}
		d.conns, d.users = append(d.conns, conn), append(d.users, u)
	}
	return d, nil
}

// open implements driver.
func (d *blocking) open(ctx context.Context) error {
	opening, openCtx := errgroup.WithContext(ctx)
	var first error
	var once sync.Once
	for _, conn := range d.conns[:d.used] {
		opening.Go(func() error {
			if openCtx.Err() != nil {
				return nil
			}
			if d.login {
				d.begun.logins.Add(1)
			}
			defer context.AfterFunc(openCtx, conn.cut)()
			err := conn.open(openCtx)
			// After the first failure the others are cut, which is none of theirs.
			if err != nil && ctx.Err() == nil {
				once.Do(func() { first = err })
			}
			return err
		})
	}
	_ = opening.Wait()
	return first
}

// drive implements driver.
func (d *blocking) drive(ctx context.Context, p *pacer, record func(*ended)) {
	g := &growth{busy: make(chan struct{}, 1), over: make(chan struct{})}
	if d.script != nil {
		d.script.restart(p)
	}
	var driving sync.WaitGroup
	drive := func(i int, part *pacer) {
		driving.Go(func() {
			defer g.left()
			d.driveOne(ctx, i, part, g, record)
		})
	}
	for i := range d.used {
		if part := p.part(int64(i), int64(d.used)); part != nil {
			g.came()
			drive(i, part)
		}
	}
	for more := d.used < len(d.conns) && p.open(); more; more = d.used < len(d.conns) {
		if !g.lacks(ctx, p) {
			break
		}
		drive(d.used, p)
		d.used++
	}
	driving.Wait()
}

// growth tells when a connection is lacking.
type growth struct {
	free atomic.Int64  // connections that wait for a turn
	busy chan struct{} // the last of them had one

	mu      sync.Mutex
	running int
	over    chan struct{} // closed: none is there any more
}

func (g *growth) came() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running++
}

func (g *growth) left() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running--; g.running == 0 {
		close(g.over)
	}
}

// waits notes that a connection waits for a turn, and begins that it has one.
func (g *growth) waits() { g.free.Add(1) }

func (g *growth) begins() {
	if g.free.Add(-1) == 0 {
		select {
		case g.busy <- struct{}{}:
		default:
		}
	}
}

// lacks waits until a request is due and all connections wait for answers, and counts one
// more then. It returns false once the load has ended, or begins nothing any more.
func (g *growth) lacks(ctx context.Context, p *pacer) bool {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-g.busy:
		case <-g.over:
			return false
		}
		for g.free.Load() == 0 {
			at, ok := p.due()
			if !ok || p.ended(ctx) {
				return false
			}
			if left := time.Until(at); left > 0 {
				p.wait(ctx, timer, left)
				continue
			}
			g.mu.Lock()
			lacking := g.running > 0
			if lacking {
				g.running++
			}
			g.mu.Unlock()
			return lacking
		}
	}
}

// driveOne sends requests on the i-th connection until the pacer has no more.
func (d *blocking) driveOne(ctx context.Context, i int, p *pacer, g *growth, record func(*ended)) {
	conn, u := d.conns[i], d.users[i]
	defer context.AfterFunc(ctx, conn.cut)()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	if u != nil {
		u.restart()
	}
	free, behind := p.start, time.Duration(0)
	for first := true; ; first = false {
		g.waits()
		t, ok := p.next(ctx, timer, free)
		g.begins()
		if !ok {
			return
		}
		begun := t.at
		if p.open() {
			begun = time.Now()
		}
		dialed := conn.dialed()
		d.begun.requests.Add(1)
		if u != nil {
			u.begin(t.n)
		}
		rep, hidden := conn.send(ctx, begun)
		freed := time.Now()
		e := ended{reply: rep, free: free, behind: behind, intended: t.at, begun: begun, at: freed, opened: conn.dialed() - dialed}
		if l, is := conn.(lingering); is && !l.answeredAt().IsZero() {
			e.at = l.answeredAt()
		}
		if first && (e.opened == 0 || hidden > 0) { // it was open before
			e.opened++
		}
		e.id, e.from = conn.requestID()
		record(&e)
		e.reply, e.id, e.opened = reply{err: ErrorOther}, nil, 0
		for range hidden {
			record(&e)
		}
		free, behind = freed, e.lag()
		p.skip(hidden)
		d.begun.requests.Add(hidden)
		p.rest(ctx, timer, d.think.after(t.n))
	}
}

// dialed implements driver.
func (d *blocking) dialed() (n int64) {
	for _, conn := range d.conns {
		n += conn.dialed()
	}
	return n
}

// grown implements driver.
func (d *blocking) grown() int { return d.used - d.plan.Connections }

// refusal implements driver.
func (d *blocking) refusal() *Refusal { return d.encrypted.refusal() }

// close implements driver.
func (d *blocking) close() {
	for _, conn := range d.conns {
		conn.close()
	}
}
