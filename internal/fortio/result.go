package fortio

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

// lateAfter is what loadgen calls late, and mostLate what it lets the last request be.
const (
	lateAfter = 10 * time.Millisecond
	mostLate  = 100 * time.Millisecond
)

// answer is what fortio says of a load that has ended.
type answer struct {
	StartTime         time.Time
	ActualDuration    time.Duration
	NumThreads        int
	Exactly           int64
	SocketCount       int64
	RetCodes          map[int]int64 // by status; -1: there was no answer
	DurationHistogram histogram
}

// histogram is fortio's, in seconds: Min and Max are exact, and each bucket holds
// times from its start to its end.
type histogram struct {
	Count    int64
	Min, Max float64
	Data     []struct {
		End   float64
		Count int64
	}
}

// result is what the answer says of a load.
func (a answer) result(c *cohort) *loadgen.Result {
	r := &loadgen.Result{
		Started: a.StartTime, Elapsed: loadgen.Duration{Duration: a.ActualDuration}, Planned: c.plan.Requests, Sent: a.DurationHistogram.Count,
		Connections: c.plan.Connections, Dialed: a.SocketCount, Used: min(a.SocketCount, a.DurationHistogram.Count),
		TargetQPS: c.plan.QPS, Outcomes: a.outcomes(),
	}
	r.Service = a.DurationHistogram.times()
	if c.plan.QPS == 0 { // else some may have waited until they began
		r.Response = r.Service
	} else {
		r.Response = &loadgen.Histogram{}
	}
	r.Failure = a.unlike(c)
	a.schedule(c.plan, r)
	return r
}

// outcomes counts the answers by what is known of them.
func (a answer) outcomes() []loadgen.Outcome {
	all := []loadgen.Outcome{}
	for _, code := range slices.Sorted(maps.Keys(a.RetCodes)) {
		o := loadgen.Outcome{Status: code, Count: a.RetCodes[code]}
		if code < 0 {
			o.Status, o.Error = 0, loadgen.ErrorOther
		}
		all = append(all, o)
	}
	return all
}

// unlike says why the load was not the one that was asked for, or why it is not known
// what came of it; empty: neither.
func (a answer) unlike(c *cohort) string {
	var counted int64
	for _, n := range a.RetCodes {
		counted += n
	}
	var all []string
	if a.NumThreads != c.plan.Connections {
		all = append(all, fmt.Sprintf("fortio took %d connections, not %d", a.NumThreads, c.plan.Connections))
	}
	if a.Exactly != c.request.most {
		all = append(all, fmt.Sprintf("fortio was to send %d requests, and says that it was %d; is it of another version?", c.request.most, a.Exactly))
	}
	if counted != a.DurationHistogram.Count {
		all = append(all, fmt.Sprintf("fortio counted %d answers and %d times", counted, a.DurationHistogram.Count))
	}
	if n := a.RetCodes[http.StatusNoContent]; n > 0 {
		all = append(all, fmt.Sprintf("fortio says status 204 of %d answers, by which it also means a success that was cut short; drive this load with this program's image", n))
	}
	return strings.Join(all, "; ")
}

// schedule says how a load kept to its rate. Each connection has a request to begin
// once a period, and begins it then unless the one before lasts longer: if none does, the
// requests began when they were due, but for what the machine was late, which the end
// shows. Else the last may have begun as late as the shortest of them lets it.
func (a answer) schedule(p loadgen.Plan, r *loadgen.Result) {
	if r.Sent == 0 {
		return
	}
	shortest, longest := seconds(a.DurationHistogram.Min), seconds(a.DurationHistogram.Max)
	r.LastBegun.Duration = max(0, r.Elapsed.Duration-shortest)
	if p.QPS == 0 {
		return
	}
	planned := seconds(float64(r.Sent-1) / p.QPS)
	if longest <= seconds(float64(p.Connections)/p.QPS) {
		r.LastBegun.Duration = max(planned, r.Elapsed.Duration-longest)
	}
	switch {
	case p.While != "":
		owed := int64(math.Floor(p.QPS*max(0, (r.Elapsed.Duration-lateAfter).Seconds()))) + 1
		r.Missed = max(0, owed-r.Sent)
	case p.Duration.Duration > 0:
		r.Missed = max(0, due(p)-r.Sent)
		if late := r.LastBegun.Duration - planned; late > mostLate && r.Failure == "" {
			r.Failure = fmt.Sprintf("its last request was begun up to %v late, as far as fortio tells; take more connections or a lower rate", late.Round(time.Millisecond))
		}
		if r.Missed == 0 { // its last request was due a moment before
			r.Elapsed = loadgen.Duration{Duration: max(r.Elapsed.Duration, p.Duration.Duration)}
		}
	}
}

// times holds each time as the end of the bucket that fortio has it in, and the
// smallest and the largest as they were: no time is shown as shorter than it was.
func (h histogram) times() *loadgen.Histogram {
	times := &loadgen.Histogram{}
	for i, bucket := range h.Data {
		for n := range bucket.Count {
			if i == 0 && n == 0 {
				times.Record(seconds(h.Min))
				continue
			}
			times.Record(seconds(min(bucket.End, h.Max)))
		}
	}
	return times
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * float64(time.Second))) }
