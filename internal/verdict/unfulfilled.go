package verdict

import (
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// unfulfilled names the checks and versions that no answer of the whole run
// fulfilled: if their text were misspelt, nothing would tell. Where the run was
// ended early an answer that fulfils them may have been to come.
func unfulfilled(r run) []string {
	asked, driven := map[string]bool{}, map[string]bool{}
	for _, a := range r.record.Asked {
		asked[a.Step] = true
	}
	var answers []loadgen.Outcome
	for _, w := range r.record.Windows {
		driven[w.Step] = driven[w.Step] || w.Name == report.During && w.Cut == "" // without steps the baseline is of none, too
		for _, l := range w.Loads {
			answers = append(answers, l.Outcomes...)
		}
	}
	for step := range asked {
		if !driven[step] {
			return nil
		}
	}
	var warnings []string
	note := func(what, name string, holds func(loadgen.Outcome) bool) {
		warning := fmt.Sprintf("no answer of the run fulfilled the %s %s; is its text right? If it were not, what is said of it would hold all the same", what, name)
		if !slices.ContainsFunc(answers, holds) && !slices.Contains(warnings, warning) {
			warnings = append(warnings, warning)
		}
	}
	for _, a := range r.record.Asked {
		for _, c := range a.Plan.Checks {
			note("check", c.Name, func(o loadgen.Outcome) bool { return slices.Contains(o.Checks, c.Name) })
		}
		for _, v := range a.Plan.Versions {
			note("version", v.Name, func(o loadgen.Outcome) bool { return o.Version == v.Name })
		}
	}
	return warnings
}
