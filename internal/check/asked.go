package check

import (
	"cmp"
	"math"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

// BoundsOf is what a plan says of the requests to come. One that falls short of
// it makes the run inconclusive (docs/verdicts.md, 5).
func BoundsOf(plan loadgen.Plan) Bounds {
	var b Bounds
	endsByItself := plan.While == ""
	begun := int64(0) // at least, where the number is not asked for
	switch {
	case plan.Requests > 0 && plan.Engine == loadgen.EngineFortio: // which sends some again
		b.Least = plan.Requests
	case plan.Requests > 0:
		b.Least, b.Most = plan.Requests, plan.Requests
	}
	if plan.Duration.Duration > 0 || !endsByItself {
		b.Least = 0
	}
	even := plan.Arrival == ""
	if plan.Duration.Duration > 0 && plan.Open() && even && plan.Engine != loadgen.EngineFortio {
		due := plan.Owed(plan.Duration.Duration, 0)
		b.Most = min(cmp.Or(b.Most, due), due)
		if plan.Requests == 0 && endsByItself { // with fewer it was not as asked
			begun = due*9/10 - 1
		}
	}
	b.Calls, b.InTurn = plan.GRPC != nil, len(plan.Send) > 0 && !plan.Drawn()
	b.OwnConnections = plan.TCP != nil || plan.HTTP != nil && (plan.HTTP.Close || len(plan.HTTP.Messages) > 0)
	if plan.Requests > 0 && plan.Duration.Duration == 0 && !plan.Open() && endsByItself { // an equal part on each
		b.Connections = int64(plan.Connections)
	}
	b.Fastest = fastest(plan, max(b.Least, begun))
	if even {
		b.Scheduled = plan.Peak()
	}
	if endsByItself && !plan.Open() {
		each := LongestRequest(plan)
		if plan.Think != nil {
			each += plan.Think.To.Duration
		}
		b.Slowest = 1 / each.Seconds()
	}
	return b
}

// fastest is the highest rate that can come out: of a connection's requests each
// takes a microsecond at least, and those of a schedule begin along it, if none arrive by
// chance. A load ends after the last of them has begun, so that of few the rate is higher.
func fastest(plan loadgen.Plan, least int64) float64 {
	most := float64(max(plan.Connections, plan.MaxConnections)) * float64(time.Second/time.Microsecond)
	if plan.Open() && plan.Arrival == "" && least > 1 {
		return min(most, plan.Peak()*float64(least)/float64(least-1))
	}
	if plan.Think != nil && plan.Think.From.Duration > 0 && plan.While == "" {
		most = min(most, thinking(plan, least))
	}
	return most
}

// thinking is the highest rate of connections that do nothing for a while behind each request,
// of which the last alone takes none of the load's time.
func thinking(plan loadgen.Plan, least int64) float64 {
	each, connections := plan.Think.From.Seconds(), int64(plan.Connections)
	switch lasts := plan.Duration.Seconds(); {
	case lasts > 0 && plan.Requests == 0:
		return float64(connections) * (lasts/each + 1) / lasts
	case lasts == 0 && least > connections:
		return float64(least) / (float64((least+connections-1)/connections-1) * each)
	}
	return math.Inf(1)
}

// LongestRequest is how long a request of a plan can take until it is ended: its
// timeout, and a minute more than any scheduler adds.
func LongestRequest(plan loadgen.Plan) time.Duration {
	const slack, byDefault = time.Minute, time.Minute
	return cmp.Or(plan.Timeout.Duration, byDefault) + slack
}
