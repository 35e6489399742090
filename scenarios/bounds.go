package scenarios

import (
	"errors"
	"slices"

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
				all := check.BoundsOf(cohort.Plan)
				bounds[check.Load{Window: window, Cohort: cohort.Name}] = all
				for i, r := range cohort.Plan.Send {
					bounds[check.Load{Window: window, Cohort: cohort.Name, Request: r.Name}] = boundsOfRequest(cohort.Plan, i, all)
				}
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

// boundsOfRequest is what a plan says of one request of its list, of all of which so much
// is known: where each is drawn by a seed that is given, or sent in turn whatever becomes
// of it, how many there are of it, too.
func boundsOfRequest(plan loadgen.Plan, i int, all check.Bounds) check.Bounds {
	exactly := func(n int64) check.Bounds { return check.Bounds{Least: n, Most: n} }
	takes := slices.ContainsFunc(plan.Send, func(r loadgen.Request) bool { return r.Take != nil })
	switch {
	case all.Least == 0 || all.Least != all.Most:
	case plan.Drawn() && plan.Seed != 0:
		if n := plan.Drawing(all.Least, plan.Seed)[i]; n > 0 {
			return exactly(n)
		}
	case !plan.Drawn() && !plan.Open() && !takes:
		if n := inTurn(plan, i); n > 0 {
			return exactly(n)
		}
	}
	return check.Bounds{Most: all.Most}
}

// inTurn is how many requests of a closed loop are the i-th of its list: each connection
// goes through it, as far as its part of all goes.
func inTurn(plan loadgen.Plan, i int) (n int64) {
	list, connections := int64(len(plan.Send)), int64(plan.Connections)
	for c := range connections {
		part := plan.Requests / connections
		if c < plan.Requests%connections {
			part++
		}
		n += (part + list - 1 - int64(i)) / list
	}
	return n
}
