package loadgen

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// pacer hands the requests of a schedule to the connections that ask for them,
// in order, each to one connection.
type pacer struct {
	schedule
	start   time.Time
	of      int64           // how many connections all senders have together; 0: those of this one are all
	whole   bool            // all connections share it, whatever it is
	halted  <-chan struct{} // closed: nothing more is to begin
	first   int64           // the number of its first request among those of the load
	claimed atomic.Int64

	noCatchUp bool         // turns that came before a connection was free are nobody's
	nobodys   atomic.Int64 // such turns
	jitter    bool         // turns come up to a tenth of the wait for them sooner or later

	mu   sync.Mutex
	idle []time.Duration // when requests were due that a free connection waited for until the load ended
}

// part returns the pacer of the i-th of a sender's n connections; nil if nothing is left
// for it. In a closed loop each has an equal part of the requests, as fortio's
// have, so that one that is answered quickly does not take those of another. In
// an open loop, or where there is no number of requests, all share one.
func (p *pacer) part(i, n int64) *pacer {
	if p.open() || p.requests == 0 || p.whole {
		return p
	}
	if p.of > 0 {
		i, n = p.one.number(i), p.of
	}
	own := &pacer{schedule: p.schedule, start: p.start, halted: p.halted}
	own.one = sender{}
	own.requests = p.requests / n
	own.first = i*own.requests + min(i, p.requests%n)
	if i < p.requests%n {
		own.requests++
	}
	if own.requests == 0 {
		return nil
	}
	return own
}

// next waits until the caller should begin a request, and returns its turn, which is
// at the time when that was intended to be: in an open loop one that may have passed
// already, in a closed loop now. It returns false when no request is left to begin. Free
// is since when the caller could have begun one. The timer is the caller's, for reuse.
func (p *pacer) next(ctx context.Context, timer *time.Timer, free time.Time) (t turn, ok bool) {
	if t, ok = p.claim(free); !ok {
		return t, false
	}
	if !p.open() {
		t.at = time.Now()
		return t, p.mayBegin(ctx, t, t.at)
	}
	left := time.Until(t.at)
	p.wait(ctx, timer, left)
	if ok = p.mayBegin(ctx, t, time.Now()); !ok && left > 0 {
		p.giveBack(t)
	}
	return t, ok
}

// turn is the right to begin one request.
type turn struct {
	n    int64     // its number in the load
	at   time.Time // of an open loop: not before
	last bool      // it is none, but lasts until the duration of the load has passed
}

// claim takes the right to the next request; ok is false if there is none. Where its
// intended start lies beyond the duration, the turn is for the end of that, so that the
// load lasts as long as it was asked to. Free is since when the caller could have begun a
// request.
func (p *pacer) claim(free time.Time) (t turn, ok bool) {
	for {
		i := p.claimed.Add(1) - 1
		if p.exhausted(i) {
			return turn{}, false
		}
		if t.n = p.first + p.one.number(i); !p.open() {
			return t, true
		}
		due := p.intended(i)
		if t.last = p.over(due); t.last {
			due = p.duration
		}
		t.at = p.start.Add(due)
		switch {
		case t.last:
			return t, true
		case p.noCatchUp && t.at.Before(free):
			p.nobodys.Add(1)
			continue
		case p.jitter:
			t.at = t.at.Add(jitter(time.Until(t.at)))
		}
		return t, true
	}
}

// jitter is by how much longer or less than d to wait: by a tenth at the most, as fortio
// has it.
func jitter(d time.Duration) time.Duration {
	tenth := int64(d) / 10
	if tenth <= 0 {
		return 0
	}
	return time.Duration(rand.Int64N(2*tenth+1) - tenth)
}

// due is when the next request is due that nobody has claimed; ok is false if there is none
// before the load ends.
func (p *pacer) due() (at time.Time, ok bool) {
	i := p.claimed.Load()
	if p.exhausted(i) {
		return time.Time{}, false
	}
	due := p.intended(i)
	return p.start.Add(due), due < never && !p.over(due)
}

// mayBegin says whether the request of a turn that has come may begin.
func (p *pacer) mayBegin(ctx context.Context, t turn, now time.Time) bool {
	return !t.last && !p.over(now.Sub(p.start)) && !p.ended(ctx)
}

// giveBack notes a turn that a free connection waited for until the load ended.
func (p *pacer) giveBack(t turn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, t.at.Sub(p.start))
}

// waited is how many requests that were due before elapsed a free connection
// waited for as the load ended. The clock alone kept them from being begun.
func (p *pacer) waited(elapsed time.Duration) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var n int64
	for _, due := range p.idle {
		if due < elapsed {
			n++
		}
	}
	return n
}

// skip gives up the right to n requests that were sent unasked.
func (p *pacer) skip(n int64) { p.claimed.Add(n) }

// wait waits, unless nothing more is to begin.
func (p *pacer) wait(ctx context.Context, timer *time.Timer, d time.Duration) {
	if d <= 0 {
		return
	}
	timer.Reset(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.halted:
	case <-ctx.Done():
	}
}

func (p *pacer) ended(ctx context.Context) bool {
	select {
	case <-p.halted:
		return true
	default:
		return ctx.Err() != nil
	}
}
