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

// unspoken names the failures of a window of which no expectation speaks: a
// claim about the rest would pass beside them.
func unspoken(r run, w *report.Window) []string {
	lines := r.expectations(w)
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(w.Loads)) {
		failures := map[string]loadgen.Outcome{} // by their words, of any check and version
		for _, o := range w.Loads[name].Outcomes {
			if !o.Failed() || speaks(lines, check.Load{Window: w.Name, Cohort: name}, o) {
				continue
			}
			all := failures[o.Words()]
			all.Status, all.Error, all.Count = o.Status, o.Error, all.Count+o.Count
			failures[o.Words()] = all
		}
		for _, words := range slices.Sorted(maps.Keys(failures)) {
			problems = append(problems, fmt.Sprintf("%s, cohort %s: %d of %d requests ended in %s, and no expectation speaks of that; write one, as in %s",
				w.Words(), name, failures[words].Count, w.Loads[name].Sent, words, example(w, name, failures[words])))
		}
	}
	return problems
}

func speaks(lines []scenarios.Line, of check.Load, o loadgen.Outcome) bool {
	return slices.ContainsFunc(lines, func(line scenarios.Line) bool { return line.Speaks(of, o) })
}

// example is an expectation that would speak of an outcome.
func example(w *report.Window, cohort string, o loadgen.Outcome) string {
	if w.Name != report.During {
		cohort = w.Name + "." + cohort
	}
	if o.Error != "" {
		return cohort + ".errors == 0"
	}
	return fmt.Sprintf("%s.status[%d] == 0", cohort, o.Status)
}
