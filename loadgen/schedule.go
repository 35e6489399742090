package loadgen

import (
	"math/rand/v2"
	"sort"
	"time"
)

// lateAfter is how long after its intended start a request counts as late.
const lateAfter = 10 * time.Millisecond

// schedule says, as arithmetic alone, when requests are intended to begin, by
// time since the start of the load, whatever became of those before: request i of
// an open loop when i are due by its rate, or, where they arrive as Poisson has it,
// when as many are due as the arrivals of its draws come to.
type schedule struct {
	rate     rate          // nil: a closed loop, where nothing is intended
	draws    *draws        // nil: they arrive evenly
	requests int64         // of all senders; 0: no limit
	duration time.Duration // 0: no limit
	one      sender        // whose part of it this is
}

// schedule returns that of the plan. The seed is of what arrives as Poisson has it.
func (p *Plan) schedule(seed int64) schedule {
	s := schedule{requests: p.Requests, duration: p.Duration.Duration, one: p.sender()}
	switch {
	case len(p.Rate) > 0:
		s.rate = through(p.Rate)
	case p.QPS > 0:
		s.rate = steady(p.QPS)
	}
	if p.Arrival == ArrivalPoisson {
		s.draws = newDraws(seed)
	}
	return s
}

// draw returns the seed of the plan, or one that is drawn; 0: it needs none.
func (p *Plan) draw() int64 {
	switch {
	case !p.Draws():
		return 0
	case p.Seed != 0:
		return p.Seed
	default:
		return 1 + rand.Int64N(maxSeed)
	}
}

// mostConnections is how many connections there may come to be.
func (p *Plan) mostConnections() int { return max(p.Connections, p.MaxConnections) }

// Open says whether requests are due at times of their own, rather than each as the one
// before it has been answered.
func (p *Plan) Open() bool { return p.QPS > 0 || len(p.Rate) > 0 }

// Due is when request i of an open loop is due, since the start of the load; 0 of a closed
// one. The seed is Result.Seed.
func (p *Plan) Due(i, seed int64) time.Duration {
	if s := p.schedule(seed); s.open() {
		return s.intended(i)
	}
	return 0
}

// Due is when request i of an open loop was due, since the start of the load; 0 of a closed
// one. The arrival is Plan.Arrival, which no seed tells: a list that is drawn has one too.
func (r *Result) Due(i int64, arrival string) time.Duration {
	plan := Plan{Rate: r.Rate, Arrival: arrival}
	if len(r.Rate) == 0 {
		plan.QPS = r.TargetQPS
	}
	return plan.Due(i, r.Seed)
}

// Owed is how many requests of an open loop are due before a time of it; 0 of a closed
// one. The seed is Result.Seed.
func (p *Plan) Owed(elapsed time.Duration, seed int64) int64 {
	s := p.schedule(seed)
	return s.owed(elapsed)
}

// Peak is the highest rate of an open loop; 0: it is a closed one.
func (p *Plan) Peak() float64 {
	s := p.schedule(0)
	return s.one.rate(s.rate.peak())
}

// RateAt is how many requests a second an open loop is asked for at a time of it; 0: it is
// a closed one.
func (p *Plan) RateAt(t time.Duration) float64 {
	s := p.schedule(0)
	return s.one.rate(s.rate.at(t))
}

// Asked is how many requests a second an open loop is asked for until a time of it, on the
// average: where the rate does not change, that rate. 0: it is a closed loop.
func (p *Plan) Asked(until time.Duration) float64 {
	one := p.sender()
	if len(p.Rate) == 0 {
		return one.rate(p.QPS)
	}
	s := p.schedule(0)
	if due := s.rate.by(until); until > 0 && due > 0 {
		return one.rate(due / until.Seconds())
	}
	return one.rate(s.rate.peak())
}

// open says whether there is a schedule at all.
func (s *schedule) open() bool { return s.rate != nil }

// intended is when request i of an open loop should begin.
func (s *schedule) intended(i int64) time.Duration {
	i = s.one.number(i)
	if s.draws != nil {
		return s.rate.after(s.draws.arrival(i))
	}
	return s.rate.after(float64(i))
}

// exhausted says whether there is no request i.
func (s *schedule) exhausted(i int64) bool {
	return s.requests > 0 && s.one.number(i) >= s.requests
}

// over says whether the time for beginning requests has passed.
func (s *schedule) over(elapsed time.Duration) bool {
	return s.duration > 0 && elapsed >= s.duration
}

// owed is how many requests an open loop should have begun before elapsed.
func (s *schedule) owed(elapsed time.Duration) int64 {
	if !s.open() || elapsed <= 0 {
		return 0
	}
	if s.duration > 0 {
		elapsed = min(elapsed, s.duration)
	}
	// What is reckoned with rounds, so the count is settled by intended itself.
	most := 2 * (s.one.share(int64(s.rate.by(elapsed))) + 1)
	for s.intended(most) < elapsed {
		most *= 2
	}
	n := int64(sort.Search(int(most), func(i int) bool { return s.intended(int64(i)) >= elapsed }))
	if s.requests > 0 {
		n = min(n, s.one.share(s.requests))
	}
	return n
}
