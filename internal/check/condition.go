package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// leastOfShare is how many requests of each of its cohorts must have ended for a
// condition with a share to be judged: of one alone, a failure is 100%.
const leastOfShare = 20

// Condition is one compiled line of abortWhen: what ends a load as soon as it is true.
// It may be judged by several goroutines.
type Condition struct {
	line  *Expectation
	least map[Load]int64 // in the window under way
}

// CompileCondition reads a condition. It is written as an expectation is, of what
// clients see while the load runs: no other windows, nothing that proxies count, no
// split; and without ||, of which one side could not be judged while the other is
// true. The error is an *Error.
func CompileCondition(scope Scope, text string) (*Condition, error) {
	scope.Bounds = nil // which are of a whole load
	return compileCondition(scope, text, false)
}

func compileCondition(scope Scope, text string, asked bool) (*Condition, error) {
	source, err := parse(text)
	if err != nil {
		return nil, err
	}
	c := newCompiler(scope, source)
	c.meanwhile, c.asked = true, asked
	line, err := c.expectation(text)
	if err != nil {
		return nil, err
	}
	condition := &Condition{line, map[Load]int64{}}
	for _, size := range line.sizes {
		condition.need(size.Load, size.Requests)
	}
	for _, l := range line.loads {
		if c.shares {
			condition.need(l, leastOfShare)
		}
	}
	return condition, nil
}

func (c *Condition) need(l Load, requests int64) { c.least[l] = max(c.least[l], requests) }

// sentOf is how many requests of a load, or of one of its list, have ended.
func sentOf(seen map[string]*loadgen.Result, l Load) int64 {
	switch r := seen[l.Cohort]; {
	case r == nil:
		return 0
	case l.Request != "":
		return r.Of(l.Request).Sent
	default:
		return r.Sent
	}
}

// Text returns the condition as it was written.
func (c *Condition) Text() string { return c.line.text }

// Cohorts returns those that the condition names.
func (c *Condition) Cohorts() []string {
	var names []string
	for _, l := range c.line.loads {
		names = append(names, l.Cohort)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Least returns how many requests of a cohort must have ended for the condition to
// be judged: a share takes 20, a percentile what sets it apart from the maximum;
// 0: one is enough, or the condition does not name it.
func (c *Condition) Least(cohort string) int64 {
	var most int64
	for l, least := range c.least {
		if l.Cohort == cohort {
			most = max(most, least)
		}
	}
	return most
}

// breach judges the condition by what cohorts have seen so far; nil: it is not true,
// or cannot be judged.
func (c *Condition) breach(soFar map[string]*loadgen.Result) *loadgen.StopError {
	for l, least := range c.least {
		if sentOf(soFar, l) < least {
			return nil
		}
	}
	findings := c.line.findings(Windows{During: &report.Window{Name: report.During, Loads: soFar}})
	for _, f := range findings {
		if f.verdict != report.Pass || len(f.doubts) > 0 {
			return nil
		}
	}
	all := c.join(findings)
	return &loadgen.StopError{
		Condition: c.line.text, Observed: all.observed, Limit: all.limit, Values: all.values, Bounds: all.bounds, Samples: all.samples,
	}
}

// join puts the findings of the parts together, and says of several of which each is.
func (c *Condition) join(findings []finding) finding {
	var bounds []report.Bound
	for i, part := range c.line.parts {
		of := ""
		if len(findings) > 1 {
			of = part.of
		}
		findings[i].values = ofEach(of, findings[i].values)
		for j := range findings[i].values { // looked at until it is so, it is no sample, and has no interval
			findings[i].values[j].Part = nil
		}
		for _, b := range findings[i].bounds {
			b.Of = of
			bounds = append(bounds, b)
		}
	}
	all := join(findings, false, " and ")
	all.bounds = bounds
	return all
}

// Asked returns what the condition says of what is observed, as a load that it has ended
// has it, but for the values of other quantities than constants: of what is negated
// nothing.
func (c *Condition) Asked() []report.Bound { return c.join(c.line.findings(Windows{})).bounds }

// Unjudged says why the condition could not be judged of a load that has ended, by what
// its cohorts saw; empty: it could, and so it was not true. A condition of which one
// part was false is false whatever the others were.
func (c *Condition) Unjudged(seen map[string]*loadgen.Result) string {
	byName := func(a, b Load) int { return strings.Compare(a.name(), b.name()) }
	for _, l := range slices.SortedFunc(maps.Keys(c.least), byName) {
		if sent := sentOf(seen, l); sent < c.least[l] {
			return fmt.Sprintf("it takes %d requests of %s, and there were %d", c.least[l], l.name(), sent)
		}
	}
	why := ""
	for _, f := range c.line.findings(Windows{During: &report.Window{Name: report.During, Loads: seen}}) {
		switch {
		case len(f.doubts) > 0:
			why = strings.Join(f.doubts, "; ")
		case f.verdict == report.Fail:
			return ""
		case f.verdict == report.Inconclusive:
			why = f.reason
		}
	}
	return why
}

// Watch returns what judges conditions while a load runs, by what its cohorts have
// seen so far, as loadgen.Bounds has it; nil without conditions. They have been
// compiled before, with all that a scenario knows: whether they could come true is
// not asked again.
func Watch(plans map[string]loadgen.Plan, texts []string) (func(soFar map[string]*loadgen.Result) *loadgen.StopError, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	scope := Scope{Cohorts: slices.Sorted(maps.Keys(plans)), Requests: map[string][]string{}}
	for name, plan := range plans {
		for _, request := range plan.Send {
			scope.Requests[name] = append(scope.Requests[name], request.Name)
		}
		for _, check := range plan.Checks {
			scope.Checks = union(scope.Checks, []string{check.Name})
		}
		for _, version := range plan.Versions {
			scope.Answers = union(scope.Answers, []string{version.Name})
		}
	}
	var all []*Condition
	for _, text := range texts {
		condition, err := compileCondition(scope, text, true)
		if err != nil {
			return nil, fmt.Errorf("reading the condition %s: %w", shown(text), err)
		}
		all = append(all, condition)
	}
	return func(soFar map[string]*loadgen.Result) *loadgen.StopError {
		for _, condition := range all {
			if stop := condition.breach(soFar); stop != nil {
				return stop
			}
		}
		return nil
	}, nil
}

// notMeanwhile is the error of what is not known while a load runs; nil: it is, or
// the line is no condition.
func (c *compiler) notMeanwhile(n node) error {
	if !c.meanwhile {
		return nil
	}
	wrong := func(message, hint string) error { return &Error{Offset: n.at().start, Message: message, Hint: hint} }
	switch n := n.(type) {
	case *field:
		if windowOf(n.of) == "" {
			return nil
		}
		return wrong(c.source.textOf(n)+" is not known while the load runs", "name "+n.name.text+" without a window, and write its limit out")
	case *logic:
		return wrong("a condition has no ||: it would not be judged where one of its sides cannot be", "write a condition for each side; any of them ends the load")
	case *call:
		if isSplit(n) {
			return wrong("a split is of all samples of a load, and a condition is judged while it runs", "compare a count or a share")
		}
		return wrong(c.source.textOf(n)+" is counted by proxies, which are read when the load is over", "name what clients see, as in COHORT.share(503)")
	}
	return nil
}
