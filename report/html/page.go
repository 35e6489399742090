package html

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// page is what page.tmpl shows.
type page struct {
	*report.Record
	Problems     []summary.Problem
	Warnings     []summary.Problem
	Tally        []mark // of expectations, by verdict
	Sent         mark
	Expectations []expectation
	Explaining   []tree // of what failed or, in a pass, of the load under the rule
	Further      []tree
	Flags        []responseFlag
	Windows      []window
	Stages       []stage
	Pictures     []pictures
	Loads        []load
	LoadsAsked   []asked
	Shares       []share
	Objects      []object
	Bites        []bite
	Quantities   []quantity
	Reconciled   []reconciled
	Params       []param
	Command      string
	Who          string            // ran it, and on which cluster; empty: the record does not say
	Text         string            // of the scenario
	Files        map[string]string // of rules that it names
	Omitted      []string          // what is not on the page, since it would be too large
}

type param struct{ Name, Value string }

func newPage(r *report.Record) (*page, error) {
	p := &page{
		Record: r, Problems: summary.Problems(r), Warnings: summary.Warnings(r),
		Expectations: expectations(r), Windows: windows(r), Stages: stages(r), Loads: loads(r), LoadsAsked: loadsAsked(r), Shares: shares(r),
		Objects: objects(r), Command: summary.Command(r), Who: summary.Who(r), Text: r.Scenario.Text, Files: r.Scenario.Files,
	}
	p.tally()
	p.trees()
	p.proxies()
	for _, name := range slices.Sorted(maps.Keys(r.Scenario.Params)) {
		p.Params = append(p.Params, param{name, r.Scenario.Params[name]})
	}
	pictures, beside, err := draw(r)
	p.Pictures = pictures
	if what := several(beside, "cohort in the pictures", "cohorts in the pictures"); what != "" {
		p.Omitted = append(p.Omitted, what)
	}
	return p, err
}

// Messages says whether calls of gRPC ended with any.
func (p *page) Messages() bool {
	return slices.ContainsFunc(p.Loads, func(l load) bool { return len(l.Said) > 0 })
}

// Intervals says whether the table of expectations has any.
func (p *page) Intervals() bool {
	return slices.ContainsFunc(p.Expectations, func(e expectation) bool { return len(e.Parts) > 0 || e.Between != "" })
}

// Lagged says whether a load kept to a rate, and it is known how well.
func (p *page) Lagged() bool {
	return slices.ContainsFunc(p.Loads, func(l load) bool { return l.Load.LagMax != nil })
}

// Grown says whether connections were added to those of a load.
func (p *page) Grown() bool {
	return slices.ContainsFunc(p.Loads, func(l load) bool { return l.Result.Grown > 0 })
}

func (p *page) tally() {
	for _, one := range []struct {
		verdict report.Verdict
		words   string
	}{{report.Pass, "held"}, {report.Fail, "failed"}, {report.Inconclusive, "could not be judged"}} {
		var count int64
		for _, e := range p.Record.Expectations {
			if e.Verdict == one.verdict {
				count++
			}
		}
		if count > 0 {
			p.Tally = append(p.Tally, reckoned("expectations "+string(one.verdict), count, fmt.Sprintf("%d %s", count, one.words), "expectations"))
		}
	}
	sent := summary.Sent(p.Record)
	p.Sent = reckoned("sent", sent, fmt.Sprint(sent), "windows")
}

// expectation is a row of what was asked and observed.
type expectation struct {
	report.Expectation
	NewStep  bool // the first row of a step
	Observed mark
	Asked    mark
	Samples  mark
	Parts    []interval
	Between  string // of a percentile: between what it would be with other requests
}

// interval is where a share would be with other requests of the same kind.
type interval struct{ Of, Low, High mark }

func expectations(r *report.Record) []expectation {
	var all []expectation
	for i, e := range r.Expectations {
		row := expectation{
			Expectation: e, NewStep: e.Step != "" && (i == 0 || r.Expectations[i-1].Step != e.Step),
			Observed: marked(e.Observed, e.Observed, "expectations", i, "observed"),
			Asked:    marked(e.Limit, e.Limit, "expectations", i, "limit"),
			Samples:  counted(e.Samples, "expectations", i, "samples"),
		}
		if e.Observed == "" {
			row.Observed.Words = "–"
		}
		if e.Samples == 0 {
			row.Samples.Words = "–"
		}
		for j, m := range e.Values {
			if m.Part != nil {
				row.Parts = append(row.Parts, newInterval(m, "expectations", i, "values", j))
			}
		}
		if summary.Percentile(r, e) != nil {
			row.Between = summary.Confident(r, e)
		}
		all = append(all, row)
	}
	return all
}

func newInterval(m report.Measure, path ...any) interval {
	within := func(key string, value float64) mark {
		return marked(value, summary.Share(value), append(slices.Clone(path), "part", key)...)
	}
	return interval{marked(m.Of, m.Of, append(slices.Clone(path), "of")...), within("low", m.Part.Low), within("high", m.Part.High)}
}

