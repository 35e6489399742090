package verdict

import (
	"fmt"
	"time"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// begunUnlike is where what is said of when the requests of a load began, or did not,
// contradicts its schedule or what else is known of it; empty: nowhere. Beside is the load
// that it is there as long as, by the same clock; nil: it is there as long as none, or as one
// that began by another.
func begunUnlike(plan loadgen.Plan, l, beside *loadgen.Result, w *report.Window) string {
	if l.Failure != "" || l.Series == nil || l.Sent == 0 { // by fortio's server, which knows none of it
		return ""
	}
	if wrong := lastUnlike(l); wrong != "" || !plan.Open() {
		return wrong
	}
	return missedUnlike(plan, l, beside, w)
}

// lastUnlike holds when the last request began against when requests began, and against how
// long they had to wait for that: none longer than until the last of them.
func lastUnlike(l *loadgen.Result) string {
	last, at := l.LastBegun.Duration, -1
	for i, n := range l.Series.Begun {
		if n > 0 {
			at = i
		}
	}
	if width := l.Series.Width.Duration; at < 0 || width <= 0 || int(last/width) != at {
		return fmt.Sprintf(".lastBegun is %v, and .series.begun, of %v each, has the last request in its entry %d", last, width, at)
	}
	if l.TargetQPS == 0 || l.Response.Count() != l.Sent || l.Service.Count() != l.Sent {
		return ""
	}
	_, from, _ := l.Service.MeanWithin()
	to, _, _ := l.Response.MeanWithin()
	longest, _ := l.Response.Max()
	slowest, _ := l.Service.Max()
	switch waited := max(to-from, longest-slowest); {
	case waited > last+time.Millisecond:
		return fmt.Sprintf(".lastBegun is %v, and requests had to wait for %v until they began", last, waited)
	case l.Late > 0 && last <= check.LateStart:
		return fmt.Sprintf(".lastBegun is %v, and .late says that %d began more than %v late", last, l.Late, check.LateStart)
	}
	return ""
}

// missedUnlike holds what was missed against what was due and not sent, where it is known
// when the load was over. Of what a free connection waited for as it ended nothing is missed.
func missedUnlike(plan loadgen.Plan, l, beside *loadgen.Result, w *report.Window) string {
	over := l.Elapsed.Duration
	if plan.Duration.Duration > 0 {
		over = min(over, plan.Duration.Duration)
	}
	if beside != nil {
		over = min(over, beside.Elapsed.Duration)
	}
	if w.Cut != "" || w.Stopped != nil || plan.Duration.Duration == 0 && beside == nil || plan.While != "" && beside == nil {
		return ""
	}
	const rounding = 1
	unsent := plan.Owed(over-check.LateStart, l.Seed) - l.Sent
	if waited := int64(l.Connections+l.Grown) + rounding; l.Missed < unsent-waited {
		return fmt.Sprintf(".missed is %d, and %d requests that were due by %v were not sent, over %d connections", l.Missed, unsent, over, l.Connections+l.Grown)
	}
	if plan.While == "" && l.Missed > max(unsent, 0)+rounding {
		return fmt.Sprintf(".missed is %d, and %d requests that were due by %v were not sent", l.Missed, max(unsent, 0), over)
	}
	return ""
}
