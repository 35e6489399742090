// Package junit is the face of reports for CI: test results as JUnit's Ant task writes
// them, a suite for each run and a test case for each expectation.
//
// What it writes has a place in the schema of that task and in that of Jenkins, which
// agree in little else: that is why there are elements without content, and no counts of
// all suites together. It may import report, report/summary and report/compare.
package junit

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/report/summary"
)

// Suite is what became of one scenario.
type Suite struct {
	Name       string     `xml:"name,attr"`
	Package    string     `xml:"package,attr"`
	ID         int        `xml:"id,attr"`
	Timestamp  string     `xml:"timestamp,attr"` // in UTC; the schema allows no zone
	Hostname   string     `xml:"hostname,attr"`  // empty: it is not known, and is written as localhost, for the schemas want one
	Tests      int        `xml:"tests,attr"`
	Failures   int        `xml:"failures,attr"`
	Errors     int        `xml:"errors,attr"`
	Time       string     `xml:"time,attr"` // in seconds
	Properties []Property `xml:"properties>property"`
	Cases      []Case     `xml:"testcase"`
	Out        string     `xml:"system-out"`
	Err        string     `xml:"system-err"`
}

// Property is what a suite was run with.
type Property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

// Case is a test case; it passed if it has neither an error nor a failure.
type Case struct {
	Name    string   `xml:"name,attr"`
	Class   string   `xml:"classname,attr"`
	Time    string   `xml:"time,attr"` // in seconds
	Error   *Trouble `xml:"error"`
	Failure *Trouble `xml:"failure"`
}

// Trouble is why a case did not pass.
type Trouble struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// The cases that each run has beside its expectations, so that none which is not
// conclusive, or has left something, has no red case.
const (
	caseRun      = "nothing kept the run from being conclusive"
	caseRecord   = "the record bears out its own verdict"
	caseRestored = "everything is as it was"
	caseVerdict  = "the verdict is pass"
	caseCommand  = "the command did what was asked of it"
)

// Write writes the results of one run.
func Write(w io.Writer, r *report.Record) error { return WriteAll(w, []Suite{Of(r)}) }

