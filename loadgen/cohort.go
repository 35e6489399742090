package loadgen

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
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

func newConnection(plan *Plan, m *matcher) (connection, error) {
	target, err := plan.target()
	if err != nil {
		return nil, err
	}
	switch {
	case plan.Engine == EngineFortio && plan.HTTP != nil:
		return newFortioHTTP(plan, target, m)
	case plan.Engine == EngineFortio:
		return newFortioTCP(plan, target), nil
	case plan.HTTP != nil:
		return newHTTPConn(plan, target, m)
	default:
		return newTCPConn(plan, target, m), nil
	}
}

// cohort is a plan that is being carried out.
type cohort struct {
	name    string
	plan    Plan
	match   *matcher
	conns   []connection
	load    *pacer
	rec     recorder
	warmed  atomic.Int64
	begun   atomic.Int64 // those of the warm-up, too
	logins  atomic.Int64
	failure string // written by one goroutine, while the cohort is prepared

	halt   sync.Once
	halted chan struct{} // closed: nothing more is to begin
	done   chan struct{} // closed: the load has ended

	haltedAt time.Time // to be read once halted is closed
	endedAt  time.Time // to be read once done is closed
}

// newCohort takes a plan that is valid.
func newCohort(name string, plan Plan) (*cohort, error) {
	c := &cohort{name: name, plan: plan, halted: make(chan struct{}), done: make(chan struct{})}
	c.load = &pacer{
		schedule: schedule{qps: plan.QPS, requests: plan.Requests, duration: plan.Duration.Duration},
		halted:   c.halted,
	}
	var err error
	if c.match, err = newMatcher(&plan); err != nil {
		return nil, err
	}
	for range plan.Connections {
		conn, err := newConnection(&c.plan, c.match)
		if err != nil {
			return nil, err
		}
		c.conns = append(c.conns, conn)
	}
	return c, nil
}

// stop lets requests in flight finish and none begin.
func (c *cohort) stop() {
	c.halt.Do(func() {
		c.haltedAt = time.Now()
		close(c.halted)
	})
}

// open opens one connection.
func (c *cohort) open(ctx context.Context, conn connection) error {
	select {
	case <-c.halted:
		return nil
	default:
	}
	if c.plan.HTTP != nil && c.plan.HTTP.Login != nil {
		c.logins.Add(1)
	}
	defer context.AfterFunc(ctx, conn.cut)()
	return conn.open(ctx)
}

// warm sends one connection's part of the warm-up.
func (c *cohort) warm(ctx context.Context, conn connection, p *pacer) {
	c.drive(ctx, conn, p, func(e ended) {
		if e.err != ErrorCanceled {
			c.warmed.Add(1)
		}
	})
}

// run carries out the load and returns when it has ended.
func (c *cohort) run(ctx context.Context) {
	defer close(c.done)
	c.rec.slots.start = c.load.start
	var wg sync.WaitGroup
	for i, conn := range c.conns {
		if p := c.load.part(int64(i), int64(len(c.conns))); p != nil {
			wg.Go(func() { c.drive(ctx, conn, p, c.rec.record) })
		}
	}
	wg.Wait()
	c.endedAt = time.Now()
}

// drive sends requests on one connection until the pacer has no more.
func (c *cohort) drive(ctx context.Context, conn connection, p *pacer, record func(ended)) {
	defer context.AfterFunc(ctx, conn.cut)()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for first := true; ; first = false {
		intended, ok := p.next(ctx, timer)
		if !ok {
			return
		}
		begun := intended
		if p.open() {
			begun = time.Now()
		}
		dialed := conn.dialed()
		c.begun.Add(1)
		rep, hidden := conn.send(ctx, begun)
		e := ended{reply: rep, intended: intended, begun: begun, at: time.Now(), opened: conn.dialed() - dialed}
		if first && (e.opened == 0 || hidden > 0) { // it was open before
			e.opened++
		}
		e.id, e.from = conn.requestID()
		record(e)
		e.reply, e.id, e.opened = reply{err: ErrorOther}, nil, 0
		for range hidden {
			record(e)
		}
		p.skip(hidden)
		c.begun.Add(hidden)
	}
}

// progress is for an observer, from the start of the load on.
func (c *cohort) progress() Progress {
	p := Progress{Cohort: c.name, Planned: c.plan.Requests, Duration: c.plan.Duration, QPS: c.plan.QPS, Elapsed: Duration{Duration: c.elapsed()}, Ended: c.hasEnded()}
	c.rec.glance(&p, time.Now())
	slices.SortFunc(p.Ways, func(a, b Way) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Error, b.Error))
	})
	return p
}

func (c *cohort) hasEnded() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (c *cohort) elapsed() time.Duration {
	select {
	case <-c.done:
		return c.endedAt.Sub(c.load.start)
	default:
		return time.Since(c.load.start)
	}
}

// missed is how many requests were never begun because no connection was free,
// though they would have been late already as the load ended.
func (c *cohort) missed(sent int64) int64 {
	elapsed := c.endedAt.Sub(c.load.start)
	if c.plan.Duration.Duration > 0 {
		elapsed = min(elapsed, c.plan.Duration.Duration)
	}
	select {
	case <-c.halted:
		elapsed = min(elapsed, c.haltedAt.Sub(c.load.start))
	default:
	}
	elapsed -= lateAfter
	return max(0, c.load.owed(elapsed)-c.load.waited(elapsed)-sent)
}

// soFar is what a cohort has seen that is under way, as far as that tells of its
// answers.
func (c *cohort) soFar() *Result {
	r := &Result{
		Started: c.load.start, Planned: c.plan.Requests, Connections: c.plan.Connections, TargetQPS: c.plan.QPS,
		Elapsed: Duration{Duration: c.elapsed()},
	}
	c.rec.fill(r, c.match)
	return r
}

// close closes the connections; nothing may be in flight.
func (c *cohort) close() {
	for _, conn := range c.conns {
		conn.close()
	}
}

// result is what the cohort saw. It is complete once the cohort is closed.
func (c *cohort) result() *Result {
	r := &Result{
		Started:     c.load.start,
		Planned:     c.plan.Requests,
		Setup:       c.logins.Load(),
		Warmup:      c.warmed.Load(),
		Connections: c.plan.Connections,
		TargetQPS:   c.plan.QPS,
		Failure:     c.failure,
	}
	for _, conn := range c.conns {
		r.Dialed += conn.dialed()
	}
	c.rec.fill(r, c.match)
	r.Series = c.rec.series()
	if !c.load.start.IsZero() {
		r.Elapsed = Duration{Duration: c.elapsed()}
		r.Missed = c.missed(r.Sent)
	}
	return r
}
