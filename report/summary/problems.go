package summary

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/report"
)

// Problem is what kept a run from being conclusive, or is left open.
type Problem struct {
	What    string   // is wrong, of all its objects
	More    []string // further of it; the last may say what to do
	Objects []string // where there are several of which the same is said
}

// Problems are those of a run, each once.
func Problems(r *report.Record) []Problem { return joined(r.Against()) }

// WhatProblems words what the problems of a run are: no fail is less of one for them.
func WhatProblems(r *report.Record) string {
	if r.Verdict == report.Fail {
		return "What else was found wrong"
	}
	return "What stands in the way of a verdict"
}

// Warnings are what a run leaves open, each once.
func Warnings(r *report.Record) []Problem { return joined(r.Warnings) }

// object is the name of one in a text.
var object = regexp.MustCompile(`\b[A-Z][A-Za-z]+(/[a-z0-9]([a-z0-9.-]*[a-z0-9])?){1,2}`)

// joined are texts of which those that are the same but for an object stand as one.
func joined(texts []string) []Problem {
	type group struct {
		text    string // of the first
		objects []string
	}
	var order []string
	groups := map[string]*group{}
	for _, text := range texts {
		name := object.FindString(text)
		key := text
		if name != "" {
			key = strings.ReplaceAll(text, name, "\x00")
		}
		if groups[key] == nil {
			groups[key], order = &group{text: text}, append(order, key)
		}
		if g := groups[key]; name != "" && !slices.Contains(g.objects, name) {
			g.objects = append(g.objects, name)
		}
	}
	var all []Problem
	for _, key := range order {
		g := groups[key]
		text := g.text
		if len(g.objects) < 2 {
			g.objects = nil
		} else {
			text = strings.ReplaceAll(key, "\x00", fmt.Sprintf("each of %d objects", len(g.objects)))
		}
		parts := Parts(text)
		all = append(all, Problem{parts[0], parts[1:], g.objects})
	}
	return all
}

// Parts are those of a text that semicolons join, but within quotes and brackets.
func Parts(text string) []string {
	var parts []string
	from, depth, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ';' && depth <= 0 && strings.HasPrefix(text[i:], "; "):
			parts = append(parts, text[from:i])
			from = i + len("; ")
		}
	}
	return append(parts, text[from:])
}

// Point is a part of a text, with those of what it has in brackets.
type Point struct {
	Text string
	Sub  []string
}

// Points are the parts of a text that are a statement each; several that one has in
// brackets stand below it.
func Points(text string) []Point {
	var all []Point
	for _, part := range Parts(text) {
		head, bracket, _ := strings.Cut(part, " (")
		within, closed := strings.CutSuffix(bracket, ")")
		if sub := Parts(within); closed && len(sub) > 1 {
			all = append(all, Point{head + ":", sub})
		} else {
			all = append(all, Point{Text: part})
		}
	}
	return all
}

// Observation words what was observed of an expectation, with its interval, and what was
// asked.
func Observation(r *report.Record, e report.Expectation) string {
	text := "observed " + cmp.Or(e.Observed, "nothing")
	ofAll := slices.ContainsFunc(e.Values, func(m report.Measure) bool { return m.Part != nil && m.Part.Total == e.Samples })
	if e.Samples > 0 && !ofAll {
		text += " in " + Plural(e.Samples, "request")
	}
	if interval := Confident(r, e); interval != "" {
		text += ", " + interval
	}
	return text + "; asked " + e.Limit
}

// plainly is a reason that says no more than what was observed and asked.
var plainly = regexp.MustCompile(`^[^;]* (is not below|is above|is not above|is below|is not|equals) [^;:]*$`)

// Telling is the reason of an expectation, if it says more than that what was observed
// is not what was asked.
func Telling(e report.Expectation) string {
	if plainly.MatchString(e.Reason) && e.Observed != "" && e.KnownBug == "" {
		return ""
	}
	return e.Reason
}
