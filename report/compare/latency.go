package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/internal/chance"
	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// matters is by how much a percentile must be longer to count, or shorter.
const matters = 1.1

// What is known of runs of which nothing has changed. The numbers are from some hundred
// runs on the embedded mesh of a machine that was now idle, now ten times overloaded;
// docs/compare.md tells what they came to.
const (
	// batches is into how many parts of as many requests a load is cut. Within one,
	// requests hang together: they met the same pause of a collector, or the same busy
	// neighbour. Of fewer than leastBatches, nobody can say by how much they vary.
	batches      = 10
	leastBatches = 4

	// drifts is by how much a percentile is off from run to run though each run was
	// even: as a share, and by as long as it takes to switch threads once or twice.
	drifts      = 0.02
	driftsLeast = 50 * time.Microsecond

	// lasts is how much of what the batches of a run differ by, beyond what the chance
	// of single requests explains, is one of the run: what makes batches uneven does
	// not end with it.
	lasts = 0.5

	// together is how many requests say as much as one that hangs together with no
	// other, where nobody knows how they went over time.
	together = 4
)

// The fast requests of a load are those that waited for nobody but the service: a busy
// machine moves the median before it moves them. So the fast ones of a load are off from
// run to run by about as much as the fastest tenth is from the fastest quarter.
const (
	fast, lessFast   = 0.1, 0.25
	fastDrifts       = 0.015
	fastDriftsLeast  = time.Millisecond
	leastFast        = 50          // requests
	leastFastElapsed = time.Second // which a neighbour's burst seldom fills
)

// percentile is one that is compared.
type percentile struct {
	name  string
	q     float64
	least int64
	over  func(*loadgen.Series) []*float64
}

func percentiles() []percentile {
	return []percentile{
		{"p50", 0.5, summary.LeastP50, func(s *loadgen.Series) []*float64 { return s.P50 }},
		{"p99", 0.99, summary.LeastP99, func(s *loadgen.Series) []*float64 { return s.P99 }},
	}
}

// latencies compares the percentiles of the response times.
func (l loads) latencies() []*value {
	var all []*value
	for _, p := range percentiles() {
		if l.old.Response.Count() < p.least || l.new.Response.Count() < p.least {
			continue
		}
		before, _ := l.old.Response.Quantile(p.q)
		now, _ := l.new.Response.Quantile(p.q)
		v := l.value(p.name)
		v.Before, v.Now, v.test = latency(before), latency(now), p.test(l.old, l.new)
		v.worse = longer(before, now)
		if v.Remarks = p.doubt(l.old, l.new, v.worse); v.Remarks != "" {
			v.worse = unknown
		}
		if v.worse != nothing && !p.tells(l.old, l.new) {
			v.test, v.Became, v.Remarks = nil, report.Untested, "too short a load to tell"
		}
		all = append(all, v)
	}
	return all
}

// longer is whether a latency is by so much longer that it counts.
func longer(before, now time.Duration) sense {
	switch ratio := float64(now) / float64(before); {
	case ratio > matters:
		return worse
	case ratio < 1/matters:
		return better
	}
	return nothing
}

// doubt is why a percentile may not have changed in a sense; empty: it has. What a load
// generator that was late has added itself is neither for the worse nor for the better.
func (p percentile) doubt(old, new *loadgen.Result, in sense) string {
	beforeLow, beforeHigh := check.Punctual(old, p.q)
	nowLow, nowHigh := check.Punctual(new, p.q)
	least := longer(beforeHigh, nowLow)
	if in == better {
		least = longer(beforeLow, nowHigh)
	}
	if in == nothing || least == in || old.Lag.Count()+new.Lag.Count() == 0 {
		return ""
	}
	words := func(low, high time.Duration) string {
		if a, b := summary.Duration(low), summary.Duration(high); a != b {
			return a + " to " + b
		}
		return summary.Duration(high)
	}
	return fmt.Sprintf("without the load generator's own lateness it could be %s, before %s: run again where less else is running", words(nowLow, nowHigh), words(beforeLow, beforeHigh))
}

func latency(d time.Duration) report.Observed {
	return report.Observed{Words: summary.Duration(d), Measure: &report.Measure{Value: d.Seconds(), Unit: report.Seconds}}
}

// test is whether a percentile differs by more than chance.
//
// Single requests have to say so, if each were independent of the others: whether as
// many of both samples exceed the percentile of both together (A. M. Mood, "Introduction
// to the Theory of Statistics", 1950, of the median; exactly, by Fisher). Since they are
// not, so has what is known of runs: the batches of the loads, or, of the median, the
// fast requests, which have moved with it. Of these two the better counts, at half of
// the level.
func (p percentile) test(old, new *loadgen.Result) *test {
	of := exceeding(counted(old.Response), counted(new.Response), p.q)
	least := of.Least()
	runs := p.even(old, new)
	if old.Series == nil || new.Series == nil {
		fewer := chance.Table{First: of.First / together, OfFirst: of.OfFirst / together, Second: of.Second / together, OfSecond: of.OfSecond / together}
		runs, least = fewer.P(), fewer.Least()
	}
	if p.q == 0.5 {
		runs = min(1, 2*min(runs, moved(old, new)))
	}
	return &test{max(of.P(), runs), least}
}

