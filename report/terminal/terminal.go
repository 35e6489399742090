// Package terminal is the face of a report for people at a terminal, and for a
// log: the verdict, what failed, the loads, the expectations, the objects. It may
// import report, report/summary and report/compare.
package terminal

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// Options say how a report is shown.
type Options struct {
	Width   int  // columns of the terminal; 0: there is none, and lines are as long as they are
	Color   bool // ANSI colours on the verdicts
	Explain bool // the calls of every cohort, not only those of what failed
	Wide    bool // all of it: each change of an object, the sources in full, the command line
}

// Write prints a run. The verdict comes first, and at the end once more in a few words:
// of a long report a terminal shows the end.
func Write(w io.Writer, r *report.Record, o Options) error {
	r = summary.Clean(r)
	p := &printer{w: w, width: o.Width, color: o.Color}
	p.line("")
	p.headline(r)
	p.origin(r, o.Wide)
	p.failures(r)
	p.inconclusive(r)
	p.loads(r, o.Wide)
	p.otherCalls(r, o.Explain)
	p.expectations(r, o.Wide)
	p.objects(r, o.Wide)
	p.remarks("warning", summary.Warnings(r))
	p.remarks("problem", problems(r))
	p.compared(r, o.Wide)
	p.line("")
	p.line("%s", p.ending(r))
	return p.err
}

// WriteVerdict prints the verdict of a run, and nothing else.
func WriteVerdict(w io.Writer, r *report.Record, o Options) error {
	p := &printer{w: w, width: o.Width, color: o.Color}
	p.headline(summary.Clean(r))
	return p.err
}

func (p *printer) headline(r *report.Record) {
	text := summary.Headline(r)
	word := summary.Word(r.Verdict)
	p.fold(p.paint(word, colorOf(r.Verdict))+" ", "", strings.TrimPrefix(text, word+" "))
}

// ending is the headline in a few words.
func (p *printer) ending(r *report.Record) string {
	word := summary.Word(r.Verdict)
	before, behind, _ := strings.Cut(summary.Ending(r), word)
	return before + p.paint(word, colorOf(r.Verdict)) + strings.Replace(behind, "NOT RESTORED", p.paint("NOT RESTORED", red), 1)
}

// origin says which run it was, and what it was given.
func (p *printer) origin(r *report.Record, wide bool) {
	p.line("")
	words := fmt.Sprintf("run %s of %s, namespace %s", r.Run, named(r.Scenario), r.Mesh.Namespace)
	if r.Seed != nil {
		words += ", " + glued(fmt.Sprintf("seed %d", *r.Seed))
	}
	if r.Mesh.Version != "" {
		words += ", " + r.Mesh.Version
	}
	p.say("", "%s", words)
	for _, name := range slices.Sorted(maps.Keys(r.Scenario.Params)) {
		p.say("  ", "  param %s: %s", name, r.Scenario.Params[name])
	}
	for _, set := range r.Scenario.Set {
		p.say("  ", "  set %s", set)
	}
	if wide {
		if who := summary.Who(r); who != "" {
			p.say("  ", "%s", who)
		}
		p.line("again: %s", summary.Command(r))
	}
}

// named is where a scenario comes from.
func named(s report.Scenario) string {
	if s.Library {
		return "the library's " + s.Name
	}
	return cmp.Or(s.File, s.Name)
}

// problems are those of a run, but for what is said beside an object that is not as it
// was.
func problems(r *report.Record) []summary.Problem {
	var proofs []string
	for _, o := range summary.Objects(r) {
		if o.Lost() {
			proofs = append(proofs, o.Proof())
		}
	}
	return slices.DeleteFunc(summary.Problems(r), func(one summary.Problem) bool {
		text := strings.Join(append([]string{one.What}, one.More...), "; ")
		return slices.ContainsFunc(proofs, func(proof string) bool { return strings.HasPrefix(proof, text) })
	})
}

// remarks print what is to be said of a run, each of it with what to do below; in a
// log, on one line.
func (p *printer) remarks(word string, all []summary.Problem) {
	for _, one := range all {
		if p.width == 0 {
			what := one.What
			if len(one.Objects) > 0 {
				what += ": " + strings.Join(one.Objects, ", ")
			}
			p.line("%s: %s", word, strings.Join(append([]string{what}, one.More...), "; "))
			continue
		}
		p.fold("", "  ", word+": "+one.What)
		for _, object := range one.Objects {
			p.line("    %s", object)
		}
		for _, more := range one.More {
			p.fold("  ", "  ", more)
		}
	}
}

// printer keeps the first error of its writer.
type printer struct {
	w     io.Writer
	width int
	color bool
	err   error
}

// line prints a line, without blanks at its end.
func (p *printer) line(format string, args ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), string(glue), " ")
	if _, err := fmt.Fprintln(p.w, strings.TrimRight(text, " ")); err != nil && p.err == nil {
		p.err = err
	}
}

// failed keeps an error.
func (p *printer) failed(err error) {
	if p.err == nil {
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
	text := fmt.Sprintf(format, args...)
	words := strings.TrimLeft(text, " ")
	p.fold(text[:len(text)-len(words)], indent+"  ", words)
}

const (
	red    = "31"
	green  = "32"
	yellow = "33"
)

func colorOf(v report.Verdict) string {
	switch v {
	case report.Pass:
		return green
	case report.Fail:
		return red
	}
	return yellow
}

// verdict is that of an expectation.
func (p *printer) verdict(v report.Verdict) string {
	text := string(v)
	if v == report.Fail {
		text = strings.ToUpper(text)
	}
	return p.paint(text, colorOf(v))
}

func (p *printer) paint(text, code string) string {
	if !p.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
