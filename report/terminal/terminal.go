// Package terminal is the face of a report for people at a terminal, and for a
// log: plain lines and a table. It may import report.
package terminal

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/meshchaos/meshchaos/report"
)

// Options say how a report is shown.
type Options struct {
	Width   int  // columns of the terminal; 0: there is none, and lines are as long as they are
	Color   bool // ANSI colours on the verdicts
	Explain bool // the calls of every cohort, not only those of what failed
}

// Write prints the verdict of a run: the expectations, the calls that explain
// what failed, what was changed and that it is back, and what kept the run from
// being conclusive.
func Write(w io.Writer, r *report.Record, o Options) error {
	p := &printer{w: w, width: o.Width, color: o.Color}
	p.line("")
	seed := ""
	if r.Seed != nil {
		seed = fmt.Sprintf(", seed %d", *r.Seed)
	}
	p.say("", "%s on the %s mesh, namespace %s, run %s%s", named(r.Scenario), r.Mesh.Kind, r.Mesh.Namespace, r.Run, seed)
	if r.Scenario.Summary != "" {
		p.say("", "%s", r.Scenario.Summary)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Scenario.Params)) {
		p.say("  ", "param %s: %s", name, r.Scenario.Params[name])
	}
	for _, set := range r.Scenario.Set {
		p.say("  ", "set %s", set)
	}
	p.line("")
	if err := p.expectations(r); err != nil {
		return err
	}
	p.calls(r, o.Explain)
	if err := p.changes(r); err != nil {
		return err
	}
	for _, warning := range r.Warnings {
		p.say("  ", "warning: %s", warning)
	}
	for _, problem := range r.Against() {
		p.say("  ", "problem: %s", problem)
	}
	p.line("")
	p.line("%s: %s in %s", r.Scenario.Name, p.verdict(r.Verdict), r.Ended.Sub(r.Started).Round(10*time.Millisecond))
	return p.err
}

// named is the name of a scenario, with where it comes from if that is no file.
func named(s report.Scenario) string {
	if s.Library {
		return s.Name + " of the library"
	}
	return s.Name
}

// printer keeps the first error of its writer.
type printer struct {
	w     io.Writer
	width int
	color bool
	err   error
}

func (p *printer) line(format string, args ...any) {
	if _, err := fmt.Fprintf(p.w, format+"\n", args...); err != nil && p.err == nil {
		p.err = err
	}
}

// text prints lines as they are, without the blanks at their ends.
func (p *printer) text(lines string) {
	for line := range strings.Lines(lines) {
		p.line("%s", strings.TrimRight(line, " \n"))
	}
}

// say prints a sentence, folded where the terminal is narrower than it.
func (p *printer) say(indent, format string, args ...any) {
	p.fold("", indent, fmt.Sprintf(format, args...))
}

// expectations prints the table, or the rows below each other where there is no
// room for it; a row's reason stands below it.
func (p *printer) expectations(r *report.Record) error {
	text, err := p.expectationTable(r)
	if err != nil {
		return fmt.Errorf("printing the expectations: %w", err)
	}
	if p.fits(text) {
		p.text(text)
	} else {
		p.expectationStack(r)
	}
	for _, e := range r.Expectations {
		if e.Reason != "" {
			p.say("  ", "%s: %s: %s", p.verdict(e.Verdict), e.Expression, e.Reason)
		}
	}
	return nil
}

func (p *printer) expectationTable(r *report.Record) (string, error) {
	steps := false
	for _, e := range r.Expectations {
		steps = steps || e.Step != ""
	}
	header := []string{"expectation", "observed", "asked", "samples", "verdict", "source"}
	if steps {
		header = append([]string{"step"}, header...)
	}
	var text strings.Builder
	table := newTable(&text)
	table.Header(header)
	step := ""
	for _, e := range r.Expectations {
		row := p.row(e)
		if steps {
			shown := e.Step
			if shown == step {
				shown = "" // named once, above
			}
			row, step = append([]string{shown}, row...), e.Step
		}
		if err := table.Append(row); err != nil {
			return "", err
		}
	}
	err := table.Render()
	return text.String(), err
}

func (p *printer) row(e report.Expectation) []string {
	observed, samples := e.Observed, fmt.Sprint(e.Samples)
	if observed == "" {
		observed = "-"
	}
	if e.Samples == 0 {
		samples = "-"
	}
	return []string{e.Expression, observed, e.Limit, samples, p.verdict(e.Verdict), e.Source}
}

// newTable has plain columns, for a terminal and for a log.
func newTable(w io.Writer) *tablewriter.Table {
	return tablewriter.NewTable(w,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Symbols:  tw.NewSymbols(tw.StyleASCII),
			Settings: tw.Settings{Separators: tw.Separators{BetweenColumns: tw.Off, BetweenRows: tw.Off}, Lines: tw.Lines{ShowHeaderLine: tw.On}},
		})),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAlignment(tw.AlignLeft),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
	)
}

const (
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (p *printer) verdict(v report.Verdict) string {
	switch v {
	case report.Pass:
		return p.paint(string(v), green)
	case report.Fail:
		return p.paint(strings.ToUpper(string(v)), red)
	default:
		return p.paint(string(v), yellow)
	}
}

func (p *printer) paint(text, code string) string {
	if !p.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
