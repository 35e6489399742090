package compare

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// Past is what became of a scenario from run to run, in whatever order they are given:
// each is compared with the one before it, as Compare compares two. Of several records of
// one run, as of a folder and a link to it, the first stands for all; of no run there is
// nothing.
func Past(runs []Run) report.Past {
	runs = slices.SortedStableFunc(slices.Values(runs), func(a, b Run) int { return a.Record.Started.Compare(b.Record.Started) })
	runs = slices.CompactFunc(runs, Run.IsOf)
	p := report.Past{Runs: []report.Night{}}
	for i, run := range runs {
		p.Scenario = run.Record.Scenario.Name
		night := report.Night{Side: side(run)}
		if i > 0 {
			since := Compare(Pair{Before: runs[i-1], Now: run}).Scenarios[0]
			night.Unlike, night.Moved = since.Unlike, Shown(since, false)
		}
		p.Runs = append(p.Runs, night)
	}
	loads, asked := trendsOfLoads(runs), trendsOfExpectations(runs)
	loads.mark(p.Runs)
	asked.mark(p.Runs)
	p.Trends = append(append([]report.Trend{}, loads.all()...), asked.all()...)
	return p
}

// trend names a value that has a trend: one of a load under the rule or, without a cohort,
// what an expectation observed.
type trend struct{ step, cohort, of string }

// trends are those of some runs, in their order.
type trends struct {
	runs  int
	order []trend
	found map[trend]*report.Trend
}

func newTrends(runs []Run) *trends { return &trends{runs: len(runs), found: map[trend]*report.Trend{}} }

// enter enters the value that one of the runs has.
func (t *trends) enter(of trend, run int, m report.Measure) {
	if t.found[of] == nil {
		t.order = append(t.order, of)
		t.found[of] = &report.Trend{Of: of.of, Step: of.step, Cohort: of.cohort, Unit: m.Unit, Values: make([]*float64, t.runs)}
	}
	t.found[of].Values[run] = &m.Value
}

// mark marks the runs in which a value has moved.
func (t *trends) mark(nights []report.Night) {
	for i, night := range nights {
		for _, v := range night.Moved {
			if of := t.found[trend{v.Step, v.Cohort, v.Of}]; of != nil && (v.Window == report.During || v.Window == "") && !slices.Contains(of.Moved, i) {
				of.Moved = append(of.Moved, i)
			}
		}
	}
}

func (t *trends) all() []report.Trend {
	var all []report.Trend
	for _, of := range t.order {
		all = append(all, *t.found[of])
	}
	return all
}

// trendsOfLoads are the median, the 99th percentile and the share of failures of each load
// under the rule.
func trendsOfLoads(runs []Run) *trends {
	t := newTrends(runs)
	for i, run := range runs {
		for _, w := range run.Record.Windows {
			for cohort, l := range w.Loads {
				if w.Name != report.During || lacks(&w, cohort) != "" { // what was cut off says nothing of the whole
					continue
				}
				for of, value := range valuesOf(l) {
					t.enter(trend{w.Step, cohort, of}, i, value)
				}
			}
		}
	}
	steps := stepsOf(runs)
	slices.SortFunc(t.order, func(a, b trend) int {
		return cmp.Or(cmp.Compare(slices.Index(steps, a.step), slices.Index(steps, b.step)), cmp.Compare(a.cohort, b.cohort), cmp.Compare(a.of, b.of))
	})
	return t
}

// trendsOfExpectations are what each expectation observed, where that is a number, in the
// order of the latest run; what is only known to be so much at least is none.
func trendsOfExpectations(runs []Run) *trends {
	t := newTrends(runs)
	for i, run := range slices.Backward(runs) {
		for _, e := range run.Record.Expectations {
			for _, m := range e.Values {
				if !m.Least {
					t.enter(trend{e.Step, "", valueOf(e, m)}, i, m)
				}
			}
		}
	}
	return t
}

// valueOf names one of the values of an expectation: of a split, that of a version.
func valueOf(e report.Expectation, m report.Measure) string {
	return strings.TrimSpace(e.Expression + " " + m.Of)
}

// stepsOf are the steps of all runs in the order of the scenario, as the latest has it.
func stepsOf(runs []Run) []string {
	var steps []string
	for _, run := range slices.Backward(runs) {
		for _, w := range run.Record.Windows {
			if w.Name == report.During && !slices.Contains(steps, w.Step) {
				steps = append(steps, w.Step)
			}
		}
	}
	return steps
}

