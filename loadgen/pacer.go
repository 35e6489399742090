package loadgen

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// pacer hands the requests of a schedule to the connections that ask for them,
// in order, each to one connection.
type pacer struct {
	schedule
	start   time.Time
	halted  <-chan struct{} // closed: nothing more is to begin
	claimed atomic.Int64

	mu   sync.Mutex
	idle []time.Duration // when requests were due that a free connection waited for until the load ended
}

// part returns the pacer of the i-th of n connections; nil if nothing is left
// for it. In a closed loop each has an equal part of the requests, as fortio's
// have, so that one that is answered quickly does not take those of another. In
// an open loop, or where there is no number of requests, all share one.
func (p *pacer) part(i, n int64) *pacer {
	if p.open() || p.requests == 0 {
		return p
	}
	own := &pacer{schedule: p.schedule, start: p.start, halted: p.halted}
	own.requests = p.requests / n
	if i < p.requests%n {
		own.requests++
	}
	if own.requests == 0 {
		return nil
	}
	return own
}

// next waits until the caller should begin a request, and returns when that was
// intended to be: in an open loop a time that may have passed already, in a
// closed loop now. It returns false when no request is left to begin. The timer
// is the caller's, for reuse.
func (p *pacer) next(ctx context.Context, timer *time.Timer) (intended time.Time, ok bool) {
	i := p.claimed.Add(1) - 1
	if p.exhausted(i) {
		return time.Time{}, false
	}
	if p.open() {
		return p.nextIntended(ctx, timer, p.intended(i))
	}
	now := time.Now()
	return now, !p.over(now.Sub(p.start)) && !p.ended(ctx)
}

// nextIntended waits for an intended start. Where it lies beyond the duration it
// waits for the end of that, so that the load lasts as long as it was asked to.
func (p *pacer) nextIntended(ctx context.Context, timer *time.Timer, due time.Duration) (time.Time, bool) {
	last := p.over(due)
	if last {
		due = p.duration
	}
	intended := p.start.Add(due)
	left := time.Until(intended)
	ok := p.wait(ctx, timer, left) && !last && !p.over(time.Since(p.start))
	if !ok && left > 0 {
		p.mu.Lock()
		p.idle = append(p.idle, due)
		p.mu.Unlock()
	}
	return intended, ok
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

// wait returns false if nothing more is to begin.
func (p *pacer) wait(ctx context.Context, timer *time.Timer, d time.Duration) bool {
	if d <= 0 {
		return !p.ended(ctx)
	}
	timer.Reset(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return !p.ended(ctx)
	case <-p.halted:
		return false
	case <-ctx.Done():
		return false
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
