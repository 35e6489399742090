package scenarios

import (
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/internal/check"
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
	return scale(s.Steps[0].Cohorts, third, func(cohort string) int64 { return s.samplesNeeded(window, cohort) })
}

// samplesNeeded returns how many requests of a cohort a baseline or a recovery
// takes, so that what the expectations of any step say of that window can be
// judged; 0 if one is enough.
func (s *Scenario) samplesNeeded(window, cohort string) int64 {
	var most int64
	for _, step := range s.Steps {
		for _, line := range step.Expect {
			for _, size := range line.SamplesNeeded() {
				if size.Load == (check.Load{Window: window, Cohort: cohort}) {
					most = max(most, size.Requests)
				}
			}
		}
	}
	return most
}

// scale returns the cohorts with a part of their load, at least as many requests
// as are needed of each, and one, over no more connections than requests. What
// decides how many requests there are, but cannot be reckoned with, stays whole.
func scale(cohorts []mesh.Cohort, part int64, needed func(cohort string) int64) []mesh.Cohort {
	out := slices.Clone(cohorts)
	for i := range out {
		plan, least := &out[i].Plan, needed(out[i].Name)
		if lasts(cohorts, cohorts[i], needed) {
			if plan.Requests > 0 {
				plan.Requests = max(plan.Requests, least)
			}
			continue
		}
		if plan.Requests > 0 {
			plan.Requests = max((plan.Requests+part-1)/part, least)
			plan.Connections = int(min(int64(plan.Connections), plan.Requests))
		}
		if plan.Duration.Duration > 0 {
			plan.Duration.Duration = max(plan.Duration.Duration/time.Duration(part), loadgen.MinDuration)
		}
		if plan.Duration.Duration > 0 && plan.QPS > 0 {
			// A tenth more: the last of a rate may be due as the time is over.
			plan.Duration.Duration = max(plan.Duration.Duration, time.Duration(1.1*float64(least)/plan.QPS*float64(time.Second)))
		}
	}
	return out
}

// lasts says whether samples are needed that depend on how long a cohort lasts
// and on how fast the answers come: its own, if a duration alone ends it, or
// those of a cohort that is there while it is.
func lasts(cohorts []mesh.Cohort, of mesh.Cohort, needed func(cohort string) int64) bool {
	if plan := of.Plan; plan.Requests == 0 && plan.Duration.Duration > 0 && plan.QPS == 0 && needed(of.Name) > 0 {
		return true
	}
	return slices.ContainsFunc(cohorts, func(c mesh.Cohort) bool { return c.Plan.While == of.Name && needed(c.Name) > 0 })
}
