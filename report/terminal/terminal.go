// Package terminal is the face of a report for people at a terminal, and for a
// log: plain lines and a table. It may import report.
package terminal

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/meshchaos/meshchaos/report"
)

// Options say how a report is shown.
type Options struct {
	Color   bool // ANSI colours on the verdicts
	Explain bool // the calls of every cohort, not only those of what failed
}

// Write prints the verdict of a run: the expectations, the calls that explain
// what failed, what was changed and that it is back, and what kept the run from
// being conclusive.
func Write(w io.Writer, r *report.Record, o Options) error {
	p := &printer{w: w, color: o.Color}
	p.line("")
	p.line("%s on the %s mesh, namespace %s, run %s, seed %d", r.Scenario.Name, r.Mesh.Kind, r.Mesh.Namespace, r.Run, r.Seed)
	if r.Scenario.Summary != "" {
		p.line("%s", r.Scenario.Summary)
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
		p.line("warning: %s", warning)
	}
	for _, problem := range r.Problems {
		p.line("problem: %s", problem)
	}
	p.line("")
	p.line("%s: %s in %s", r.Scenario.Name, p.verdict(r.Verdict), r.Ended.Sub(r.Started).Round(10*time.Millisecond))
	return p.err
}

// printer keeps the first error of its writer.
type printer struct {
	w     io.Writer
	color bool
	err   error
}

func (p *printer) line(format string, args ...any) {
	if _, err := fmt.Fprintf(p.w, format+"\n", args...); err != nil && p.err == nil {
		p.err = err
	}
}

// expectations prints the table; a row's reason stands below it.
func (p *printer) expectations(r *report.Record) error {
	steps := false
	for _, e := range r.Expectations {
		steps = steps || e.Step != ""
	}
	header := []string{"expectation", "observed", "asked", "samples", "verdict", "source"}
	if steps {
		header = append([]string{"step"}, header...)
	}
	table := p.table()
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
			return fmt.Errorf("printing the expectations: %w", err)
		}
	}
	if err := table.Render(); err != nil {
		return fmt.Errorf("printing the expectations: %w", err)
	}
	for _, e := range r.Expectations {
		if e.Reason != "" {
			p.line("%s: %s: %s", p.verdict(e.Verdict), e.Expression, e.Reason)
		}
	}
	return nil
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

// changes prints what was written and whether it is back.
func (p *printer) changes(r *report.Record) error {
	p.line("")
	if len(r.Changes) == 0 {
		p.line("Nothing was changed.")
		return p.err
	}
	table := p.table()
	table.Header("changed", "for", "action", "live", "now")
	for _, c := range r.Changes {
		state := "as before"
		switch {
		case !c.Restored:
			state = p.paint("NOT RESTORED", red)
		case c.Before == nil:
			state = "gone again"
		}
		live := "-"
		if len(c.LiveIn) > 0 {
			live = fmt.Sprintf("in %d proxies after %s", len(c.LiveIn), time.Duration(c.LiveMs)*time.Millisecond)
		}
		stage := c.Step
		if stage == "" {
			stage = "apply"
		}
		if err := table.Append(c.Object, stage, c.Action, live, state); err != nil {
			return fmt.Errorf("printing the changes: %w", err)
		}
	}
	if err := table.Render(); err != nil {
		return fmt.Errorf("printing the changes: %w", err)
	}
	p.lost(r.Changes)
	if r.Restored {
		p.line("Everything is as it was: the objects equal what was there, and the proxies run it.")
	}
	return p.err
}

// lost prints of each object that is not as it was what is wrong with it, and the
// manifest that was there: without --report-dir it stands nowhere else.
func (p *printer) lost(changes []report.Change) {
	said := map[string]bool{}
	for _, c := range changes {
		if c.Restored || said[c.Object] {
			continue
		}
		said[c.Object] = true // what was there before the run is in its first change
		p.line("%s: %s", c.Object, c.Proof)
		if len(c.Before) > 0 {
			p.line("%s, as it was: %s", c.Object, writable(c.Before))
		}
	}
}

// writable is a manifest without the version that the next write of it would have
// to find there.
func writable(manifest json.RawMessage) string {
	var object, metadata map[string]json.RawMessage
	if json.Unmarshal(manifest, &object) != nil || json.Unmarshal(object["metadata"], &metadata) != nil {
		return string(manifest)
	}
	for _, of := range []string{"creationTimestamp", "generation", "resourceVersion", "uid"} {
		delete(metadata, of)
	}
	text, err := json.Marshal(metadata)
	if err != nil {
		return string(manifest)
	}
	object["metadata"] = text
	if text, err = json.Marshal(object); err != nil {
		return string(manifest)
	}
	return string(text)
}

// table has plain columns, for a terminal and for a log.
func (p *printer) table() *tablewriter.Table {
	return tablewriter.NewTable(p.w,
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
