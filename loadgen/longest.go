package loadgen

import (
	"math"
	"time"
)

// Longest is how long the load may last by its own Requests and Duration, warm-up and
// login included, when each answer takes as long as Timeout allows. 0: it ends with
// another cohort, or with the context.
func (p *Plan) Longest() time.Duration {
	timeout, connections := p.timeout(), int64(max(p.Connections, 1))
	rounds := func(requests int64) time.Duration {
		most := int64(math.MaxInt64 / timeout)
		return time.Duration(min((requests+connections-1)/connections, most)) * timeout
	}
	var longest time.Duration
	if p.Requests > 0 {
		longest = rounds(p.Requests)
		if p.QPS > 0 {
			longest = max(longest, time.Duration(min(float64(p.Requests)/p.QPS, float64(math.MaxInt64/int64(time.Second)))*float64(time.Second)))
		}
	}
	if bound := p.Duration.Duration + timeout; p.Duration.Duration > 0 && (longest == 0 || bound < longest) {
		longest = bound
	}
	if longest == 0 {
		return 0
	}
	return min(longest, math.MaxInt64/4) + min(rounds(p.Warmup), math.MaxInt64/4) + 2*timeout
}
