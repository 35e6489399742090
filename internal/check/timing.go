package check

import (
	"fmt"
	"math/big"
	"time"

	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/loadgen"
)

// timing is a statistic of a histogram. It is not ok of an empty one.
type timing struct {
	name string
	// least is how many samples it takes. A quantile q takes 1/(1-q): of fewer,
	// less than one lies above it, so that its nearest rank, ⌈q·n⌉, is n, and it
	// is the maximum under another name (Hyndman and Fan, "Sample Quantiles in
	// Statistical Packages", 1996, definition 1).
	least int64
	of    func(*loadgen.Histogram) (latency time.Duration, ok bool)
	// within is between which times it lies, both included; nil: it is exact.
	within func(*loadgen.Histogram) (low, high time.Duration, ok bool)
	at     float64 // the share of all that it is not above; below 0: it is no quantile
}

// timings returns the statistics of response and service time.
func timings() []timing {
	named := func(name string, q float64, least int64) timing {
		t := quantile(q)
		t.name, t.least = name, least
		return t
	}
	return []timing{
		named("p50", 0.5, 2), named("p90", 0.9, 10), named("p95", 0.95, 20),
		named("p99", 0.99, 100), named("p999", 0.999, 1000),
		{"min", 1, (*loadgen.Histogram).Min, nil, 0}, {"max", 1, (*loadgen.Histogram).Max, nil, 1},
		{"mean", 1, (*loadgen.Histogram).Mean, (*loadgen.Histogram).MeanWithin, -1},
	}
}

// quantile is the one at a share of all.
func quantile(q float64) timing {
	return timing{
		of:     func(h *loadgen.Histogram) (time.Duration, bool) { return h.Quantile(q) },
		within: func(h *loadgen.Histogram) (low, high time.Duration, ok bool) { return h.QuantileWithin(q) },
		at:     q,
	}
}

// timeOf is the value of a statistic of response time, or of service time, of a cohort.
func timeOf(l Load, t timing, service bool) func(Windows) value {
	read := ofLoad(l, timed(t, service))
	return func(w Windows) value {
		v := read(w)
		if v.amount == nil {
			return v
		}
		result, _ := w.result(l)
		low, high := t.between(times(result, service))
		if result.Lag.Count() > 0 {
			punctualLow, punctualHigh := t.punctual(result, service)
			if low-punctualLow+punctualHigh-high > high-low { // which is more than a bucket leaves open
				v.late = []string{lateness(l, result)}
			}
			low, high = punctualLow, punctualHigh
		}
		if low != high {
			v.ends = &ends{ratOf(int64(low)), ratOf(int64(high))}
		}
		return v
	}
}

// between is between which times a statistic of a histogram lies, both included.
func (t timing) between(h *loadgen.Histogram) (low, high time.Duration) {
	if t.within != nil {
		low, high, _ = t.within(h)
		return low, high
	}
	at, _ := t.of(h)
	return at, at
}

func times(r *loadgen.Result, service bool) *loadgen.Histogram {
	if service {
		return r.Service
	}
	return r.Response
}

// timed is the measure of a statistic of response time, or of service time.
func timed(t timing, service bool) measure {
	return func(r *loadgen.Result) (*big.Rat, string) {
		histogram := times(r, service)
		if missing := untimed(r, service); missing != "" {
			return nil, missing
		}
		if n := histogram.Count(); n != r.Sent {
			return nil, fmt.Sprintf("of %s, the time of %d is known", plural.Of(r.Sent, "request"), n)
		}
		if r.Sent < t.least {
			return nil, fmt.Sprintf("of %s %s is the largest, and no percentile: it takes %d; write .max, or send more", plural.Of(r.Sent, "sample"), t.name, t.least)
		}
		latency, ok := t.of(histogram)
		if !ok {
			return nil, "no time was recorded"
		}
		return new(big.Rat).SetInt64(int64(latency)), ""
	}
}

// untimed says why a cohort has no times to be judged; empty: it has. How long
// a request would have taken that had no answer, nobody knows, and the time
// until its end is no response time; nor how long one would have taken that was
// due and never begun. Answers that are all failures say how fast it fails.
func untimed(r *loadgen.Result, service bool) string {
	if n := r.Count(untaken); n > 0 {
		return fmt.Sprintf("%d of %s had an answer without what was to be taken from it, and so no time of an answer as it should be", n, plural.Of(r.Sent, "request"))
	}
	if n := r.Count(transport); n > 0 {
		return fmt.Sprintf("%d of %s had no answer, and so no response time", n, plural.Of(r.Sent, "request"))
	}
	if r.Missed > 0 && !service {
		return plural.Were(r.Missed, "request") + " due and never begun, and nobody knows how long that would have taken; take more connections or a lower rate"
	}
	if r.Count(loadgen.Outcome.Failed) == r.Sent {
		failed := fmt.Sprintf("all %d answers are failures", r.Sent)
		if r.Sent == 1 {
			failed = "the one answer is a failure"
		}
		return failed + ", and how fast it fails says nothing of how fast it answers; judge status[…] instead"
	}
	return ""
}
