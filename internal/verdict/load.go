package verdict

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// unlikeAsked names the loads of a window that were not driven as they were
// asked for.
func unlikeAsked(r run, w *report.Window) []string {
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(w.Loads)) {
		plan := r.asked(w, name)
		reason := check.Shortfall(plan, w.Loads, name)
		if w.Name == report.During { // the others are smaller
			reason = cmp.Or(reason, unsent(plan, w.Loads[name]))
		}
		if reason != "" {
			problems = append(problems, fmt.Sprintf("%s, cohort %s: %s", w.Words(), name, reason))
		}
	}
	for _, c := range r.scenario.Cohorts(w.Name, r.stepOf(w)) {
		if w.Loads[c.Name] == nil {
			problems = append(problems, fmt.Sprintf("%s, cohort %s: it has no result; run again", w.Words(), c.Name))
		}
	}
	return problems
}

// unsent is for a list of which a request was never sent: what is said of the load then says
// nothing of it. Where one before it never had what was to be taken, that is a result.
func unsent(plan loadgen.Plan, l *loadgen.Result) string {
	for _, r := range plan.Send {
		of := l.Of(r.Name)
		switch {
		case of.Sent > 0 && r.Take != nil && of.Count(loadgen.Outcome.Failed) == of.Sent:
			return ""
		case of.Sent == 0 && plan.Drawn():
			return fmt.Sprintf("of its list %s was never drawn in %s; send more, give it more weight, or take it out", r.Name, plural.Of(l.Sent, "request"))
		case of.Sent == 0:
			return fmt.Sprintf("of its list %s was never sent, since no connection came so far in %s; send more, or over fewer connections", r.Name, plural.Of(l.Sent, "request"))
		}
	}
	return ""
}

// asked is what a cohort of a window was asked for. The baseline and the
// recovery have the cohorts of the first step, and a part of their load.
func (r run) asked(w *report.Window, cohort string) loadgen.Plan {
	if w.Name != report.During {
		for _, c := range r.scenario.Cohorts(w.Name, scenarios.Step{}) {
			if c.Name == cohort {
				return c.Plan
			}
		}
	}
	for _, a := range r.record.Asked {
		if a.Cohort == cohort && a.Step == w.Step {
			return a.Plan
		}
	}
	return loadgen.Plan{}
}
