package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/report"
)

// isCohort says whether a token names a cohort.
func (c *compiler) isCohort(t token) bool {
	return t.kind == wordToken && slices.Contains(c.scope.Cohorts, t.text)
}

// load compiles the name of a cohort, or of one of its requests, in a window or not.
func (c *compiler) load(n node) (Load, error) {
	l, is, err := c.requestOf(n)
	if err == nil && is {
		c.useLoad(l)
	}
	if err != nil || is {
		return l, err
	}
	if l, err = c.cohort(n); err == nil {
		c.useLoad(l)
	}
	return l, err
}

// cohort compiles the name of a cohort.
func (c *compiler) cohort(n node) (Load, error) {
	if err := c.notMeanwhile(n); err != nil {
		return Load{}, err
	}
	var window string
	var t token
	switch n := n.(type) {
	case *name:
		window, t = report.During, n.token
	case *field:
		window, t = windowOf(n.of), n.name
	}
	switch {
	case window == "" || t.kind != wordToken:
		return Load{}, c.notLoad(n)
	case window == report.During && slices.Contains(c.scope.Services, t.text):
		return Load{}, &Error{Offset: t.start, Message: fmt.Sprintf("%s is a service, not a load", t.text), Hint: fmt.Sprintf("write requests(%s), faults(%s) or the like", t.text, t.text)}
	case !c.isCohort(t) && c.scope.Alone != "" && window != report.During:
		return Load{}, &Error{Offset: n.at().start, Message: "there is no " + window, Hint: "a load by itself is driven once, and under no rule: write p50 < 1s or the like"}
	case !c.isCohort(t) && c.scope.Alone != "":
		return Load{}, c.needsNoName(t)
	case !c.isCohort(t):
		return Load{}, unknown(t, "load", c.scope.Cohorts)
	}
	return Load{Window: window, Cohort: t.text}, nil
}

// needsNoName is the error of a name before a quantity of the only load there is, or before
// what is none.
func (c *compiler) needsNoName(t token) error {
	err := &Error{Offset: t.start, Message: "unknown load " + shown(t.text), Hint: "there is one, which needs no name: write p50 < 1s or the like"}
	of, _ := strings.CutPrefix(c.source.text[t.end:], ".")
	if of = fieldName.FindString(of); of != "" && !slices.Contains(quantitiesOfLoad(), of) {
		err.Hint = "there is one, which needs no name; " + asksOfLoad(of)
	}
	return err
}

// fieldName is the name with which a text begins.
var fieldName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)

// asksOfLoad names what was likely meant of the only load there is, or all that it can be
// asked for.
func asksOfLoad(typed string) string {
	words := slices.DeleteFunc(quantitiesOfLoad(), func(word string) bool { return word == "count" || word == "answered" }) // of answers, into which nobody looks
	if meant := nearest.Word(typed, words); meant != "" {
		return "did you mean " + meant + "?"
	}
	return "it is asked for " + strings.Join(words, ", ") + ", as in share(503) < 1%, status[200] == sent or service.p99 < 1s"
}

// notLoad is the error of what is no load, such as the field of one.
func (c *compiler) notLoad(n node) error {
	err := &Error{Offset: n.at().start, Message: shown(c.source.textOf(n)) + " is no load", Hint: "there are " + quoted(c.scope.Cohorts)}
	member, ok := n.(*field)
	if !ok {
		return err
	}
	of, ok := member.of.(*name)
	if !ok {
		return err
	}
	if requests := c.scope.Requests[of.token.text]; c.isCohort(of.token) && len(requests) > 0 {
		err.Message, err.Hint = shown(c.source.textOf(n))+" is no load, and no request of one", nearest.Hint(member.name.text, requests)
	}
	windows := []string{report.Baseline, report.Recovery}
	switch window := of.token.text; {
	case window == report.During:
		err.Hint = "a load's name without a window means during"
	case nearest.Word(window, windows) != "":
		err.Hint = nearest.Hint(window, windows)
	}
	return err
}

// windowOf returns the window that a node names; empty: it names none.
func windowOf(n node) string {
	named, ok := n.(*name)
	if ok && named.token.kind == wordToken && (named.token.text == report.Baseline || named.token.text == report.Recovery) {
		return named.token.text
	}
	return ""
}

// standsAlone says whether a node is a word that is of the only load there is.
func (c *compiler) standsAlone(n node) bool {
	word, ok := n.(*name)
	return ok && c.scope.Alone != "" && word.token.kind == wordToken && !c.isCohort(word.token)
}

// alone is the load that need not be named.
func (c *compiler) alone() Load {
	l := Load{Window: report.During, Cohort: c.scope.Alone}
	c.useLoad(l)
	return l
}
