package scenarios

import (
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// third is the part of a load that the baseline and the recovery take.
const third = 3

// Cohorts returns what drives a window: in that of a step its load, in the
// baseline and the recovery a third of that of the first step, or as much more as
// what is expected of them needs.
func (s *Scenario) Cohorts(window string, step Step) []mesh.Cohort {
	if window == report.During {
		return step.Cohorts
	}
	return scale(s.Steps[0].Cohorts, third, func(cohort mesh.Cohort) int64 { return s.samplesNeeded(window, cohort) })
}

// samplesNeeded returns how many requests of a cohort a baseline or a recovery
// takes, so that what the expectations of any step say of that window can be
// judged; 0 if one is enough.
func (s *Scenario) samplesNeeded(window string, cohort mesh.Cohort) int64 {
	var most int64
	for _, step := range s.Steps {
		for _, line := range step.Expect {
			for _, size := range line.SamplesNeeded() {
				if size.Load.Window == window && size.Load.Cohort == cohort.Name {
					most = max(most, neededOf(cohort.Plan, size))
				}
			}
		}
	}
	return most
}

// scale returns the cohorts with a part of their load, at least as many requests
// as are needed of each, and one, over no more connections than requests. What
// decides how many requests there are, but cannot be reckoned with, stays whole.
func scale(cohorts []mesh.Cohort, part int64, needed func(cohort mesh.Cohort) int64) []mesh.Cohort {
	out := slices.Clone(cohorts)
	for i := range out {
		plan, least := &out[i].Plan, needed(out[i])
		whole := *plan
		if lasts(cohorts, cohorts[i], needed) {
			if plan.Requests > 0 {
				plan.Requests = max(plan.Requests, least)
			}
			continue
		}
		if plan.Requests > 0 {
			plan.Requests = max((plan.Requests+part-1)/part, least)
			plan.Connections = int(min(int64(plan.Connections), plan.Requests))
			if int64(plan.MaxConnections) > plan.Requests {
				plan.MaxConnections = int(plan.Requests)
			}
			if plan.MaxConnections <= plan.Connections {
				plan.MaxConnections = 0
			}
			plan.Senders = min(plan.Senders, plan.Connections)
		}
		if plan.Duration.Duration > 0 {
			plan.Duration.Duration = max(plan.Duration.Duration/time.Duration(part), loadgen.MinDuration)
		}
		if due := whole.Asked(whole.Duration.Duration) * whole.Duration.Seconds(); due > 0 {
			// A tenth more: the last of a rate may be due as the time is over.
			plan.Duration.Duration = max(plan.Duration.Duration, time.Duration(1.1*float64(least)/due*float64(whole.Duration.Duration)))
		}
		plan.Rate = shrunk(whole, *plan)
	}
	return out
}

// shrunk is the rate of a plan that changes, over as much less time as it has fewer requests,
// or takes less time: so it goes through all that it went through, and as many are due.
func shrunk(whole, plan loadgen.Plan) []loadgen.RatePoint {
	by := 1.0 / third
	switch {
	case whole.Duration.Duration > 0:
		by = plan.Duration.Seconds() / whole.Duration.Seconds()
	case whole.Requests > 0:
		by = float64(plan.Requests) / float64(whole.Requests)
	}
	rate := slices.Clone(whole.Rate)
	for i := range rate {
		rate[i].At.Duration = time.Duration(float64(rate[i].At.Duration) * by)
	}
	return rate
}

// lasts says whether samples are needed that depend on how long a cohort lasts
// and on how fast the answers come: its own, if a duration alone ends it, or
// those of a cohort that is there while it is.
func lasts(cohorts []mesh.Cohort, of mesh.Cohort, needed func(cohort mesh.Cohort) int64) bool {
	if plan := of.Plan; plan.Requests == 0 && plan.Duration.Duration > 0 && !plan.Open() && needed(of) > 0 {
		return true
	}
	return slices.ContainsFunc(cohorts, func(c mesh.Cohort) bool { return c.Plan.While == of.Name && needed(c) > 0 })
}
