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
		for _, without := range [][]string{{"source"}, {"source", "samples"}} {
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
	t := table{header: []string{"verdict", "expectation", "observed", "asked", "samples", "source"}, right: []bool{false, false, false, false, true, false}}
	step := ""
	for _, e := range r.Expectations {
		source := summary.Source(e.Source)
		if wide {
			source = e.Source
		}
		one := row{cells: []string{p.verdict(e.Verdict), e.Expression, cmp.Or(e.Observed, "-"), e.Limit, samples(e), source}}
		if e.Step != step {
			one.heading, step = "step "+e.Step, e.Step
		}
		t.rows = append(t.rows, one)
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
	for _, e := range r.Expectations {
		if e.Step != step {
			step = e.Step
			p.say("", "step %s", step)
		}
		word, observed := p.verdict(e.Verdict), cmp.Or(e.Observed, "-")
		first := word + margin[twwidth.Width(word):] + e.Expression
		gap := strings.Repeat(" ", max(2, title-twwidth.Width(e.Expression)))
		if p.fits(first + gap + observed) {
			p.line("%s%s%s", first, gap, observed)
		} else {
			p.fold(word+margin[twwidth.Width(word):], margin+"  ", e.Expression)
			p.fold(margin+"  ", margin+"  ", observed)
		}
		if wide {
			more := "asked " + e.Limit
			if e.Samples > 0 {
				more += ", " + summary.Plural(e.Samples, "sample")
			}
			p.fold(margin+"  ", margin+"  ", strings.TrimSuffix(more+", "+e.Source, ", "))
		}
	}
}
