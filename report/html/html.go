// Package html is the face of a report for a ticket, a browser and paper: one page that
// needs nothing beside it, and no script. It may import report, report/summary,
// report/compare, report/plot and loadgen.
package html

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/report/plot"
	"github.com/meshchaos/meshchaos/report/summary"
)

//go:embed *.tmpl page.css
var files embed.FS

// templates escape what stands in them by where it stands. Only the style sheet and the
// pictures, which have no text that is not escaped already, go in as they are.
var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"style":     style,
	"word":      summary.Word,
	"source":    summary.Source,
	"plural":    summary.Plural,
	"headline":  summary.Headline,
	"verdict":   summary.Verdict,
	"told":      func(r *report.Record) string { return summary.Short(summary.Verdict(r), mostTold) },
	"restored":  summary.Restored,
	"problems":  summary.WhatProblems,
	"where":     summary.Where,
	"noBites":   func() string { return summary.NoBites },
	"noCounts":  func() string { return summary.NoCounts },
	"noCalls":   func() string { return summary.NoCalls },
	"pointer":   at,
	"spans":     spans,
	"short":     func(text string) bool { return beginning(text) == text },
	"beginning": beginning,
	"terms":     summary.Terms,
	"took":      summary.Lasted,
	"moment":    summary.Moment,
	"compared":  compare.Sum,
	"side":      compare.Where,
	"name":      compare.Name,
	"words":     compare.Words,
	"moved":     func(s report.Compared) []report.Difference { return compare.Shown(s, false) },
}).ParseFS(files, "*.tmpl"))

func style() (template.CSS, error) {
	own, err := files.ReadFile("page.css")
	return template.CSS(string(own) + plot.Style), err
}

// most is how many bytes a page has at most: a ticket takes it, and a browser shows it
// at once.
const most = 500_000

// Write writes the page of a run. What is too much for one page is left out, the least
// important first, and the page says so.
func Write(w io.Writer, r *report.Record) error {
	text, err := write(r)
	if err != nil {
		return fmt.Errorf("writing the page of %s: %w", r.Scenario.Name, err)
	}
	_, err = w.Write(text)
	return err
}

func write(r *report.Record) ([]byte, error) {
	p, err := newPage(summary.Clean(r))
	if err != nil {
		return nil, err
	}
	for {
		text, err := p.text()
		if err != nil || len(text) <= most {
			return text, err
		}
		if !p.shorten() {
			break
		}
	}
	if p, err = brief(r); err != nil {
		return nil, err
	}
	for {
		text, err := p.text()
		if err != nil || len(text) <= most || !p.shortest() {
			return text, err
		}
	}
}

func (p *page) text() ([]byte, error) {
	var text bytes.Buffer
	err := templates.ExecuteTemplate(&text, "page.tmpl", p)
	return text.Bytes(), err
}

// Mark stands on each page, by which it is known to be one of these.
const Mark = `<p class="eyebrow">meshchaos report</p>`

// mostTold is how many characters an index has of how a scenario ended: the rest is on the
// page that it leads to.
const mostTold = 1000

// Index writes a page that leads to those of several scenarios.
func Index(w io.Writer, all []summary.Ended) error {
	clean := summary.CleanEnded(all)
	for i := range clean {
		clean[i].Why = summary.Short(clean[i].Why, mostTold)
	}
	if err := templates.ExecuteTemplate(w, "index.tmpl", index{summary.GravestFirst(clean)}); err != nil {
		return fmt.Errorf("writing the index of %d scenarios: %w", len(all), err)
	}
	return nil
}

// index is what index.tmpl shows.
type index struct{ Runs []summary.Ended }

// All is how many runs there were.
func (i index) All() int64 { return int64(len(i.Runs)) }

// Whence is when and where they were.
func (i index) Whence() string { return summary.Whence(i.Runs) }

// Count is how many runs ended so.
func (i index) Count(verdict report.Verdict) int64 {
	var count int64
	for _, run := range i.Runs {
		if run.Record != nil && run.Record.Verdict == verdict {
			count++
		}
	}
	return count
}

// Left is how many runs have left something behind.
func (i index) Left() int64 {
	var count int64
	for _, run := range i.Runs {
		if run.Record != nil && !run.Record.Restored {
			count++
		}
	}
	return count
}

// None is how many scenarios have no record.
func (i index) None() int64 {
	var count int64
	for _, run := range i.Runs {
		if run.Record == nil {
			count++
		}
	}
	return count
}
