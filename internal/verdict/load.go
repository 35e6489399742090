package verdict

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// What a load may lack, which is what a machine does that is busy with other
// things, and no more. That a request is begun at its time to the millisecond
// cannot be asked of one: of loads with connections enough, driven with ten others
// for each processor, the last request was begun up to 90 ms late.
const (
	dueAsItEnds = 0.1                    // the part of what was due that may have been due in the last moment, and not begun
	behind      = 0.1                    // the part of its rate that a load may be behind as its last request begins,
	mostBehind  = 100 * time.Millisecond // and at most so late
	ruleOfOne   = 1                      // and so many requests are none
	lateStart   = 10 * time.Millisecond  // what loadgen calls late
	companions  = 10 * time.Millisecond  // how far apart two loads that run beside each other may end
)

// unlikeAsked names the loads of a window that were not driven as they were
// asked for.
func unlikeAsked(r run, w *report.Window) []string {
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(w.Loads)) {
		if reason := shortfall(r.asked(w, name), w.Loads, name); reason != "" {
			problems = append(problems, fmt.Sprintf("%s, cohort %s: %s", w.Words(), name, reason))
		}
	}
	for _, c := range r.scenario.Cohorts(w.Name, r.stepOf(w)) {
		if w.Loads[c.Name] == nil {
			problems = append(problems, fmt.Sprintf("%s, cohort %s: it has no result; run again", w.Words(), c.Name))
		}
	}
	return problems
}

// asked is what a cohort of a window was asked for. The baseline and the
// recovery have the cohorts of the first step, and a part of their load.
func (r run) asked(w *report.Window, cohort string) loadgen.Plan {
	if w.Name != report.During {
		for _, c := range r.scenario.Cohorts(w.Name, scenarios.Step{}) {
			if c.Name == cohort {
				return c.Plan
			}
		}
	}
	for _, a := range r.record.Asked {
		if a.Cohort == cohort && a.Step == w.Step {
			return a.Plan
		}
	}
	return loadgen.Plan{}
}

// shortfall says how a load fell short of its plan; empty: it did not.
func shortfall(plan loadgen.Plan, all map[string]*loadgen.Result, name string) string {
	l := all[name]
	for _, doubt := range []func(loadgen.Plan, *loadgen.Result) string{failure, tooFew, tooShort, missed, tooSlow} {
		if reason := doubt(plan, l); reason != "" {
			return reason
		}
	}
	if reason := unbegun(plan, l, all[plan.While]); reason != "" {
		return reason
	}
	return away(plan, l, all[plan.While])
}

func failure(_ loadgen.Plan, l *loadgen.Result) string { return l.Failure }

// tooFew is for a load that only its number of requests ends.
func tooFew(plan loadgen.Plan, l *loadgen.Result) string {
	if plan.Duration.Duration == 0 && plan.While == "" && l.Sent < l.Planned {
		return fmt.Sprintf("%d of %s were sent; run again", l.Sent, plural.Of(l.Planned, "request"))
	}
	return ""
}

// tooShort is for a load that time ends.
func tooShort(plan loadgen.Plan, l *loadgen.Result) string {
	if plan.Duration.Duration > 0 && plan.While == "" && l.Elapsed.Duration < plan.Duration.Duration && (l.Planned == 0 || l.Sent < l.Planned) {
		return fmt.Sprintf("it ended after %v of %v; run again", l.Elapsed.Round(time.Millisecond), plan.Duration)
	}
	return ""
}

// tooSlow is for an open loop that its number of requests ends: all are begun
// in the end, and the question is when.
func tooSlow(_ loadgen.Plan, l *loadgen.Result) string {
	if l.TargetQPS == 0 || l.Planned == 0 || l.Sent < l.Planned || l.Sent <= ruleOfOne {
		return ""
	}
	begun := float64(l.Sent - ruleOfOne)
	due := seconds(begun / l.TargetQPS)
	allowed := min(mostBehind, seconds(behind*due.Seconds()/(1-behind)+ruleOfOne/l.TargetQPS)+lateStart)
	if l.LastBegun.Duration-due <= allowed {
		return ""
	}
	return fmt.Sprintf("it reached %.1f of %.1f requests a second, and the last was begun %v late; take more connections or a lower rate",
		begun/l.LastBegun.Seconds(), l.TargetQPS, (l.LastBegun.Duration - due).Round(time.Millisecond))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// missed is for an open loop that ends with requests that were due, and for which
// no connection was free.
func missed(_ loadgen.Plan, l *loadgen.Result) string {
	if l.Missed == 0 {
		return ""
	}
	return neverBegun(l.Missed, l.Sent+l.Missed)
}

// unbegun is for an open loop that its own time ends, and no other cohort. What was
// due in its last moment is not missed; but where that is much of a load, it was not
// as asked.
func unbegun(plan loadgen.Plan, l, other *loadgen.Result) string {
	if plan.Duration.Duration == 0 || plan.QPS == 0 || other != nil && other.Elapsed.Duration < plan.Duration.Duration+companions {
		return ""
	}
	due := int64(plan.Duration.Seconds() * plan.QPS)
	if plan.Requests > 0 {
		due = min(due, plan.Requests)
	}
	lacking, atTheEnd := due-l.Sent, plan.QPS*lateStart.Seconds()
	if lacking > ruleOfOne && min(float64(lacking), atTheEnd) > dueAsItEnds*float64(due) {
		return neverBegun(lacking, due)
	}
	return ""
}

func neverBegun(n, due int64) string {
	return fmt.Sprintf("of %s that fell due %d never began; take more connections or a lower rate", plural.Of(due, "request"), n)
}

// away is for a load that is to be there as long as another one, or until its own
// end if that comes first.
func away(plan loadgen.Plan, l, other *loadgen.Result) string {
	ended := plan.Requests > 0 && l.Sent >= plan.Requests || plan.Duration.Duration > 0 && l.Elapsed.Duration >= plan.Duration.Duration
	if plan.While == "" || ended || other == nil || l.Elapsed.Duration+companions >= other.Elapsed.Duration {
		return ""
	}
	return fmt.Sprintf("it was there for %v of the %v that %s took; run again", l.Elapsed.Round(time.Millisecond), other.Elapsed.Round(time.Millisecond), plan.While)
}
