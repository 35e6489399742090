package summary

import (
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/report"
)

// Failure is expectations that failed of the same cohorts, with what explains them.
type Failure struct {
	Expectations []report.Expectation
	Loads        []Load // of the cohorts of which they speak, in their windows
	Trees        []Tree // of these
}

// Failures are what failed in a run, in the order of the file. Those of no cohort, such
// as of what proxies count, stand with the load of their step.
func Failures(r *report.Record) []Failure {
	var all []Failure
	loads := Loads(r)
	for _, row := range r.Expectations {
		if row.Verdict != report.Fail {
			continue
		}
		of := loadsOf(loads, row)
		i := slices.IndexFunc(all, func(f Failure) bool { return slices.EqualFunc(f.Loads, of, same) })
		if i < 0 {
			i, all = len(all), append(all, Failure{Loads: of})
		}
		all[i].Expectations = append(all[i].Expectations, row)
	}
	for _, tree := range Explaining(r) {
		for i := range all {
			if all[i].Explains(tree) {
				all[i].Trees = append(all[i].Trees, tree)
			}
		}
	}
	return all
}

func same(a, b Load) bool { return a.Window == b.Window && a.Cohort == b.Cohort }

// loadsOf are those of which an expectation speaks; if of none, all of its step.
func loadsOf(all []Load, row report.Expectation) []Load {
	var named, step []Load
	for _, l := range all {
		if speaks(row, l.Window, l.Cohort) {
			named = append(named, l)
		}
		if l.Window.Name == report.During && l.Window.Step == row.Step {
			step = append(step, l)
		}
	}
	if named == nil {
		return step
	}
	return named
}

// Explains says whether a tree is of a load of which the failure speaks.
func (f Failure) Explains(tree Tree) bool {
	return slices.ContainsFunc(f.Loads, func(l Load) bool { return l.Window == tree.Window && l.Cohort == tree.Cohort })
}

// Undecided is why expectations are inconclusive.
type Undecided struct {
	Reason       string
	Expectations []report.Expectation
}

// Which names the expectations that one reason is of: all of the run, all of a step, or
// each.
func (u Undecided) Which(r *report.Record) []string {
	if n := len(u.Expectations); n > 1 && n == len(r.Expectations) {
		return []string{fmt.Sprintf("all %d expectations", n)}
	}
	var words []string
	for _, e := range u.Expectations {
		of := func(all []report.Expectation) int64 {
			return int64(len(slices.DeleteFunc(slices.Clone(all), func(other report.Expectation) bool { return other.Step != e.Step })))
		}
		word := InStep(e.Expression, e.Step)
		if n := of(u.Expectations); e.Step != "" && n > 1 && n == of(r.Expectations) {
			word = fmt.Sprintf("all %d expectations of step %s", n, e.Step)
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return words
}

// InStep is an expectation with the step that it is of, if it is of one.
func InStep(expression, step string) string {
	if step == "" {
		return expression
	}
	return expression + " (" + step + ")"
}

// Inconclusive are the expectations that could not be judged, those of one reason
// together.
func Inconclusive(r *report.Record) []Undecided {
	var all []Undecided
	for _, row := range r.Expectations {
		if row.Verdict != report.Inconclusive {
			continue
		}
		i := slices.IndexFunc(all, func(u Undecided) bool { return u.Reason == row.Reason })
		if i < 0 {
			i, all = len(all), append(all, Undecided{Reason: row.Reason})
		}
		all[i].Expectations = append(all[i].Expectations, row)
	}
	return all
}
