package compare

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// Past is what became of a scenario from run to run, in whatever order they are given:
// each is compared with the one before it, as Compare compares two. Of several records of
// one run, as of a folder and a link to it, the first stands for all.
func Past(runs []Run) report.Past {
	runs = slices.SortedStableFunc(slices.Values(runs), func(a, b Run) int { return a.Record.Started.Compare(b.Record.Started) })
	runs = slices.CompactFunc(runs, Run.IsOf)
	p := report.Past{Scenario: runs[0].Record.Scenario.Name}
	for i, run := range runs {
		night := report.Night{Side: side(run)}
		if i > 0 {
			since := Compare(Pair{Before: runs[i-1], Now: run}).Scenarios[0]
			night.Unlike, night.Moved = since.Unlike, Shown(since, false)
		}
		p.Runs = append(p.Runs, night)
	}
	p.Trends = trends(runs)
	return p
}

// trend names a value that has a trend.
type trend struct{ step, cohort, of string }

// trends are the median, the 99th percentile and the share of failures of each load
// under the rule.
func trends(runs []Run) []report.Trend {
	found := map[trend]*report.Trend{}
	for i, run := range runs {
		for _, w := range run.Record.Windows {
			for cohort, l := range w.Loads {
				if w.Name != report.During || lacks(&w, cohort) != "" { // what was cut off says nothing of the whole
					continue
				}
				for of, value := range valuesOf(l) {
					t := trend{w.Step, cohort, of}
					if found[t] == nil {
						found[t] = &report.Trend{Of: of, Step: w.Step, Cohort: cohort, Unit: value.Unit, Values: make([]*float64, len(runs))}
					}
					found[t].Values[i] = &value.Value
				}
			}
		}
	}
	steps := stepsOf(runs)
	order := slices.SortedFunc(maps.Keys(found), func(a, b trend) int {
		return cmp.Or(cmp.Compare(slices.Index(steps, a.step), slices.Index(steps, b.step)), cmp.Compare(a.cohort, b.cohort), cmp.Compare(a.of, b.of))
	})
	all := []report.Trend{}
	for _, t := range order {
		all = append(all, *found[t])
	}
	return all
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
		out.WriteByte('\n')
		for _, t := range p.Trends {
			name := Name(report.Difference{Of: t.Of, Cohort: t.Cohort, Window: report.During, Step: t.Step})
			fmt.Fprintf(&out, "  %s  %s\n    %s\n", spark(drawn(t)), name, extent(t))
		}
		out.WriteByte('\n')
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// mostSparks is of how many runs, the latest, a trend is drawn.
const mostSparks = 40

// none is the blank of a run without a value, at which no line is folded.
const none = '\u00a0'

// drawn are the values of which a trend is drawn.
func drawn(t report.Trend) []*float64 { return t.Values[max(0, len(t.Values)-mostSparks):] }

// spark draws values between the least and the greatest.
func spark(values []*float64) string {
	low, high := span(values)
	levels := []rune("▁▂▃▄▅▆▇█")
	var out strings.Builder
	for _, v := range values {
		switch {
		case v == nil:
			out.WriteRune(none)
		case high == low:
			out.WriteRune(levels[0])
		default:
			out.WriteRune(levels[int((*v-low)/(high-low)*float64(len(levels)-1)+0.5)])
		}
	}
	return strings.TrimRight(out.String(), string(none))
}

func span(values []*float64) (low, high float64) {
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
	return low, high
}

// extent words between which values a trend is drawn, and the latest.
func extent(t report.Trend) string {
	words := func(v float64) string {
		if t.Unit == report.Seconds {
			return summary.Duration(time.Duration(v * float64(time.Second)))
		}
		return summary.Share(v)
	}
	low, high := span(drawn(t))
	latest := "none"
	if last := t.Values[len(t.Values)-1]; last != nil {
		latest = words(*last)
	}
	return fmt.Sprintf("latest %s, from %s to %s", latest, words(low), words(high))
}