// tells is whether any two runs of such loads could differ by more than chance.
func (p percentile) tells(old, new *loadgen.Result) bool {
	all := []*loadgen.Result{old, new}
	if slices.ContainsFunc(all, func(r *loadgen.Result) bool { return r.Series == nil }) {
		return true
	}
	few := func(r *loadgen.Result) bool { return len(p.batches(r)) < leastBatches }
	return !slices.ContainsFunc(all, few) || p.q == 0.5 && !slices.ContainsFunc(all, tooFewFast)
}

// even is whether the means of the batches differ by more than batches and runs do.
func (p percentile) even(old, new *loadgen.Result) float64 {
	if old.Series == nil || new.Series == nil {
		return 1
	}
	before, now := p.batches(old), p.batches(new)
	if len(before) < leastBatches || len(now) < leastBatches {
		return 1
	}
	return chance.Means(p.sample(old, before), p.sample(new, now))
}

// moved is whether the fast requests differ by more than those of runs do, and by as
// much as counts, in the direction of the median.
func moved(old, new *loadgen.Result) float64 {
	if tooFewFast(old) || tooFewFast(new) {
		return 1
	}
	before, now := logOf(old.Response, fast), logOf(new.Response, fast)
	by, median := now-before, logOf(new.Response, 0.5)-logOf(old.Response, 0.5)
	if math.Abs(by) < math.Log(matters) || by*median < 0 {
		return 1
	}
	variance := 0.0
	for _, h := range []*loadgen.Histogram{old.Response, new.Response} {
		apart := logOf(h, lessFast) - logOf(h, fast)
		least := fastDriftsLeast.Seconds() / math.Exp(logOf(h, fast))
		variance += apart*apart + fastDrifts*fastDrifts + least*least
	}
	return chance.Normal(by / math.Sqrt(variance))
}

// tooFewFast says whether the fast requests of a load say nothing.
func tooFewFast(r *loadgen.Result) bool {
	return r.Response.Count() < leastFast || r.Elapsed.Duration < leastFastElapsed
}

// logOf is the logarithm of a percentile in seconds, at the rank that is nearest to it: so
// it is off to neither side.
func logOf(h *loadgen.Histogram, q float64) float64 {
	n := float64(max(h.Count(), 1))
	latency, _ := h.Quantile(math.Round(q*n) / n)
	return math.Log(max(latency, time.Microsecond).Seconds())
}

// latencies are so many that were the same.
type latencies struct {
	of    time.Duration
	count int64
}

func counted(h *loadgen.Histogram) (all []latencies) {
	h.Each(func(of time.Duration, count int64) { all = append(all, latencies{of, count}) })
	return all
}

// exceeding is how many of both samples exceed the percentile of both together.
func exceeding(first, second []latencies, q float64) chance.Table {
	var of chance.Table
	both := slices.Concat(first, second)
	slices.SortFunc(both, func(a, b latencies) int { return cmp.Compare(a.of, b.of) })
	count := func(all []latencies, over time.Duration) (n int64) {
		for _, c := range all {
			if c.of > over {
				n += c.count
			}
		}
		return n
	}
	of.OfFirst, of.OfSecond = count(first, -1), count(second, -1)
	below, at := int64(0), time.Duration(0)
	for _, c := range both {
		if float64(below) >= q*float64(of.OfFirst+of.OfSecond) {
			break
		}
		below, at = below+c.count, c.of
	}
	of.First, of.Second = count(first, at), count(second, at)
	return of
}

// batches are the means of the logarithms of the percentile over the slots of each
// batch, weighted by how many requests ended in each.
func (p percentile) batches(r *loadgen.Result) []float64 {
	var weights []int64
	var logs []float64
	total := int64(0)
	for i, in := range p.over(r.Series) {
		n := int64(0)
		for _, ended := range r.Series.Ended {
			if ended.Error != loadgen.ErrorCanceled && i < len(ended.Count) {
				n += ended.Count[i]
			}
		}
		if in != nil && n > 0 {
			weights, logs, total = append(weights, n), append(logs, math.Log(max(*in, 1e-6))), total+n
		}
	}
	var means []float64
	sum, weight, seen := 0.0, int64(0), int64(0)
	for i, n := range weights {
		sum, weight, seen = sum+logs[i]*float64(n), weight+n, seen+n
		if seen*batches >= total*int64(len(means)+1) || i == len(weights)-1 {
			means = append(means, sum/float64(weight))
			sum, weight = 0, 0
		}
	}
	return means
}

// sample is what the batches of a load say of the percentile, and by how much its
// whole may be off beside that.
func (p percentile) sample(r *loadgen.Result, batches []float64) chance.Sample {
	alone := p.scatter(r.Response) * float64(len(batches)) // of a batch, by the chance of single requests
	whole, _ := r.Response.Quantile(p.q)
	drift := math.Hypot(drifts, float64(driftsLeast)/float64(max(whole, 1)))
	s := chance.Sample{Values: batches, Share: lasts, Explained: alone, Known: drift * drift}
	if p.q != 0.5 {
		s.Explained = 0 // the slots' percentile is of a few requests, and no sample of the whole's
	}
	return s
}

// scatter is the variance of the logarithm of the percentile of so many requests, were
// each independent of the others: how far the percentiles are apart that are off by
// one standard deviation of their rank.
func (p percentile) scatter(h *loadgen.Histogram) float64 {
	off := math.Sqrt(p.q * (1 - p.q) / float64(h.Count()))
	sd := (logOf(h, min(p.q+off, 1)) - logOf(h, max(p.q-off, 0))) / 2
	return sd * sd
}
