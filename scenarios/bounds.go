package scenarios

import (
	"cmp"
	"errors"
	"math"
	"time"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// bind holds the expectations against the loads as they will be driven: in the
// baseline and the recovery, which are smaller, or under an option, a line may be
// decided that is open in the load of its step.
func (s *Scenario) bind() error {
	var wrong []error
	for i := range s.Steps {
		step := &s.Steps[i]
		bounds := map[check.Load]check.Bounds{}
		for _, window := range []string{report.Baseline, report.During, report.Recovery} {
			for _, cohort := range s.Cohorts(window, *step) {
				bounds[check.Load{Window: window, Cohort: cohort.Name}] = boundsOf(cohort.Plan)
			}
		}
		for j := range step.Expect {
			line := &step.Expect[j]
			bound, err := line.Within(bounds)
			if err != nil {
				wrong = append(wrong, line.place(err))
				continue
			}
			line.Expectation = bound
		}
	}
	return errors.Join(append(wrong, s.judgeable(), s.fromOnePlace())...)
}

// decided says of a file in which something else is wrong which of its lines could
// not fail in a load of any size.
func (s *Scenario) decided() error {
	var wrong []error
	for _, step := range s.Steps {
		for _, line := range step.Expect {
			if line.Expectation == nil {
				continue // what is wrong with it is said
			}
			if _, err := line.Within(nil); err != nil {
				wrong = append(wrong, line.place(err))
			}
		}
	}
	return errors.Join(wrong...)
}

// boundsOf is what a plan says of the requests to come. One that falls short of
// it makes the run inconclusive (docs/verdicts.md, 5).
func boundsOf(plan loadgen.Plan) check.Bounds {
	var b check.Bounds
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
	if plan.Duration.Duration > 0 && plan.QPS > 0 && plan.Engine != loadgen.EngineFortio {
		due := int64(math.Ceil(plan.Duration.Seconds() * plan.QPS))
		b.Most = min(cmp.Or(b.Most, due), due)
		if plan.Requests == 0 && endsByItself { // with fewer it was not as asked
			begun = due*9/10 - 1
		}
	}
	b.OwnConnections = plan.TCP != nil
	if plan.Requests > 0 && plan.Duration.Duration == 0 && plan.QPS == 0 && endsByItself { // an equal part on each
		b.Connections = int64(plan.Connections)
	}
	b.Fastest, b.Scheduled = fastest(plan, max(b.Least, begun)), plan.QPS
	if endsByItself && plan.QPS == 0 {
		b.Slowest = 1 / longestRequest(plan).Seconds()
	}
	return b
}

// fastest is the highest rate that can come out: of a connection's requests each
// takes a microsecond at least, and those of a schedule begin along it. A load
// ends after the last of them has begun, so that of few the rate is higher.
func fastest(plan loadgen.Plan, least int64) float64 {
	most := float64(plan.Connections) * float64(time.Second/time.Microsecond)
	if plan.QPS > 0 && least > 1 {
		return min(most, plan.QPS*float64(least)/float64(least-1))
	}
	return most
}
