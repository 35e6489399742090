package verdict

import (
	"fmt"
	"maps"
	"slices"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// mostUnspoken is how many kinds of failure of a load are named each for itself: a service
// may answer each request with another status.
const mostUnspoken = 10

// unspoken names the failures of a window of which no expectation speaks: a
// claim about the rest would pass beside them.
func unspoken(r run, w *report.Window) []string {
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(w.Loads)) {
		failures := map[string]loadgen.Outcome{} // by their words, of any check and version
		for _, o := range w.Loads[name].Outcomes {
			if !o.Failed() || r.spoken(w, check.Load{Window: w.Name, Cohort: name}, o) {
				continue
			}
			all := failures[o.Words()]
			all.Status, all.GRPC, all.Error, all.Count = o.Status, o.GRPC, o.Error, all.Count+o.Count
			failures[o.Words()] = all
		}
		kinds := slices.Sorted(maps.Keys(failures))
		named, further := kinds, kinds[:0]
		if len(kinds) > mostUnspoken {
			named, further = kinds[:mostUnspoken-1], kinds[mostUnspoken-1:]
		}
		for _, words := range named {
			problems = append(problems, fmt.Sprintf("%s, cohort %s: %d of %d requests ended in %s, and no expectation speaks of that; write one, as in %s",
				w.Words(), name, failures[words].Count, w.Loads[name].Sent, words, example(w, name, failures[words], w.Loads[name].Sent)))
		}
		if len(further) > 0 {
			any := loadgen.Outcome{Error: "any"}
			for _, words := range further {
				any.Count += failures[words].Count
			}
			problems = append(problems, fmt.Sprintf("%s, cohort %s: %d of %d requests ended in %d further ways, from %s to %s, and no expectation speaks of them; write one, as in %s",
				w.Words(), name, any.Count, w.Loads[name].Sent, len(further), further[0], further[len(further)-1], example(w, name, any, w.Loads[name].Sent)))
		}
	}
	return problems
}

// spoken says whether an expectation speaks of an outcome: one of the window's
// step, or, of the windows without a step, of any.
func (r run) spoken(w *report.Window, of check.Load, o loadgen.Outcome) bool {
	return slices.ContainsFunc(r.scenario.Steps, func(step scenarios.Step) bool {
		windows := r.windows(step.Name)
		return (w.Name != report.During || step.Name == w.Step) &&
			slices.ContainsFunc(step.Expect, func(line scenarios.Line) bool { return line.Speaks(windows, of, o) })
	})
}

// example is an expectation that would speak of an outcome: of what all of the sent
// requests ended in the one that held, as that may be what was meant.
func example(w *report.Window, cohort string, o loadgen.Outcome, sent int64) string {
	if w.Name != report.During {
		cohort = w.Name + "." + cohort
	}
	count := cohort + ".errors"
	switch {
	case o.GRPC != "":
		count = fmt.Sprintf("%s.grpc[%s]", cohort, o.GRPC)
	case o.Error == "":
		count = fmt.Sprintf("%s.status[%d]", cohort, o.Status)
	}
	switch {
	case o.Count == sent && o.Error == loadgen.ErrorUntaken:
		return fmt.Sprintf("%s == %s.sent, if all of them are to fail so, or correct the take of the load, which none of their answers had", count, cohort)
	case o.Count == sent && o.Error != "" && w.Name != report.During:
		return fmt.Sprintf("%s == %s.sent, if all of them are to fail so, or have in given what answers them, such as a Gateway with its route", count, cohort)
	case o.Count == sent:
		return fmt.Sprintf("%s == %s.sent, if all of them are to fail so", count, cohort)
	}
	return count + " == 0"
}
