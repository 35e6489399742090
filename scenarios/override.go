package scenarios

import (
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// Override replaces parts of the load; a nil field leaves what the file says.
type Override report.Override

// Changes says whether it replaces anything.
func (o Override) Changes() bool { return o.Connections != nil || o.Requests != nil || o.QPS != nil }

// Override changes the plans of the cohorts it names in every step. A cohort
// that runs while another does keeps its plan unless it is named, and is there
// all the time even then: a number of requests takes the place of one in the
// file, and is else warned of and left out.
func (s *Scenario) Override(o Override) error {
	var names, former []string
	var unbound []Warning
	found := o.Cohort == ""
	if o.Requests != nil && (*o.Requests < 1 || *o.Requests > maxRequests) {
		return fmt.Errorf("overriding the load: -n takes 1 to %d requests, not %d", maxRequests, *o.Requests)
	}
	for i := range s.Steps {
		for j := range s.Steps[i].Cohorts {
			cohort := &s.Steps[i].Cohorts[j]
			names = append(names, cohort.Name)
			if o.Cohort != cohort.Name && (o.Cohort != "" || cohort.Plan.While != "") {
				continue
			}
			found = true
			if o.bounds(cohort.Plan) {
				unbound = append(unbound, Warning{File: s.File, Message: fmt.Sprintf("-n is not for %s, which is there as long as %s", cohort.Name, cohort.Plan.While)})
			}
			was := cohort.Plan
			if err := o.apply(&cohort.Plan); err != nil {
				return fmt.Errorf("overriding the load %q: %w", cohort.Name, err)
			}
			former = append(former, sizesBefore(was, cohort.Plan)...)
		}
	}
	if !found {
		slices.Sort(names)
		names = slices.Compact(names)
		return fmt.Errorf("overriding the load %q: the scenario has no such cohort; %s", o.Cohort, nearest.Hint(o.Cohort, names))
	}
	s.Warnings = unbound
	if err := s.bind(); err != nil {
		return fmt.Errorf("overriding the load: %w", err)
	}
	s.leaveUntold(former)
	s.lint()
	if o.Changes() {
		s.Load = append(s.Load, o)
	}
	return nil
}

// bounds says whether the number of requests would end a cohort that is to be
// there as long as another.
func (o Override) bounds(plan loadgen.Plan) bool {
	return o.Requests != nil && plan.While != "" && plan.Requests == 0
}

func (o Override) apply(plan *loadgen.Plan) error {
	if o.Requests != nil && !o.bounds(*plan) {
		plan.Requests = *o.Requests
	}
	if o.Connections != nil {
		plan.Connections, plan.MaxConnections = *o.Connections, 0
	}
	if o.QPS != nil {
		plan.QPS, plan.Rate = *o.QPS, nil
		if plan.QPS == 0 {
			plan.Arrival, plan.Seed, plan.MaxConnections = "", 0, 0
		}
	}
	return plan.Validate()
}
