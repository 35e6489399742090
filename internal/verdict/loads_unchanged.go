package verdict

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// loadsUnlike holds what the clients saw against their plans, and against itself.
func (r run) loadsUnlike() string {
	for i := range r.record.Windows {
		w := &r.record.Windows[i]
		cohorts := r.scenario.Cohorts(w.Name, r.stepOf(w))
		for _, c := range cohorts {
			l := w.Loads[c.Name]
			if l == nil {
				continue
			}
			plan := c.Plan
			if plan.Draws() && plan.Seed == 0 && l.Engine != "" { // else nothing was driven
				plan.Seed = r.record.LoadSeed(w, c.Name)
			}
			wrong := cmp.Or(resultUnlike(plan, l), begunUnlike(plan, l, besideOf(c, cohorts, w), w))
			if wrong == "" && l.Elapsed.Duration > w.Ended.Sub(w.Started)+longer {
				wrong = fmt.Sprintf(".elapsed is %v, and the window was %v long", l.Elapsed, w.Ended.Sub(w.Started))
			}
			if wrong != "" {
				return fmt.Sprintf("windows[%d].loads.%s%s", i, c.Name, wrong)
			}
		}
	}
	return ""
}

// besideOf is the load that a cohort is there as long as, if one and the same program drove
// both; nil: there is no such.
func besideOf(c mesh.Cohort, all []mesh.Cohort, w *report.Window) *loadgen.Result {
	for _, other := range all {
		if other.Name == c.Plan.While && other.From == c.From {
			return w.Loads[other.Name]
		}
	}
	return nil
}

// resultUnlike is where a result differs from its plan or from itself.
func resultUnlike(plan loadgen.Plan, l *loadgen.Result) string {
	if wrong := askedUnlike(plan, l); wrong != "" || l.Failure != "" {
		return wrong
	}
	return cmp.Or(endedUnlike(l), connectionsUnlike(plan, l), outcomesUnlike(plan, l), sendersUnlike(plan, l), refusalUnlike(plan, l), lagUnlike(l), seriesUnlike(l), requestsUnlike(plan, l))
}

// askedUnlike is where what was asked for, by a result, differs from its plan.
func askedUnlike(plan loadgen.Plan, l *loadgen.Result) string {
	switch {
	case l.Planned != plan.Requests:
		return fmt.Sprintf(".planned is %d, and the scenario in the report comes to %d", l.Planned, plan.Requests)
	case l.Connections != plan.Connections:
		return fmt.Sprintf(".connections is %d, and the scenario in the report comes to %d", l.Connections, plan.Connections)
	case l.Grown < 0, l.Grown > max(plan.MaxConnections-plan.Connections, 0):
		return fmt.Sprintf(".grown is %d, and the scenario in the report lets %d connections come to %d", l.Grown, plan.Connections, max(plan.Connections, plan.MaxConnections))
	case !slices.Equal(l.Rate, plan.Rate):
		return fmt.Sprintf(".rate is %v, and the scenario in the report comes to %v", l.Rate, plan.Rate)
	case math.Abs(l.TargetQPS-plan.Asked(l.LastBegun.Duration)) > l.TargetQPS/1e9:
		return fmt.Sprintf(".targetQPS is %v, and the scenario in the report comes to %v", l.TargetQPS, plan.Asked(l.LastBegun.Duration))
	case plan.Seed != 0 && l.Seed != plan.Seed, (l.Seed != 0) != plan.Draws():
		return fmt.Sprintf(".seed is %d, and the scenario in the report comes to seed %d", l.Seed, plan.Seed)
	}
	return ""
}

