package html

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// object is one that the run wrote.
type object struct {
	summary.Object
	BeforeAt  string // where the manifest that was there stands in the record
	Writes    []writing
	LeftAt    string // where what stood there after the run stands
	Left      []line // by what it differs from what was there before
	UnderTest bool   // a step wrote it, and not only what is given
}

// writing is one write of an object.
type writing struct {
	At            string // where it stands in the record
	Stage, Action string
	Given         bool
	Live, After   mark
	Diff          []line
}

// line is a line of a diff.
type line struct{ Kind, Text string }

func objects(r *report.Record) []object {
	var all []object
	for _, o := range summary.Objects(r) {
		one := object{Object: o, Left: lines(o.Left())}
		diffs := o.Diffs()
		next := 0 // of r.Changes, in which those of o stand in the same order
		for j, c := range o.Changes {
			for r.Changes[next].Object != o.Name {
				next++
			}
			if j == 0 {
				one.BeforeAt, one.LeftAt = at("changes", next, "before"), at("changes", next, "left")
			}
			w := writing{At: at("changes", next), Stage: report.StageWords(c.Step), Given: c.Step == report.Given, Action: c.Action, Live: mark{Words: "no"}, Diff: lines(diffs[j])}
			if len(c.LiveIn) > 0 {
				w.Live = reckoned("proxies", len(c.LiveIn), fmt.Sprint(len(c.LiveIn)), "changes", next, "liveIn")
				w.After = marked(c.Live, c.Live.Round(time.Millisecond).String(), "changes", next, "live")
			}
			next++
			one.Writes = append(one.Writes, w)
			one.UnderTest = one.UnderTest || c.Step != report.Given
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b object) int { return order(b) - order(a) })
	return all
}

// order puts first what is looked for first.
func order(o object) int {
	switch {
	case o.Lost():
		return 2
	case o.UnderTest:
		return 1
	}
	return 0
}

// lines are those of a unified diff, without its head: what it is of stands above it.
func lines(diff string) []line {
	var all []line
	for text := range strings.Lines(diff) {
		kind := ""
		switch {
		case len(all) == 0 && (strings.HasPrefix(text, "--- ") || strings.HasPrefix(text, "+++ ")):
			continue
		case strings.HasPrefix(text, "@@"):
			kind = "at"
		case strings.HasPrefix(text, "+"):
			kind = "new"
		case strings.HasPrefix(text, "-"):
			kind = "old"
		}
		all = append(all, line{kind, strings.TrimRight(text, "\n")})
	}
	return all
}

// bite is how often a part of a rule was seen to have an effect.
type bite struct {
	summary.Bite
	When        string
	Count, Most mark
}

// quantity is what proxies counted.
type quantity struct {
	report.Quantity
	When  string
	Name  string
	Value mark
}

// reconciled is what clients sent beside what the proxy of the load counted.
type reconciled struct {
	summary.Counted
	When          string
	Client, Proxy mark
}

// proxies enters what proxies counted, window by window.
func (p *page) proxies() {
	for i := range p.Record.Windows {
		w := &p.Record.Windows[i]
		when := summary.When(w)
		for j, b := range w.Bites {
			p.Bites = append(p.Bites, bite{summary.Bite{Bite: b, Window: w}, when, known(b.Count, "windows", i, "bites", j, "count"), known(b.Most, "windows", i, "bites", j, "most")})
		}
		for j, q := range w.Quantities {
			value := known(q.Value, "windows", i, "quantities", j, "value")
			if q.AtLeast {
				value.Words = "at least " + value.Words
			}
			p.Quantities = append(p.Quantities, quantity{q, when, q.Function + "(" + strings.Join(q.Args, ", ") + ")", value})
		}
		for j, c := range w.Reconciled {
			p.Reconciled = append(p.Reconciled, reconciled{
				summary.Counted{Reconciliation: c, Window: w}, when,
				counted(c.Client, "windows", i, "reconciled", j, "client"), known(c.Proxy, "windows", i, "reconciled", j, "proxy"),
			})
		}
	}
}

// known is a mark of a number that may not be known.
func known(n *int64, path ...any) mark {
	if n == nil {
		return mark{Words: "–"}
	}
	return counted(*n, path...)
}
