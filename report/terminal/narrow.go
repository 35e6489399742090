package terminal

import (
	"io"
	"strings"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/meshchaos/meshchaos/report"
)

// entry is a row of a table for a terminal that is narrower than the table.
type entry struct {
	heading string // above the entry, if any
	mark    string // how it ended, before the title
	title   string
	detail  string // below the title
}

// expectationStack prints what the table of the expectations has, the verdict
// first.
func (p *printer) expectationStack(r *report.Record) {
	var entries []entry
	step := ""
	for _, e := range r.Expectations {
		row := p.row(e)
		shown := entry{mark: p.verdict(e.Verdict), title: e.Expression, detail: row[1] + ", asked " + row[2]}
		if e.Step != step {
			shown.heading, step = "step "+e.Step, e.Step
		}
		if e.Samples > 0 {
			shown.detail += "; samples " + row[3]
		}
		if e.Source != "" {
			shown.detail += "; " + e.Source
		}
		entries = append(entries, shown)
	}
	p.stack(entries)
}

// changeStack prints what the table of the changes has, the state first.
func (p *printer) changeStack(r *report.Record) {
	var entries []entry
	for _, c := range r.Changes {
		shown := entry{mark: p.wordState(r, c), title: c.Object, detail: wordStage(c) + ", " + c.Action}
		if len(c.LiveIn) > 0 {
			shown.detail += "; live " + wordLive(c)
		}
		entries = append(entries, shown)
	}
	p.stack(entries)
}

// stack prints the entries below each other, their titles in line.
func (p *printer) stack(entries []entry) {
	column := 0
	for _, e := range entries {
		column = max(column, twwidth.Width(e.mark)+2)
	}
	margin := strings.Repeat(" ", column)
	for _, e := range entries {
		if e.heading != "" {
			p.line("%s", e.heading)
		}
		p.fold(e.mark+margin[twwidth.Width(e.mark):], margin+"  ", e.title)
		p.fold(margin, margin, e.detail)
	}
}

// fits says whether the terminal has room for every line of the text.
func (p *printer) fits(text string) bool {
	if p.width == 0 {
		return true
	}
	for line := range strings.Lines(text) {
		if twwidth.Width(strings.TrimRight(line, " \n")) > p.width {
			return false
		}
	}
	return true
}

// fold prints a text after first, in as many lines as the terminal needs for it,
// each with rest before it but the first. A word that is longer than a line stays
// whole, so that a name or a path can be copied.
func (p *printer) fold(first, rest, text string) {
	if p.fits(first + text) {
		p.line("%s%s", first, text)
		return
	}
	line, empty := first, true
	for _, word := range strings.Fields(text) {
		switch {
		case empty:
			line += word
		case twwidth.Width(line)+1+twwidth.Width(word) > p.width:
			p.line("%s", line)
			line = rest + word
		default:
			line += " " + word
		}
		empty = false
	}
	p.line("%s", line)
}

// Fold prints lines of text for a terminal of so many columns, 0 for none: one that
// is wider goes on below, further in than it begins.
func Fold(w io.Writer, text string, width int) error {
	p := &printer{w: w, width: width}
	for line := range strings.Lines(text) {
		words := strings.TrimLeft(strings.TrimSuffix(line, "\n"), " ")
		margin := line[:len(strings.TrimSuffix(line, "\n"))-len(words)]
		p.fold(margin, margin+"  ", words)
	}
	return p.err
}
