package terminal

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// mutationWidth is how wide the list of mutants is at the most: as wide as a
// terminal is at least.
const mutationWidth = 80

// WriteMutation prints what became of each mutant: its id, what is wrong, and who
// noticed.
func WriteMutation(w io.Writer, m *report.Mutation, o Options) error {
	width := mutationWidth
	if o.Width > 0 {
		width = min(width, o.Width)
	}
	m = summary.CleanMutation(m)
	p := &printer{w: w, width: width, color: o.Color}
	p.line("")
	p.say("", "%s: %s on the embedded mesh, seed %d", m.Scenario.Name, summary.Plural(int64(len(m.Mutants)), "mutant"), m.Seed)
	p.line("")
	column := 0
	for _, one := range m.Mutants {
		column = max(column, twwidth.Width(p.fate(one))+2)
	}
	margin := strings.Repeat(" ", column)
	for _, one := range m.Mutants {
		mark := p.fate(one)
		p.fold(mark+margin[twwidth.Width(mark):], margin, fmt.Sprintf("%s (line %d)", one.ID, one.Line))
		p.fold(margin, margin, one.What)
		p.fold(margin, margin, wordFate(one))
	}
	p.line("")
	p.line("%s", fates(m))
	return p.err
}

// fates counts the fates.
func fates(m *report.Mutation) string {
	words := []string{fmt.Sprintf("%d killed", m.Count(report.Killed)), fmt.Sprintf("%d survived", m.Count(report.Survived))}
	for _, fate := range []report.Fate{report.Excused, report.Unknown} {
		if n := m.Count(fate); n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, fate))
		}
	}
	return fmt.Sprintf("%s: %s: %s in %s", m.Scenario.Name, summary.Plural(int64(len(m.Mutants)), "mutant"), strings.Join(words, ", "), m.Ended.Sub(m.Started).Round(10*time.Millisecond))
}

func (p *printer) fate(m report.Mutant) string {
	switch {
	case m.Wrong(), m.Fate == report.Survived:
		return p.paint(strings.ToUpper(string(m.Fate)), red)
	case m.Fate == report.Killed:
		return p.paint(string(m.Fate), green)
	}
	return p.paint(string(m.Fate), yellow)
}

// wordWanted lists expectations, each with the step that lacks it.
func wordWanted(all []report.Want) string {
	var words []string
	for _, want := range all {
		words = append(words, summary.InStep(want.Expression, want.Step))
	}
	return strings.Join(words, "; ")
}

// wordFate says by what a mutant was killed, or what would have killed it.
func wordFate(m report.Mutant) string {
	switch {
	case m.Wrong():
		return "by " + wordKiller(m.By) + "; yet spec.mutants says that nothing can tell it from the rule: take the excuse out"
	case m.Fate == report.Killed:
		return "by " + wordKiller(m.By)
	case m.Fate == report.Excused && len(m.Wanted) > 0:
		return strings.TrimSuffix(m.Excuse, ".") + ". Yet in these runs this would have killed it: " + wordWanted(m.Wanted) + "; if it does so in all, the excuse is wrong."
	case m.Fate == report.Excused:
		return m.Excuse
	case m.Fate == report.Unknown:
		return m.Reason
	case len(m.Wanted) > 0:
		return "these would have killed it: " + wordWanted(m.Wanted)
	}
	return m.Advice
}

// wordKiller says what kept a mutant's run from being a pass.
func wordKiller(k *report.Killer) string {
	switch {
	case k.Expectation != nil && k.Expectation.Verdict == report.Fail:
		return fmt.Sprintf("%s, which was %s", summary.InStep(k.Expectation.Expression, k.Expectation.Step), cmp.Or(k.Expectation.Observed, "absent"))
	case k.Expectation != nil:
		return fmt.Sprintf("%s, inconclusive: %s", summary.InStep(k.Expectation.Expression, k.Expectation.Step), k.Expectation.Reason)
	case k.Point > 0:
		return fmt.Sprintf("point %d of what a pass means: %s", k.Point, k.Problem)
	}
	return k.Problem
}
