package loadgen

import (
	"math"
	"time"
)

// Longest is how long the load may last by its own Requests and Duration, warm-up and
// login included, when each answer takes as long as Timeout allows, and whoever thinks as
// long as Think does. 0: it ends with another cohort, or with the context.
func (p *Plan) Longest() time.Duration {
	timeout, connections := p.timeout(), int64(max(p.Connections, 1))
	each := timeout
	if p.Think != nil {
		each += p.Think.To.Duration
	}
	rounds := func(requests int64) time.Duration {
		most := int64(math.MaxInt64 / each)
		return time.Duration(min((requests+connections-1)/connections, most)) * each
	}
	var longest time.Duration
	if p.Requests > 0 {
		longest = rounds(p.Requests)
		if s := p.schedule(0); s.open() {
			due := float64(p.Requests)
			if s.draws != nil { // ten times as far off as two of three are
				due += 10 * math.Sqrt(due+1)
			}
			longest = max(longest, s.rate.after(due))
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
