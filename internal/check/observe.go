package check

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// clients is the source of what cohorts saw.
const clients = "clients"

// Windows are the stretches of load that a line is judged by. One that is nil
// was not there, and what is asked of it is missing.
type Windows struct {
	During   *report.Window // the rule under test in force
	Baseline *report.Window
	Recovery *report.Window
}

// named returns the window of the name.
func (w Windows) named(name string) *report.Window {
	switch name {
	case report.Baseline:
		return w.Baseline
	case report.Recovery:
		return w.Recovery
	default:
		return w.During
	}
}

// result returns what a cohort saw, or why nothing can be said of it.
func (w Windows) result(l Load) (*loadgen.Result, value) {
	window := w.named(l.Window)
	if window == nil {
		return nil, absent("there was no %s window", l.Window)
	}
	result := window.Loads[l.Cohort]
	switch {
	case result == nil:
		return nil, absent("%s has no result in the %s window", l.Cohort, l.Window)
	case result.Failure != "":
		return nil, absent("the load of %s could not be carried out in the %s window: %s", l.Cohort, l.Window, result.Failure)
	case result.Sent <= 0:
		return nil, absent("%s sent nothing in the %s window: there are no samples", l.Cohort, l.Window)
	}
	if total := result.Count(everything); total != result.Sent {
		return nil, absent("the outcomes of %s in the %s window add up to %d, but %d were sent", l.Cohort, l.Window, total, result.Sent)
	}
	return result, value{samples: result.Sent, sources: []string{clients}}
}

// measure reads one amount from what a cohort saw.
type measure func(*loadgen.Result) (amount *big.Rat, missing string)

// ofLoad returns the value of a measure of a cohort.
func ofLoad(l Load, read measure) func(Windows) value {
	return func(w Windows) value {
		result, v := w.result(l)
		if result == nil {
			return v
		}
		amount, missing := read(result)
		if missing != "" {
			return absent("%s in the %s window: %s", l.Cohort, l.Window, missing)
		}
		v.amount = amount
		return v
	}
}

// outcomes chooses some of the outcomes of a cohort.
type outcomes func(loadgen.Outcome) bool

func everything(loadgen.Outcome) bool  { return true }
func transport(o loadgen.Outcome) bool { return o.Error != "" }

func withStatus(code int) outcomes {
	return func(o loadgen.Outcome) bool { return o.Status == code }
}

func withCheck(name string) outcomes {
	return func(o loadgen.Outcome) bool { return slices.Contains(o.Checks, name) }
}

// withVersion chooses the whole answers of a version.
func withVersion(version string) outcomes {
	return func(o loadgen.Outcome) bool { return o.Error == "" && o.Version == version }
}

// withoutStatus chooses the whole answers of TCP, which have none.
func withoutStatus(o loadgen.Outcome) bool { return o.Error == "" && o.Status == 0 }

// counted is the measure that counts outcomes. A status is missing, and not
// 0, where the answers have none.
func counted(chosen outcomes, isStatus bool) measure {
	return func(r *loadgen.Result) (*big.Rat, string) {
		if isStatus && r.Count(withoutStatus) > 0 {
			return nil, "the answers of TCP have no status"
		}
		return new(big.Rat).SetInt64(r.Count(chosen)), ""
	}
}

// shareOf returns the share of the outcomes that are chosen.
func shareOf(l Load, chosen outcomes, isStatus bool) func(Windows) value {
	part := ofLoad(l, counted(chosen, isStatus))
	whole := ofLoad(l, counted(everything, false))
	return func(w Windows) value { return calculate("/", part(w), whole(w)) }
}

// perSecond is the measure of the rate at which requests were sent.
func perSecond(r *loadgen.Result) (*big.Rat, string) {
	if r.Elapsed <= 0 {
		return nil, "it is not known how long the load took"
	}
	sent := new(big.Rat).SetInt64(r.Sent)
	return sent.Mul(sent, big.NewRat(int64(time.Second), int64(r.Elapsed))), ""
}

// timing is a statistic of a histogram. It is not ok of an empty one.
type timing struct {
	name string
	of   func(*loadgen.Histogram) (latency time.Duration, ok bool)
}

// timings returns the statistics of response and service time.
func timings() []timing {
	quantile := func(q float64) func(*loadgen.Histogram) (time.Duration, bool) {
		return func(h *loadgen.Histogram) (time.Duration, bool) { return h.Quantile(q) }
	}
	return []timing{
		{"p50", quantile(0.5)}, {"p90", quantile(0.9)}, {"p95", quantile(0.95)},
		{"p99", quantile(0.99)}, {"p999", quantile(0.999)},
		{"min", (*loadgen.Histogram).Min}, {"max", (*loadgen.Histogram).Max},
		{"mean", (*loadgen.Histogram).Mean},
	}
}

// timed is the measure of a statistic of response time, or of service time. It
// is missing if any request had no answer: how long that one would have taken,
// nobody knows, and the time until its end is no response time.
func timed(t timing, service bool) measure {
	return func(r *loadgen.Result) (*big.Rat, string) {
		histogram := r.Response
		if service {
			histogram = r.Service
		}
		if n := r.Count(transport); n > 0 {
			return nil, fmt.Sprintf("%d of %d requests had no answer, and so no response time", n, r.Sent)
		}
		if n := histogram.Count(); n != r.Sent {
			return nil, fmt.Sprintf("of %d requests, the time of %d is known", r.Sent, n)
		}
		latency, ok := t.of(histogram)
		if !ok {
			return nil, "no time was recorded"
		}
		return new(big.Rat).SetInt64(int64(latency)), ""
	}
}

// quantityFunction is a function of what proxies counted.
type quantityFunction struct {
	name      string
	versioned bool // a version may follow the service
}

// quantityFunctions returns the quantities of proxies.
func quantityFunctions() []quantityFunction {
	return []quantityFunction{{name: report.Faults}, {name: report.Overflows}, {name: report.Ejections}, {name: report.Requests, versioned: true}}
}

// ofProxies returns the value of a quantity in the window in which the rule is
// in force. It stands on all requests that the cohorts sent in it: a quantity
// of a window without load says nothing.
func ofProxies(n Need) func(Windows) value {
	text := n.text()
	return func(w Windows) value {
		if w.During == nil {
			return absent("there was no %s window", report.During)
		}
		sent := allSent(w.During)
		if sent == 0 {
			return absent("no load sent anything in the %s window: there are no samples for %s", report.During, text)
		}
		at := slices.IndexFunc(w.During.Quantities, func(q report.Quantity) bool {
			return q.Function == n.Function && slices.Equal(q.Args, n.Args)
		})
		if at < 0 {
			return absent("%s was not collected", text)
		}
		q := w.During.Quantities[at]
		if q.Value == nil {
			return absent("%s is not known: %s", text, cmp.Or(q.Absent, "no source has it"))
		}
		if *q.Value < 0 {
			return absent("%s cannot be %d, as %s has it", text, *q.Value, cmp.Or(q.Source, "its source"))
		}
		v := value{amount: new(big.Rat).SetInt64(*q.Value), samples: sent}
		if q.Source != "" {
			v.sources = []string{q.Source}
		}
		return v
	}
}

// allSent adds up what the cohorts of a window sent.
func allSent(w *report.Window) int64 {
	var sent int64
	for _, r := range w.Loads {
		if r != nil {
			sent += r.Sent
		}
	}
	return sent
}
