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
}

// timings returns the statistics of response and service time.
func timings() []timing {
	quantile := func(name string, q float64, least int64) timing {
		return timing{
			name, least,
			func(h *loadgen.Histogram) (time.Duration, bool) { return h.Quantile(q) },
			func(h *loadgen.Histogram) (low, high time.Duration, ok bool) { return h.QuantileWithin(q) },
		}
	}
	return []timing{
		quantile("p50", 0.5, 2), quantile("p90", 0.9, 10), quantile("p95", 0.95, 20),
		quantile("p99", 0.99, 100), quantile("p999", 0.999, 1000),
		{"min", 1, (*loadgen.Histogram).Min, nil}, {"max", 1, (*loadgen.Histogram).Max, nil},
		{"mean", 1, (*loadgen.Histogram).Mean, (*loadgen.Histogram).MeanWithin},
	}
}

// timeOf is the value of a statistic of response time, or of service time, of a cohort.
func timeOf(l Load, t timing, service bool) func(Windows) value {
	read := ofLoad(l, timed(t, service))
	return func(w Windows) value {
		v := read(w)
		if v.amount == nil || t.within == nil {
			return v
		}
		result, _ := w.result(l)
		if low, high, _ := t.within(times(result, service)); low != high {
			v.ends = &ends{ratOf(int64(low)), ratOf(int64(high))}
		}
		return v
	}
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
