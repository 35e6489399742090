package check

import (
	"fmt"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

// lateness says that requests of a cohort were begun late, and by how much.
func lateness(l Load, r *loadgen.Result) string {
	longest, _ := r.Lag.Max()
	most, _ := r.Lag.Quantile(0.99)
	words := func(d time.Duration) string { return durationWords(ratOf(int64(d)), 3) }
	return fmt.Sprintf("in the %s requests of %s were begun late although a connection was free (99%% of them by up to %s, all by up to %s)",
		wordWindow(l.Window), l.name(), words(most), words(longest))
}

// Punctual is between which times a quantile of response time would have been, had no
// request been begun late although a connection was free. It is as punctual has it.
func Punctual(r *loadgen.Result, q float64) (low, high time.Duration) {
	if r.Lag.Count() == 0 {
		return quantile(q).between(r.Response)
	}
	return quantile(q).punctual(r, false)
}

// punctual is between which times a statistic would have been, both included, had no
// request been begun late although a connection was free.
//
// Such a lag falsifies both times. The response time, from when a request was due, has it
// in it, and it is none of the server's. The service time, from when it was begun, leaves
// out what the server would have done with it meanwhile: the coordinated omission of
// which Gil Tene warns ("How NOT to Measure Latency", 2013). So of a request that was begun
// in time both would have been from the service time to the response time less what it had
// to wait for a connection. What that is of each request is not kept. Of all together the
// histograms of both times, and of the lag, bound it.
func (t timing) punctual(r *loadgen.Result, service bool) (low, high time.Duration) {
	low, _ = t.between(r.Service)
	_, high = t.between(r.Response)
	q := max(t.at, 1/float64(r.Lag.Count())) // the smallest is the first of all
	for _, s := range t.shifts(r.Lag) {
		switch {
		case service && q+s.share <= 1:
			_, at := s.of(q + s.share).between(r.Service)
			high = min(high, at+s.lag)
		case !service && q > s.share:
			at, _ := s.of(q - s.share).between(r.Response)
			low = max(low, at-s.lag)
		}
	}
	return low, high
}

// shift is a bound of a quantile. Where a share of requests lags by more than a lag, the
// quantile q of the times with it is at most that of q + share without, plus the lag; and
// q of those without is at least that of q - share with it, less the lag. So it is of any
// sum of two, however one depends on the other (G. D. Makarov, "Estimates for the
// distribution function of a sum of two random variables when the marginal distributions
// are fixed", 1981).
type shift struct {
	share float64
	lag   time.Duration
	of    func(q float64) timing
}

// shifts are the bounds that a lag sets to a statistic.
func (t timing) shifts(lag *loadgen.Histogram) []shift {
	if t.at < 0 { // the mean of what is left is what is left of the mean
		_, mean := t.between(lag)
		return []shift{{0, mean, func(float64) timing { return t }}}
	}
	longest, _ := lag.Max()
	all := []shift{{0, longest, quantile}}
	// The shares, and not what they leave of 1: 1-0.9 is less than a tenth as it is rounded, and
	// the first of ten would be held to a bound that is the second's.
	for _, share := range []float64{0.0001, 0.001, 0.01, 0.05, 0.1, 0.5} {
		_, at := quantile(1 - share).between(lag)
		all = append(all, shift{share, at, quantile})
	}
	return all
}
