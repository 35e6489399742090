package loadgen

import (
	"container/heap"
	"context"
	"time"
)

// thinking says how long a connection does nothing between two requests.
type thinking struct {
	from, span time.Duration
	seed       uint64
}

// thinking returns that of the plan. The seed is of times that are drawn.
func (p *Plan) thinking(seed int64) thinking {
	if p.Think == nil {
		return thinking{}
	}
	return thinking{p.Think.From.Duration, p.Think.To.Duration - p.Think.From.Duration, mixed(uint64(seed) ^ 1<<63)}
}

// after is how long it is after request number n of a load, which alone, with the seed,
// says so.
func (t thinking) after(n int64) time.Duration {
	if t.span <= 0 {
		return t.from
	}
	const bits = 53 // of a float64
	even := float64(mixed(t.seed+uint64(n))>>(64-bits)) / (1 << bits)
	return t.from + time.Duration(even*float64(t.span))
}

// rest waits as long as a connection thinks, or until nothing more is to begin.
func (p *pacer) rest(ctx context.Context, timer *time.Timer, think time.Duration) {
	if think > 0 && !p.exhausted(p.claimed.Load()) {
		p.wait(ctx, timer, p.within(time.Now(), think))
	}
}

// within is how much of a time passes before the load is over.
func (p *pacer) within(now time.Time, d time.Duration) time.Duration {
	if p.duration > 0 {
		return min(d, p.start.Add(p.duration).Sub(now))
	}
	return d
}

// resting are connections that think, as a heap: the first of which is the one that has
// thought first.
type resting []*loopConn

// Len implements heap.Interface.
func (r resting) Len() int { return len(r) }

// Less implements heap.Interface.
func (r resting) Less(i, j int) bool { return r[i].until.Before(r[j].until) }

// Swap implements heap.Interface.
func (r resting) Swap(i, j int) { r[i], r[j] = r[j], r[i] }

// Push implements heap.Interface.
func (r *resting) Push(c any) { *r = append(*r, c.(*loopConn)) }

// Pop implements heap.Interface.
func (r *resting) Pop() any {
	last := len(*r) - 1
	c := (*r)[last]
	*r = (*r)[:last]
	return c
}

// wake frees the connections that have thought.
func (l *loop) wake() {
	for len(l.resting) > 0 && !l.resting[0].until.After(l.now) {
		l.free.add(heap.Pop(&l.resting).(*loopConn))
	}
}