func valuesOf(l *loadgen.Result) map[string]report.Measure {
	values := map[string]report.Measure{}
	for _, p := range percentiles() {
		if d, ok := l.Response.Quantile(p.q); ok && l.Response.Count() >= p.least {
			values[p.name] = report.Measure{Value: d.Seconds(), Unit: report.Seconds}
		}
	}
	if l.Sent > 0 {
		values["failed"] = report.Measure{Value: float64(l.Count(loadgen.Outcome.Failed)) / float64(l.Sent), Unit: report.Share}
	}
	return values
}

// PastText writes the runs of scenarios as lines for a terminal.
func PastText(w io.Writer, h *report.History) error {
	var out strings.Builder
	for _, p := range h.Scenarios {
		fmt.Fprintf(&out, "%s: %s\n", summary.Text(p.Scenario), summary.Plural(int64(len(p.Runs)), "run"))
		for _, night := range p.Runs {
			fmt.Fprintf(&out, "  %s\n", Where(night.Side))
			for _, reason := range night.Unlike {
				fmt.Fprintf(&out, "    %s\n", summary.Text(reason))
			}
			for _, v := range night.Moved {
				fmt.Fprintf(&out, "    %-9s  %s: %s\n", v.Became, Name(v), Words(v))
			}
		}
		out.WriteString("\n" + curves(p.Trends) + "\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// curves draws trends, each with what it is of: below it where it moved and between which
// values it is drawn, or behind it the one value that it has kept.
func curves(all []report.Trend) string {
	var out strings.Builder
	moved := false
	for _, t := range all {
		name := Name(report.Difference{Of: t.Of, Step: t.Step})
		if t.Cohort != "" {
			name = Name(report.Difference{Of: t.Of, Cohort: t.Cohort, Window: report.During, Step: t.Step})
		}
		values, marks := drawn(t), arrows(t)
		low, _, kept := span(values, t.Unit)
		latest := values[len(values)-1]
		switch {
		case kept && latest != nil && marks == "":
			fmt.Fprintf(&out, "  %s  %s: %s\n", spark(values, t.Unit), name, summary.Measured(low, t.Unit))
		case marks == "":
			fmt.Fprintf(&out, "  %s  %s\n    %s\n", spark(values, t.Unit), name, extent(t))
		default:
			moved = true
			fmt.Fprintf(&out, "  %s  %s\n  %s  %s\n", spark(values, t.Unit), name, marks, extent(t))
		}
	}
	if moved {
		out.WriteString("  (^: it moved, as is said above of that run)\n")
	}
	return out.String()
}

// arrows points at the runs in which a value moved; empty: it did in none that is drawn.
func arrows(t report.Trend) string {
	first := len(t.Values) - len(drawn(t))
	marks := []rune(strings.Repeat(string(none), len(drawn(t))))
	for _, run := range t.Moved {
		if run >= first {
			marks[run-first] = '^'
		}
	}
	if !slices.Contains(marks, '^') {
		return ""
	}
	return string(marks)
}

// mostSparks is of how many runs, the latest, a trend is drawn.
const mostSparks = 40

// none is the blank of a run without a value, at which no line is folded.
const none = '\u00a0'

// drawn are the values of which a trend is drawn.
func drawn(t report.Trend) []*float64 { return t.Values[max(0, len(t.Values)-mostSparks):] }

// spark draws values between the least and the greatest.
func spark(values []*float64, unit report.Unit) string {
	low, high, kept := span(values, unit)
	levels := []rune("▁▂▃▄▅▆▇█")
	var out strings.Builder
	for _, v := range values {
		switch {
		case v == nil:
			out.WriteRune(none)
		case kept:
			out.WriteRune(levels[0])
		default:
			out.WriteRune(levels[int((*v-low)/(high-low)*float64(len(levels)-1)+0.5)])
		}
	}
	return strings.TrimRight(out.String(), string(none))
}

// span is between which values others lie, and whether all of them are one, as far as they
// are shown: from 6.017s to 6.019s nobody sees a step.
func span(values []*float64, unit report.Unit) (low, high float64, kept bool) {
	first := true
	for _, v := range values {
		if v == nil {
			continue
		}
		if first {
			low, high, first = *v, *v, false
		}
		low, high = min(low, *v), max(high, *v)
	}
	return low, high, summary.Measured(low, unit) == summary.Measured(high, unit)
}

// extent words between which values a trend is drawn, and the latest.
func extent(t report.Trend) string {
	low, high, kept := span(drawn(t), t.Unit)
	latest := "none"
	if last := t.Values[len(t.Values)-1]; last != nil {
		latest = summary.Measured(*last, t.Unit)
	}
	if kept {
		return fmt.Sprintf("latest %s, before %s", latest, summary.Measured(low, t.Unit))
	}
	return fmt.Sprintf("latest %s, from %s to %s", latest, summary.Measured(low, t.Unit), summary.Measured(high, t.Unit))
}
