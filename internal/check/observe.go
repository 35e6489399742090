package check

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"

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

// WindowsOf returns the windows of a run by which the expectations of a step are
// judged.
func WindowsOf(r *report.Record, step string) Windows {
	return Windows{During: r.Window(report.During, step), Baseline: r.Window(report.Baseline, ""), Recovery: r.Window(report.Recovery, "")}
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
		return nil, absent("%s has no result in the %s", l.Cohort, wordWindow(l.Window))
	case result.Failure != "":
		return nil, absent("the load of %s could not be carried out in the %s: %s", l.Cohort, wordWindow(l.Window), result.Failure)
	case result.Sent <= 0:
		return nil, absent("%s sent nothing in the %s: there are no samples", l.Cohort, wordWindow(l.Window))
	}
	if total := result.Count(everything); total != result.Sent {
		return nil, absent("the outcomes of %s in the %s add up to %d, but %d were sent", l.Cohort, wordWindow(l.Window), total, result.Sent)
	}
	if l.Request != "" {
		if result = result.Of(l.Request); result.Sent == 0 {
			return nil, absent("%s sent no %s in the %s: there are no samples", l.Cohort, l.Request, wordWindow(l.Window))
		}
	}
	return result, value{samples: result.Sent, sources: []string{clients}}
}

// wordWindow names a window as the problems of a run do.
func wordWindow(name string) string { return (&report.Window{Name: name}).Words() }

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
			return absent("%s in the %s: %s", l.name(), wordWindow(l.Window), missing)
		}
		v.amount = amount
		return v
	}
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
			return absent("no load sent anything in the %s: there are no samples for %s", wordWindow(report.During), text)
		}
		at := slices.IndexFunc(w.During.Quantities, n.is)
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
		if q.AtLeast {
			v.least = fmt.Sprintf("%s is %d at least, and how many more is not known: %s", text, *q.Value, cmp.Or(q.Absent, "no source has all of it"))
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