// WriteAll writes the results of several scenarios.
func WriteAll(w io.Writer, suites []Suite) error {
	file := struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []Suite  `xml:"testsuite"`
	}{}
	for i, s := range suites {
		s = s.plain().counted()
		s.ID = i
		file.Suites = append(file.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	// It replaces what XML 1.0 forbids, and what is no UTF-8.
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(file); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// plain is the suite without what could act on whoever reads the file: beyond what XML
// forbids there are orders to terminals, and what turns the direction of writing.
func (s Suite) plain() Suite {
	s.Hostname = cmp.Or(s.Hostname, "localhost")
	for _, text := range []*string{&s.Name, &s.Package, &s.Hostname, &s.Out, &s.Err} {
		*text = summary.Lines(*text)
	}
	s.Properties = slices.Clone(s.Properties)
	for i := range s.Properties {
		p := &s.Properties[i]
		p.Name, p.Value = summary.Lines(p.Name), summary.Lines(p.Value)
	}
	s.Cases = slices.Clone(s.Cases)
	for i := range s.Cases {
		c := &s.Cases[i]
		c.Name, c.Class, c.Error, c.Failure = summary.Lines(c.Name), summary.Lines(c.Class), c.Error.plain(), c.Failure.plain()
	}
	return s
}

func (t *Trouble) plain() *Trouble {
	if t == nil {
		return nil
	}
	return &Trouble{Message: summary.Lines(t.Message), Type: t.Type, Text: summary.Lines(t.Text)}
}

// counted is the suite with its counts.
func (s Suite) counted() Suite {
	s.Tests, s.Failures, s.Errors = len(s.Cases), 0, 0
	for _, c := range s.Cases {
		switch {
		case c.Error != nil:
			s.Errors++
		case c.Failure != nil:
			s.Failures++
		}
	}
	return s
}

// Passed says whether the suite has no case that did not pass.
func (s Suite) Passed() bool {
	s = s.counted()
	return s.Failures+s.Errors == 0
}

// Of is the suite of a run.
func Of(r *report.Record) Suite {
	s := suite(r.Scenario.Name, r.Started, r.Ended.Sub(r.Started))
	if r.Who != nil {
		s.Hostname = fit(r.Who.Host)
	}
	s.Properties = properties(r)
	s.compared(r)
	s.Err = fit(strings.Join(r.Warnings, "\n"))
	for _, e := range r.Expectations {
		s.Cases = append(s.Cases, ofExpectation(r, e))
	}
	var doubts, left []string
	for _, d := range r.Doubts {
		doubts = append(doubts, fmt.Sprintf("%s (point %d of docs/verdicts.md)", d.Problem, d.Point))
	}
	for _, o := range summary.Objects(r) {
		if o.State() == summary.NotRestored {
			left = append(left, o.Name+": "+o.Proof())
		}
	}
	if !r.Restored && len(left) == 0 {
		left = append(left, "it is not proved that every change was undone")
	}
	s.add(caseRun, string(report.Inconclusive), r.Problems)
	s.add(caseRecord, string(report.Inconclusive), doubts)
	s.add(caseRestored, "notRestored", left)
	if r.Verdict != report.Pass && s.Passed() {
		s.add(caseVerdict, string(r.Verdict), []string{"the verdict is " + string(r.Verdict)})
	}
	return s
}

// compared tells what has changed since an earlier run. It makes no case red: the status of
// a run that has regressed is that of its verdict, too.
func (s *Suite) compared(r *report.Record) {
	c := r.Comparison()
	if c == nil {
		return
	}
	s.Properties = append(s.Properties, Property{"comparedWith", fit(r.ComparedWith.Run)}, Property{"regressed", strconv.FormatBool(c.Regressed)})
	s.Out = fit(compare.Since(r, false))
}

// Add notes what failed beside the run, such as the writing of its report.
func (s *Suite) Add(failures []string) {
	if len(failures) > 0 {
		s.add(caseCommand, "command", failures)
	}
}

// Unfinished is the suite of a scenario before it has ended: it stays if the program is
// ended in between.
func Unfinished(name string, now time.Time) Suite {
	return NotRun(name, "it has not ended: where this is still to be read, the command was ended before it could tell what became of the run", now, 0)
}

// NotRun is the suite of a scenario of which there is no record.
func NotRun(name, why string, started time.Time, took time.Duration) Suite {
	s := suite(name, started, took)
	s.Properties = []Property{{"verdict", "none"}}
	s.add(caseRun, "notRun", []string{why})
	return s
}

func suite(name string, started time.Time, took time.Duration) Suite {
	return Suite{
		Name: fit(name), Package: "meshchaos",
		Timestamp: started.UTC().Format("2006-01-02T15:04:05"), Time: seconds(took),
	}
}

// add adds a case that has an error if there is anything against it.
func (s *Suite) add(name, kind string, against []string) {
	c := Case{Name: name, Class: s.Name, Time: seconds(0)}
	if len(against) > 0 {
		message := against[0]
		if more := len(against) - 1; more > 0 {
			message = fmt.Sprintf("%s (and %d more)", message, more)
		}
		c.Error = &Trouble{brief(message), kind, fit(strings.Join(against, "\n"))}
	}
	s.Cases = append(s.Cases, c)
}

func ofExpectation(r *report.Record, e report.Expectation) Case {
	c := Case{Name: fit(e.Expression), Class: fit(r.Scenario.Name), Time: seconds(0)}
	if e.Step != "" {
		c.Class += "." + e.Step
	}
	if w := r.Window(report.During, e.Step); w != nil {
		c.Time = seconds(w.Ended.Sub(w.Started))
	}
	if e.KnownBug != "" {
		c.Name = fit(e.Expression + " (known bug: " + e.KnownBug + ")")
	}
	if e.Verdict == report.Pass {
		return c
	}
	if e.Verdict == report.Fail {
		c.Failure = troubleOf(r, e)
	} else {
		c.Error = troubleOf(r, e)
	}
	return c
}

// troubleOf is why an expectation is no pass.
func troubleOf(r *report.Record, e report.Expectation) *Trouble {
	message := summary.Observation(r, e)
	lines := []string{e.Expression, message, fmt.Sprintf("samples: %d", e.Samples)}
	if e.Source != "" {
		lines = append(lines, "source: "+e.Source)
	}
	if reason := summary.Telling(e); reason != "" {
		message += ": " + reason
		lines = append(lines, reason)
	}
	if e.Line > 0 {
		lines = append(lines, fmt.Sprintf("%s:%d", r.Scenario.File, e.Line))
	}
	return &Trouble{brief(message), string(e.Verdict), fit(strings.Join(lines, "\n"))}
}

func properties(r *report.Record) []Property {
	all := []Property{
		{"verdict", string(r.Verdict)}, {"restored", strconv.FormatBool(r.Restored)}, {"run", r.Run},
		{"mesh", r.Mesh.Kind}, {"namespace", r.Mesh.Namespace}, {"version", r.Tool.Version},
	}
	if r.Seed != nil {
		all = append(all, Property{"seed", strconv.FormatUint(*r.Seed, 10)})
	}
	if r.Scenario.Digest != "" {
		all = append(all, Property{"scenario", r.Scenario.Digest})
	}
	for i := range all {
		all[i].Value = fit(all[i].Value)
	}
	return all
}

// briefest is how many characters of a text stand in a list.
const briefest = 300

// longest is how many bytes of a text are written: what a service says may be as long as
// it likes.
const longest = 16 << 10

// fit is a text that is not too long.
func fit(text string) string {
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + fmt.Sprintf(" … (%d bytes were cut off; report.json has them)", len(text)-longest)
}

// brief is a text as a line in a list has it: what is left out stands below it.
func brief(text string) string {
	line, _, cut := strings.Cut(text, "\n")
	if runes := []rune(line[:min(len(line), longest)]); len(runes) > briefest {
		line, cut = string(runes[:briefest]), true
	}
	if cut {
		line += " …"
	}
	return line
}

func seconds(d time.Duration) string { return strconv.FormatFloat(max(d, 0).Seconds(), 'f', 3, 64) }
