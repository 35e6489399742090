package mutate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/internal/verdict"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// refusedPoint is the point of docs/verdicts.md by which what is wrong is refused
// before the first write.
const refusedPoint = 9

// fateOf says what became of a mutant: who killed it, or why nothing is known.
func fateOf(record *report.Record, m Mutant, err error) (report.Fate, *report.Killer, string) {
	var refused *runner.RefusedError
	switch {
	case errors.As(err, &refused):
		return report.Killed, &report.Killer{Point: refusedPoint, Problem: wordRefused(err)}, ""
	case err != nil:
		return report.Unknown, nil, fmt.Sprintf("it could not be run: %v", err)
	case !record.Restored:
		return report.Unknown, nil, "not everything could be restored after its run; run again, and report it if it stays"
	case record.Verdict == report.Pass:
		return report.Survived, nil, ""
	}
	if early := m.tooEarly(record); early != nil {
		return report.Unknown, nil, fmt.Sprintf("%s%s was %s before the rule was in force: the machine is too busy; run again, with less beside it", early.Expression, inStep(early.Step), early.Observed)
	}
	return report.Killed, m.killer(record), ""
}

// tooEarly is an expectation of what was before the rule that is spoilt, which cannot
// have noticed it; nil if there is none, or one that comes after it failed too.
func (m Mutant) tooEarly(record *report.Record) *report.Expectation {
	var early *report.Expectation
	for i, e := range record.Expectations {
		if e.Verdict != report.Fail {
			continue
		}
		if m.meets(e) {
			return nil
		}
		early = &record.Expectations[i]
	}
	return early
}

// wordRefused is why a run was refused, in one line and without the place: it is that
// of a rule which is right.
func wordRefused(err error) string {
	var placed *scenarios.Error
	if errors.As(err, &placed) {
		return placed.Message
	}
	return strings.ReplaceAll(err.Error(), "\n", "; and ")
}

// inStep names the step of an expectation, if it is of one.
func inStep(step string) string {
	if step == "" {
		return ""
	}
	return " (" + step + ")"
}

// meets says whether an expectation is of a window in which the spoilt rule is in
// force, or that comes after it.
func (m Mutant) meets(e report.Expectation) bool {
	i := slices.IndexFunc(m.Scenario.Steps, func(s scenarios.Step) bool { return s.Name == e.Step })
	return i >= m.stage-1 && (i < 0 || m.stage == 0 || !ofBaseline(m.Scenario.Steps[i], e.Expression))
}

// ofBaseline says whether a line is of the baseline and of nothing else.
func ofBaseline(step scenarios.Step, line string) bool {
	compiled, err := step.Compile(line)
	if err != nil || len(compiled.Needs()) > 0 || len(compiled.Loads()) == 0 {
		return false
	}
	return !slices.ContainsFunc(compiled.Loads(), func(l check.Load) bool { return l.Window != report.Baseline })
}

// killer is the first thing that kept a run from being a pass.
func (m Mutant) killer(record *report.Record) *report.Killer {
	for _, verdict := range []report.Verdict{report.Fail, report.Inconclusive} {
		if i := slices.IndexFunc(record.Expectations, func(e report.Expectation) bool { return e.Verdict == verdict && m.meets(e) }); i >= 0 {
			return &report.Killer{Expectation: &record.Expectations[i]}
		}
	}
	if doubts := verdict.Judge(record, m.Scenario).Doubts; len(doubts) > 0 {
		return &report.Killer{Point: doubts[0].Point, Problem: doubts[0].Problem}
	}
	if len(record.Problems) > 0 {
		return &report.Killer{Problem: record.Problems[0]}
	}
	return &report.Killer{Problem: "the run was no pass, and nothing says why"}
}
