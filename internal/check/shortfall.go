package check

import (
	"fmt"
	"time"

	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/loadgen"
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
	LateStart   = 10 * time.Millisecond  // what loadgen calls late
	companions  = 10 * time.Millisecond  // how far apart two loads that run beside each other may end
)

// Shortfall says how a load of several beside each other, which are there by their names,
// fell short of its plan; empty: it did not.
func Shortfall(plan loadgen.Plan, all map[string]*loadgen.Result, name string) string {
	l := all[name]
	for _, doubt := range []func(loadgen.Plan, *loadgen.Result) string{failure, lost, tooFew, tooShort, missed, tooSlow} {
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

// lost is for a load of several senders of which one has died: of what fell to it nobody
// knows whether it was sent, and what came of it.
func lost(_ loadgen.Plan, l *loadgen.Result) string {
	for i, s := range l.Senders {
		if s.Lost != "" {
			return fmt.Sprintf("sender %d of %d, %s, was lost, and with it what came of %s: %s", i+1, len(l.Senders), s.Name, plural.Of(s.Missed, "request"), s.Lost)
		}
	}
	return ""
}

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
func tooSlow(plan loadgen.Plan, l *loadgen.Result) string {
	if l.TargetQPS == 0 || l.Planned == 0 || l.Sent < l.Planned || l.Sent <= ruleOfOne {
		return ""
	}
	begun := float64(l.Sent - ruleOfOne)
	due := l.Due(l.Sent-ruleOfOne, plan.Arrival)
	allowed := min(mostBehind, seconds(behind*due.Seconds()/(1-behind)+ruleOfOne/l.TargetQPS)+LateStart)
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
	if plan.Duration.Duration == 0 || !plan.Open() || other != nil && other.Elapsed.Duration < plan.Duration.Duration+companions {
		return ""
	}
	due := plan.Owed(plan.Duration.Duration, l.Seed)
	by := func(t time.Duration) float64 { return plan.Asked(t) * t.Seconds() }
	lacking, atTheEnd := due-l.Sent, by(plan.Duration.Duration)-by(max(plan.Duration.Duration-LateStart, 0))
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
