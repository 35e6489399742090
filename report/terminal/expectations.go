package terminal

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// expectations print the table with as much as there is room for, or the rows below
// each other where there is none.
func (p *printer) expectations(r *report.Record, wide bool) {
	if len(r.Expectations) == 0 {
		return
	}
	p.line("")
	tables := []table{p.expectationTable(r, wide)}
	if !wide {
		for _, without := range [][]string{{"source"}, {"source", "samples"}, {"source", "samples", "interval"}} {
			tables = append(tables, p.expectationTable(r, false).without(without...))
		}
	}
	if lines, ok := p.first(tables...); ok {
		p.text(lines)
		return
	}
	p.expectationStack(r, wide)
}

func (p *printer) expectationTable(r *report.Record, wide bool) table {
	t := table{header: []string{"verdict", "expectation", "observed", "interval", "asked", "samples", "source"}, right: []bool{false, false, false, false, false, true, false}}
	step := ""
	for _, e := range r.Expectations {
		source := summary.Source(e.Source)
		if wide {
			source = e.Source
		}
		one := row{cells: []string{p.verdict(e.Verdict), e.Expression, cmp.Or(e.Observed, "-"), summary.Briefly(r, e), e.Limit, samples(e), source}}
		if e.Step != step {
			one.heading, step = "step "+e.Step, e.Step
		}
		t.rows = append(t.rows, one)
	}
	if !slices.ContainsFunc(r.Expectations, func(e report.Expectation) bool { return summary.Briefly(r, e) != "" }) {
		return t.without("interval")
	}
	return t
}

func samples(e report.Expectation) string {
	if e.Samples == 0 {
		return "-"
	}
	return strconv.FormatInt(e.Samples, 10)
}

// without is a table that lacks some of its columns.
func (t table) without(columns ...string) table {
	var less table
	for _, r := range t.rows {
		less.rows = append(less.rows, row{heading: r.heading})
	}
	for i, name := range t.header {
		if slices.Contains(columns, name) {
			continue
		}
		less.header, less.right = append(less.header, name), append(less.right, t.right[i])
		for at := range t.rows {
			less.rows[at].cells = append(less.rows[at].cells, t.rows[at].cells[i])
		}
	}
	return less
}

// expectationStack prints what the table has, but for what the expectation says
// itself, in as few lines as there is room for.
func (p *printer) expectationStack(r *report.Record, wide bool) {
	mark, title := 0, 0
	for _, e := range r.Expectations {
		mark = max(mark, twwidth.Width(p.verdict(e.Verdict))+2)
	}
	for _, e := range r.Expectations {
		if width := twwidth.Width(e.Expression) + 2; p.width == 0 || mark+width+twwidth.Width(e.Observed) <= p.width {
			title = max(title, width)
		}
	}
	step, margin := "", strings.Repeat(" ", mark)
	shown, omitted := false, false // intervals
	for _, e := range r.Expectations {
		if e.Step != step {
			step = e.Step
			p.say("", "step %s", step)
		}
		word, interval := p.verdict(e.Verdict), ""
		word += margin[twwidth.Width(word):]
		if !wide {
			interval = summary.Briefly(r, e)
		}
		has := p.stacked(word, margin, e, strings.Repeat(" ", max(2, title-twwidth.Width(e.Expression))), interval)
		shown, omitted = shown || has, omitted || interval != "" && !has
		if wide {
			p.fold(margin+"  ", margin+"  ", evidence(r, e))
		}
	}
	switch {
	case shown && omitted:
		p.say("", "(%s; -o wide has those without room here)", intervalsAre)
	case shown:
		p.say("", "(%s)", intervalsAre)
	case omitted:
		p.say("", "(-o wide has the intervals, for which there is no room here)")
	}
}

// stacked prints an expectation with what was observed, and says whether there was room
// for its interval. What does not stand beside the expectation stands below it.
func (p *printer) stacked(word, margin string, e report.Expectation, gap, interval string) bool {
	observed := cmp.Or(e.Observed, "-")
	line := word + e.Expression + gap + observed
	switch {
	case p.fits(line + "  " + interval):
		p.line("%s  %s", line, interval)
		return interval != ""
	case p.fits(line):
		p.line("%s", line)
		return false
	}
	p.fold(word, margin+"  ", e.Expression)
	for _, words := range []string{observed, interval} {
		if words != "" {
			p.fold(margin+"  ", margin+"  ", words)
		}
	}
	return interval != ""
}

// intervalsAre explains what stands beside what was observed.
const intervalsAre = "99%, 95%: the interval at that confidence"

// evidence is what was asked of an expectation, and what the answer stands on.
func evidence(r *report.Record, e report.Expectation) string {
	words := []string{"asked " + e.Limit}
	if e.Samples > 0 {
		words = append(words, summary.Plural(e.Samples, "sample"))
	}
	for _, more := range []string{summary.Confident(r, e), e.Source} {
		if more != "" {
			words = append(words, more)
		}
	}
	return strings.Join(words, ", ")
}
