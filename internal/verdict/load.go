package verdict

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// What a load may lack. Of fewer than a hundred requests none may be missing:
// of 18 that were due one was sent, and nothing was said of it. Of many, a
// hundredth is what connections that are all busy as the load ends leave over.
const (
	missedOf   = 100                   // one request in so many may have been due and never begun
	minRate    = 0.9                   // the part of its rate that a load must have begun its requests at
	ruleOfOne  = 1                     // and so many requests behind are none
	lateStart  = 10 * time.Millisecond // what loadgen calls late
	companions = 10 * time.Millisecond // how far apart two loads that run beside each other may end
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
	for _, a := range r.record.Asked {
		if a.Step == w.Step && w.Name == report.During && w.Loads[a.Cohort] == nil {
			problems = append(problems, fmt.Sprintf("%s, cohort %s: it has no result; run again", w.Words(), a.Cohort))
		}
	}
	return problems
}

// asked is what a cohort of a window was asked for. The baseline and the
// recovery have the cohorts of the first step, and a part of their load.
func (r run) asked(w *report.Window, cohort string) loadgen.Plan {
	for _, a := range r.record.Asked {
		if a.Cohort == cohort && (a.Step == w.Step || w.Name != report.During) {
			plan := a.Plan
			if w.Name != report.During {
				plan.Duration = 0
			}
			return plan
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
	return away(plan, l, all[plan.While])
}

func failure(_ loadgen.Plan, l *loadgen.Result) string { return l.Failure }

// tooFew is for a load that only its number of requests ends.
func tooFew(plan loadgen.Plan, l *loadgen.Result) string {
	if plan.Duration == 0 && plan.While == "" && l.Sent < l.Planned {
		return fmt.Sprintf("%d of %d requests were sent; run again", l.Sent, l.Planned)
	}
	return ""
}

// tooShort is for a load that time ends.
func tooShort(plan loadgen.Plan, l *loadgen.Result) string {
	if plan.Duration > 0 && plan.While == "" && l.Elapsed < plan.Duration && (l.Planned == 0 || l.Sent < l.Planned) {
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
	allowed := begun/(minRate*l.TargetQPS) + ruleOfOne/l.TargetQPS + lateStart.Seconds()
	if l.LastBegun.Seconds() <= allowed {
		return ""
	}
	return fmt.Sprintf("it reached %.1f of %.1f requests a second; take more connections or a lower rate", begun/l.LastBegun.Seconds(), l.TargetQPS)
}

// missed is for an open loop that ends with requests that were due.
func missed(_ loadgen.Plan, l *loadgen.Result) string {
	due := l.Sent + l.Missed
	if l.Missed*missedOf <= due {
		return ""
	}
	return fmt.Sprintf("%d of the %d requests that were due were never begun; take more connections or a lower rate", l.Missed, due)
}

// away is for a load that is to be there as long as another one.
func away(plan loadgen.Plan, l, other *loadgen.Result) string {
	if plan.While == "" || plan.Requests > 0 || plan.Duration > 0 || other == nil || l.Elapsed+companions >= other.Elapsed {
		return ""
	}
	return fmt.Sprintf("it was there for %v of the %v that %s took; run again", l.Elapsed.Round(time.Millisecond), other.Elapsed.Round(time.Millisecond), plan.While)
}