// endedUnlike is where the outcomes of a load contradict what else is known of it.
func endedUnlike(l *loadgen.Result) string {
	var counted, ended int64
	var most time.Duration
	told := l.Series != nil // of each kind of outcome, which request took longest
	for i, o := range l.Outcomes {
		if counted += o.Count; o.Count <= 0 {
			return fmt.Sprintf(".outcomes[%d].count is %d", i, o.Count)
		}
		if o.Error == loadgen.ErrorCanceled {
			continue
		}
		ended += o.Count
		if told = told && o.Slowest != nil; told {
			most = max(most, o.Slowest.Response.Duration)
		}
	}
	slowest, _ := l.Response.Max()
	byFortio := l.Series == nil && l.Response.Count() == 0 // whose server does not know when requests were due
	switch {
	case l.Sent != counted:
		return fmt.Sprintf(".sent is %d, and its outcomes are of %d", l.Sent, counted)
	case l.Response.Count() != ended && !byFortio:
		return fmt.Sprintf(".response is of %d requests, and of the outcomes %d were not canceled", l.Response.Count(), ended)
	case l.Service.Count() != ended:
		return fmt.Sprintf(".service is of %d requests, and of the outcomes %d were not canceled", l.Service.Count(), ended)
	case told && most != slowest:
		return fmt.Sprintf(".outcomes has no request that took longer than %v, and .response is %v at most", most, slowest)
	case l.Used > l.Sent, l.Series != nil && l.Used == 0, l.Late > l.Sent, min(l.Used, l.Late, l.Missed, l.Setup, l.Warmup, l.Dialed) < 0:
		return fmt.Sprintf(" has %d requests, of which %d were late and %d missed, over %d of %d connections", l.Sent, l.Late, l.Missed, l.Used, l.Dialed)
	case l.LastBegun.Duration < 0, l.Series != nil && l.LastBegun.Duration > l.Elapsed.Duration:
		return fmt.Sprintf(".lastBegun is %v, and .elapsed %v", l.LastBegun, l.Elapsed)
	}
	return ""
}

// connectionsUnlike is where requests went over other connections than were opened. Fortio's
// own clients do not tell of all that they open.
func connectionsUnlike(plan loadgen.Plan, l *loadgen.Result) string {
	before := l.Warmup > 0 || l.Setup > 0 || plan.GRPC != nil // which may have asked the server what the method takes
	switch {
	case l.Series == nil, plan.Engine == loadgen.EngineFortio:
		return ""
	case l.Used > l.Dialed:
		return fmt.Sprintf(".used is %d, and .dialed is %d", l.Used, l.Dialed)
	case l.Used < l.Dialed && !before:
		return fmt.Sprintf(".used is %d, and .dialed is %d, though nothing was sent before the load", l.Used, l.Dialed)
	}
	return ""
}

// lagUnlike is where the lag of a load at a rate contradicts what else is known of when
// its requests began. Records from before there was one have none.
func lagUnlike(l *loadgen.Result) string {
	atARate := l.TargetQPS > 0 && l.Engine != ""
	if known := l.Lag.Count(); known != 0 && !atARate || known != l.Sent && atARate {
		return fmt.Sprintf(".lag is of %d requests, and %d were sent at a rate of %v", known, l.Sent, l.TargetQPS)
	}
	var late int64
	l.Lag.Each(func(lag time.Duration, count int64) {
		if lag > check.LateStart+check.LateStart/100 { // a histogram rounds by a thousandth
			late += count
		}
	})
	if late > l.Late {
		return fmt.Sprintf(".lag is above 10 ms of %d requests, and .late is %d", late, l.Late)
	}
	longest, _ := l.Lag.Max()
	if slowest, _ := l.Response.Max(); longest > slowest && l.Response.Count() == l.Sent {
		return fmt.Sprintf(".lag is %v at most, and .response %v, which has it in it", longest, slowest)
	}
	return ""
}

// seriesUnlike is where a series adds up to something else than the outcomes, or goes on when
// the load is over.
func seriesUnlike(l *loadgen.Result) string {
	if l.Series == nil {
		return ""
	}
	if begun := total(l.Series.Begun); begun != l.Sent {
		return fmt.Sprintf(".series.begun comes to %d, and .sent is %d", begun, l.Sent)
	}
	for i, of := range l.Series.Ended {
		for at, n := range of.Count {
			if from := time.Duration(at) * l.Series.Width.Duration; n > 0 && from > l.Elapsed.Duration {
				return fmt.Sprintf(".elapsed is %v, and .series.ended[%d] has requests that ended after %v", l.Elapsed, i, from)
			}
		}
		want := l.Count(func(o loadgen.Outcome) bool { return o.Status == of.Status && o.GRPC == of.GRPC && o.Error == of.Error })
		if ended := total(of.Count); ended != want {
			return fmt.Sprintf(".series.ended[%d] comes to %d, and .outcomes has %d of that kind", i, ended, want)
		}
	}
	return ""
}

func total(counts []int64) int64 {
	var sum int64
	for _, n := range counts {
		sum += n
	}
	return sum
}
