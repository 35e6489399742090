package loadgen

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// cohort is a plan that is being carried out.
type cohort struct {
	name    string
	whole   Plan // of all senders
	plan    Plan // the part of it that this one has
	match   *matcher
	driver  driver
	load    *pacer
	rec     recorder
	warmed  atomic.Int64
	begun   tally  // those of the warm-up, too
	seed    int64  // of what is drawn, as Result.Seed has it
	failure string // written by one goroutine, while the cohort is prepared
	aborted bool   // likewise: failure is of a request that ended as Plan.AbortOn

	halt   sync.Once
	halted chan struct{} // closed: nothing more is to begin
	done   chan struct{} // closed: the load has ended

	haltedAt time.Time // to be read once halted is closed
	endedAt  time.Time // to be read once done is closed
}

// newCohort takes a plan that is valid.
func newCohort(name string, plan Plan) (*cohort, error) {
	c := &cohort{name: name, whole: plan, plan: plan.part(), halted: make(chan struct{}), done: make(chan struct{})}
	c.plan.Engine = engineOf(&plan)
	c.seed = plan.draw()
	c.load = &pacer{schedule: plan.schedule(c.seed), halted: c.halted, of: int64(plan.Connections), noCatchUp: plan.NoCatchUp, jitter: plan.Jitter}
	c.rec.open, c.rec.apart = c.load.open(), plan.NotOK
	c.rec.of = make([]times, len(plan.Send))
	var err error
	if c.match, err = newMatcher(&plan); err != nil {
		return nil, err
	}
	if c.driver, err = newDriver(&c.plan, c.seed, c.match, &c.begun); err != nil {
		return nil, err
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

// before is the pacer of so many requests of all senders that come before the load.
func (c *cohort) before(requests int64) *pacer {
	return &pacer{schedule: schedule{requests: requests, one: c.load.one}, start: time.Now(), halted: c.halted, of: c.load.of}
}

// prime sends a request on each connection, and fails the cohort if one is not answered
// as it has to be.
func (c *cohort) prime(ctx context.Context) {
	p := c.before(int64(c.whole.Connections))
	var first sync.Once
	c.driver.drive(ctx, p, func(e *ended) {
		if e.err == ErrorCanceled {
			return
		}
		c.warmed.Add(1)
		if !c.plan.AllowInitialErrors && !e.ok() {
			how := Outcome{Status: e.status, GRPC: e.grpc, Error: e.err}.Words()
			switch words := c.begun.other.String(); {
			case e.err == ErrorTLS:
				how += ": " + c.driver.refusal().Words
			case e.err == ErrorOther && words != "":
				how += ": " + words
			}
			first.Do(func() {
				c.failure, c.aborted = "the first request of a connection ended with "+how, c.plan.aborts(e)
			})
		}
	})
}

// warm sends the warm-up, evenly, at the rate with which the load begins.
func (c *cohort) warm(ctx context.Context) {
	p := c.before(c.whole.Warmup)
	p.whole = true
	if c.load.open() {
		p.rate = steady(c.load.rate.first())
	}
	c.driver.drive(ctx, p, func(e *ended) {
		if e.err != ErrorCanceled {
			c.warmed.Add(1)
		}
	})
}

// run carries out the load and returns when it has ended.
func (c *cohort) run(ctx context.Context) {
	defer close(c.done)
	c.rec.slots.start = c.load.start
	record := c.rec.record
	if c.plan.AbortOn != 0 {
		record = c.recordUntilAborted
	}
	c.driver.drive(ctx, c.load, record)
	c.endedAt = time.Now()
}

// recordUntilAborted records a request, and stops the cohort if it is one that ends the
// load.
func (c *cohort) recordUntilAborted(e *ended) {
	c.rec.record(e)
	if c.plan.aborts(e) {
		c.stop()
	}
}

// aborts says whether a request ended as AbortOn has it.
func (p *Plan) aborts(e *ended) bool {
	return p.AbortOn != 0 && (e.status == p.AbortOn || p.AbortOn == AbortOnError && e.err != "")
}

// progress is for an observer, from the start of the load on.
func (c *cohort) progress() Progress {
	p := Progress{Cohort: c.name, Planned: c.plan.Requests, Duration: c.plan.Duration, QPS: c.plan.RateAt(c.elapsed()), Elapsed: Duration{Duration: c.elapsed()}, Ended: c.hasEnded()}
	c.rec.glance(&p, time.Now())
	slices.SortFunc(p.Ways, Way.compare)
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
// though they would have been late already as the load ended, or were given up.
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
	return max(c.load.nobodys.Load(), c.load.owed(elapsed)-c.load.waited(elapsed)-sent)
}

// soFar is what a cohort has seen that is under way, as far as that tells of its
// answers.
func (c *cohort) soFar() *Result {
	r := &Result{
		Started: c.load.start, Planned: c.plan.Requests, Connections: c.plan.Connections,
		Elapsed: Duration{Duration: c.elapsed()},
	}
	c.rec.fill(r, &c.plan, c.match)
	r.TargetQPS = c.plan.Asked(r.LastBegun.Duration)
	return r
}

// close closes the connections; nothing may be in flight.
func (c *cohort) close() {
	c.driver.close()
}

// result is what the cohort saw. It is complete once the cohort is closed.
func (c *cohort) result() *Result {
	r := &Result{
		Started:     c.load.start,
		Planned:     c.plan.Requests,
		Engine:      c.plan.Engine,
		Setup:       c.begun.logins.Load(),
		Warmup:      c.warmed.Load(),
		Connections: c.plan.Connections,
		Rate:        c.plan.Rate,
		Seed:        c.seed,
		Grown:       c.driver.grown(),
		Dialed:      c.driver.dialed(),
		Refusal:     c.driver.refusal(),
		Other:       c.begun.other.String(),
		Failure:     c.failure,
		Aborted:     c.aborted,
	}
	c.rec.fill(r, &c.plan, c.match)
	r.TargetQPS = c.plan.Asked(r.LastBegun.Duration)
	if c.plan.Sender > 0 {
		r.Series = c.rec.partOfSeries()
	} else {
		r.Series = c.rec.series()
	}
	if !c.load.start.IsZero() {
		r.Elapsed = Duration{Duration: c.elapsed()}
		r.Missed = c.missed(r.Sent)
	}
	return r
}