// share is a share with its interval beside what was asked of it.
type share struct {
	report.Expectation
	interval
	Share, Count, Total mark
	Asked               []mark
	From, Wide, Dot     float64   // the interval and the share, in percent of the way from none to all, within the picture
	Bounds              []float64 // what was asked, likewise
}

func shares(r *report.Record) []share {
	var all []share
	for i, e := range r.Expectations {
		for j, m := range e.Values {
			if m.Part == nil {
				continue
			}
			s := share{
				Expectation: e, interval: newInterval(m, "expectations", i, "values", j),
				Share: marked(m.Value, summary.Share(m.Value), "expectations", i, "values", j, "value"),
				Count: counted(m.Part.Count, "expectations", i, "values", j, "part", "count"),
				Total: counted(m.Part.Total, "expectations", i, "values", j, "part", "total"),
				From:  100 * m.Part.Low, Wide: 100 * (m.Part.High - m.Part.Low), Dot: min(100*m.Value, 99),
			}
			for k, b := range e.Bounds {
				if b.Value == nil || b.Of != m.Of {
					continue
				}
				bound := marked(*b.Value, strings.TrimPrefix(b.Operator+" ", "== ")+summary.Measured(*b.Value, m.Unit), "expectations", i, "bounds", k, "value")
				s.Asked, s.Bounds = append(s.Asked, bound), append(s.Bounds, min(100*max(*b.Value, 0), 99.4))
			}
			all = append(all, s)
		}
	}
	return all
}

// load is a row of what came of the load of a cohort in a window.
type load struct {
	summary.Load
	When               string
	Sent, Planned      mark
	Rate, Asked        mark
	Connections, Added mark
	LagP99, LagMax     mark
	P50, P90, P99, Max mark
	Answers, Errors    []mark
	Said               []said
	Failed             bool
	Missed             mark
}

// said is a message that came with a code of gRPC.
type said struct {
	summary.Said
	Count mark
}

func loads(r *report.Record) []load {
	var all []load
	for _, l := range summary.Rows(r) {
		window := slices.IndexFunc(r.Windows, func(w report.Window) bool { return w.Name == l.Window.Name && w.Step == l.Window.Step })
		base := []any{"windows", window, "loads", l.Cohort}
		if l.Request != "" {
			all = append(all, ofRequest(l, base))
			continue
		}
		in := func(path ...any) []any { return append(slices.Clone(base), path...) }
		row := newLoad(l, base, base, "")
		row.Sent = counted(l.Result.Sent, in("sent")...)
		row.Connections = counted(int64(l.Result.Connections), in("connections")...)
		if l.Planned > 0 {
			row.Planned = counted(l.Planned, in("planned")...)
		}
		if l.Asked > 0 {
			row.Asked = marked(l.Asked, summary.Number(l.Asked), in("targetQPS")...)
		}
		if l.Result.Grown > 0 {
			row.Added = counted(int64(l.Result.Grown), in("grown")...)
		}
		if l.Result.Missed > 0 {
			row.Missed = counted(l.Result.Missed, in("missed")...)
		}
		all = append(all, row)
	}
	return all
}

// ofRequest is a row of what came of one request of a list: its times stand in the record
// for themselves, and the rest follows from the outcomes of all.
func ofRequest(l summary.Load, base []any) load {
	i := slices.IndexFunc(l.Window.Loads[l.Cohort].Times, func(t loadgen.TimesOf) bool { return t.Request == l.Request })
	is := "request " + l.Request + " "
	row := newLoad(l, base, append(slices.Clone(base), "times", i), is)
	row.Connections = mark{Words: "–"} // which all requests of the list share
	row.Sent = reckoned(is+"sent", l.Result.Sent, fmt.Sprint(l.Result.Sent), base...)
	return row
}

// newLoad is a row with what every row has: of times that stand in one place, and of numbers
// that are reckoned from another, as what.
func newLoad(l summary.Load, base, times []any, is string) load {
	in := func(path ...any) []any { return append(slices.Clone(times), path...) }
	row := load{
		Load: l, When: summary.When(l.Window), Rate: mark{Words: "–"},
		LagP99: latency(l.LagP99, in("lag", "p99")...), LagMax: latency(l.LagMax, in("lag", "max")...),
		P50: latency(l.P50, in("response", "p50")...), P90: latency(l.P90, in("response", "p90")...),
		P99: latency(l.P99, in("response", "p99")...), Max: latency(l.Max, in("response", "max")...),
	}
	if l.Rate > 0 {
		row.Rate = reckoned(is+"rate", l.Rate, summary.Number(l.Rate), base...)
	}
	row.Answers, row.Errors = counts(l.Answers, is, base...), counts(l.Errors, is, base...)
	for _, s := range l.Said() {
		row.Said = append(row.Said, said{s, counted(s.Count, append(slices.Clone(base), "outcomes", s.Outcome, "count")...)})
	}
	row.Failed = slices.ContainsFunc(append(l.Answers, l.Errors...), func(c summary.Count) bool { return c.Bad })
	return row
}

func counts(all []summary.Count, is string, path ...any) []mark {
	var marks []mark
	for _, c := range all {
		marks = append(marks, reckoned(is+"ended "+c.Name, c.Count, fmt.Sprintf("%s: %d", c.Name, c.Count), path...))
	}
	return marks
}
