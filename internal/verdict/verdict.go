// Package verdict says what a run that is over means: pass, fail or
// inconclusive, and why. It judges from the record and the scenario alone, so
// that a record can be judged again, by somebody else.
//
// What a pass means is the list of points, in points.go; docs/verdicts.md is
// the same list for readers, by the same numbers.
//
// The package may import internal/chance, internal/check, internal/evidence, internal/mesh,
// internal/plural, internal/rules, loadgen, report and scenarios.
package verdict

import (
	"slices"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Judgement is what is to be said of a run beside what befell it.
type Judgement struct {
	Verdict      report.Verdict
	Expectations []report.Expectation
	Conclusions  []report.Conclusion // what a pass has shown
	Doubts       []report.Doubt      // what keeps the run from being conclusive
	Warnings     []string            // what it leaves open, and is no reason to doubt it
}

// Judge judges a whole run, after everything was undone. The record is left as
// it is. A fail beats an inconclusive: what was observed and is wrong stays
// wrong, whatever else could not be seen.
func Judge(record *report.Record, scenario *scenarios.Scenario) Judgement {
	r := run{record, scenario}
	var j Judgement
	for _, step := range scenario.Steps {
		j.Expectations = append(j.Expectations, r.rows(step)...)
	}
	for _, p := range points() {
		for i := range record.Windows {
			j.doubt(p, r.doubts(p, &record.Windows[i]))
		}
		if p.whole != nil {
			j.doubt(p, p.whole(r))
		}
		if p.warn != nil {
			j.Warnings = append(j.Warnings, p.warn(r)...)
		}
	}
	j.Verdict = check.Overall(j.Expectations)
	if j.Verdict == report.Pass && (len(j.Doubts) > 0 || len(record.Problems) > 0 || !record.Restored) {
		j.Verdict = report.Inconclusive
	}
	if j.Verdict == report.Pass {
		j.conclude(r)
	}
	return j
}

// Enter writes a judgement into the record that it is of, in the place of an earlier one.
func (j Judgement) Enter(record *report.Record) {
	record.Verdict, record.Expectations, record.Conclusions, record.Doubts = j.Verdict, j.Expectations, j.Conclusions, j.Doubts
	record.Warnings = slices.DeleteFunc(slices.Clone(record.Warnings), func(warning string) bool { return slices.Contains(record.Judged, warning) })
	record.Judged = nil
	for _, warning := range j.Warnings {
		if !slices.Contains(record.Warnings, warning) {
			record.Warnings, record.Judged = append(record.Warnings, warning), append(record.Judged, warning)
		}
	}
}

func (j *Judgement) doubt(p point, problems []string) {
	for _, problem := range problems {
		j.Doubts = append(j.Doubts, report.Doubt{Point: p.number, Problem: problem})
	}
}

// Passed says, as the load of a step ends, whether it is a pass so far: its
// expectations hold, and nothing speaks against the windows until then. What asks
// for the recovery is not known yet, and does not count.
func Passed(record *report.Record, scenario *scenarios.Scenario, step scenarios.Step) bool {
	r := run{record, scenario}
	for _, row := range r.rows(step) {
		if row.Verdict != report.Pass && (row.Verdict == report.Fail || !asksForRecovery(step, row.Line)) {
			return false
		}
	}
	for _, p := range points() {
		for i := range record.Windows {
			if len(r.doubts(p, &record.Windows[i])) > 0 {
				return false
			}
		}
	}
	return len(record.Problems) == 0 && record.Window(report.During, step.Name) != nil
}

// asksForRecovery says whether the expectation of a line can be judged only
// when the run is over.
func asksForRecovery(step scenarios.Step, line int) bool {
	return slices.ContainsFunc(step.Expect, func(l scenarios.Line) bool {
		return l.Line == line && slices.ContainsFunc(l.Loads(), func(l check.Load) bool { return l.Window == report.Recovery })
	})
}

// run is what is judged.
type run struct {
	record   *report.Record
	scenario *scenarios.Scenario
}

// doubts are what a point has against a window. Of one that was cut off the run
// has said so, and it proves nothing either way.
func (r run) doubts(p point, w *report.Window) []string {
	if p.window == nil || w.Cut != "" {
		return nil
	}
	return p.window(r, w)
}

// windows are those that the expectations of a step are judged by.
func (r run) windows(step string) check.Windows { return check.WindowsOf(r.record, step) }

// rows judges the expectations of a step.
func (r run) rows(step scenarios.Step) []report.Expectation {
	windows := r.windows(step.Name)
	var rows []report.Expectation
	for _, line := range step.Expect {
		for _, row := range judged(windows, line.Expectation, line.KnownBug) {
			row.Step, row.Line = step.Name, line.Line
			rows = append(rows, row)
		}
	}
	return append(rows, aborted(step, windows.During)...)
}

// judged judges a line by the windows of a step, of which nothing can be said unless they
// are complete.
func judged(windows check.Windows, line *check.Expectation, knownBug string) []report.Expectation {
	rows := line.Judge(windows)
	if knownBug != "" {
		rows = line.JudgeKnownBug(windows, knownBug)
	}
	if why := incomplete(windows); why != "" {
		for i := range rows {
			rows[i].Verdict, rows[i].Reason = report.Inconclusive, why
		}
	}
	return rows
}

// Of judges an expectation of another run by what this one observed, as if it stood in the
// step of that name. It is not known where there is no such step, or it cannot be read as
// one of its expectations.
func Of(e report.Expectation, record *report.Record, scenario *scenarios.Scenario) (row report.Expectation, known bool) {
	at := slices.IndexFunc(scenario.Steps, func(step scenarios.Step) bool { return step.Name == e.Step })
	if at < 0 {
		return report.Expectation{}, false
	}
	line, err := scenario.Steps[at].Compile(e.Expression)
	if err != nil {
		return report.Expectation{}, false
	}
	rows := judged(check.WindowsOf(record, e.Step), line, e.KnownBug)
	if len(rows) != 1 { // a row is one comparison
		return report.Expectation{}, false
	}
	rows[0].Step = e.Step
	return rows[0], true
}

// incomplete is why nothing can be said of a step, if its load was not driven to its end,
// and what became of the load before and after it; empty: it was.
func incomplete(windows check.Windows) string {
	var why string
	switch during := windows.During; {
	case during == nil:
		why = "the load under the rule was not driven"
	case during.Stopped != nil:
		why = "the load under the rule was ended before its time"
	case during.Cut != "":
		why = "the load under the rule was cut off: " + during.Cut
	default:
		return ""
	}
	var whole bool
	became := func(w *report.Window) string {
		switch {
		case w == nil:
			return "was not driven"
		case w.Cut != "":
			return "was cut off"
		}
		whole = true
		return "is whole"
	}
	why += "; the baseline " + became(windows.Baseline) + ", the recovery " + became(windows.Recovery)
	if whole {
		why += ", and what is whole proves nothing without it"
	}
	return why
}

// aborted is the condition of abortWhen that came true under the rule of a step: a
// cohort suffered that must not, whatever else is expected.
func aborted(step scenarios.Step, w *report.Window) []report.Expectation {
	if w == nil || w.Stopped == nil || w.Stopped.Condition == "" {
		return nil
	}
	return []report.Expectation{{
		Expression: "abortWhen: " + w.Stopped.Condition, Step: step.Name, Line: w.Stopped.Line,
		Verdict: report.Fail, Observed: w.Stopped.Observed, Limit: "never " + w.Stopped.Limit, Values: w.Stopped.Values,
		Samples: w.Stopped.Samples, Source: "clients", Reason: w.Stopped.Error(),
	}}
}

// expectations are those that can speak of a window: its step's, or, of the
// windows without a step, all.
func (r run) expectations(w *report.Window) []scenarios.Line {
	var lines []scenarios.Line
	for _, step := range r.scenario.Steps {
		if w.Name != report.During || step.Name == w.Step {
			lines = append(lines, step.Expect...)
		}
	}
	return lines
}
