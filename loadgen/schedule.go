package loadgen

import "time"

// lateAfter is how long after its intended start a request counts as late.
const lateAfter = 10 * time.Millisecond

// schedule says, as arithmetic alone, when requests are intended to begin, by
// time since the start of the load: request i of an open loop at i/qps,
// whatever became of those before it.
type schedule struct {
	qps      float64       // 0: a closed loop, where nothing is intended
	requests int64         // 0: no limit
	duration time.Duration // 0: no limit
}

// open says whether there is a schedule at all.
func (s schedule) open() bool { return s.qps > 0 }

// intended is when request i of an open loop should begin.
func (s schedule) intended(i int64) time.Duration {
	return time.Duration(float64(i) * float64(time.Second) / s.qps)
}

// exhausted says whether there is no request i.
func (s schedule) exhausted(i int64) bool {
	return s.requests > 0 && i >= s.requests
}

// over says whether the time for beginning requests has passed.
func (s schedule) over(elapsed time.Duration) bool {
	return s.duration > 0 && elapsed >= s.duration
}

// owed is how many requests an open loop should have begun before elapsed.
func (s schedule) owed(elapsed time.Duration) int64 {
	if !s.open() || elapsed <= 0 {
		return 0
	}
	if s.duration > 0 {
		elapsed = min(elapsed, s.duration)
	}
	// The division rounds, so the count is settled by intended itself.
	n := int64(elapsed.Seconds() * s.qps)
	for n > 0 && s.intended(n-1) >= elapsed {
		n--
	}
	for s.intended(n) < elapsed {
		n++
	}
	if s.requests > 0 {
		n = min(n, s.requests)
	}
	return n
}
