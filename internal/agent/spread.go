package agent

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

// spread is a cohort and what is known of each of its senders.
type spread struct {
	plan     loadgen.Plan
	from     []*Share
	progress []loadgen.Progress
	over     []bool
	soFar    []*loadgen.Result
	results  []*loadgen.Result // nil: there is none
	lost     []error           // nil: none is
}

// ended says whether all senders have ended.
func (of *spread) ended() bool { return !slices.Contains(of.over, false) }

// far is how far all senders of a cohort are together. The percentiles are those of the one
// that waits longest: only histograms can be merged.
func (of *spread) far() loadgen.Progress {
	p := of.progress[0]
	for _, other := range of.progress[1:] {
		p.Cohort = cmp.Or(p.Cohort, other.Cohort)
		p.Sent, p.Errors = p.Sent+other.Sent, p.Errors+other.Errors
		p.Elapsed.Duration = max(p.Elapsed.Duration, other.Elapsed.Duration)
		p.P50.Duration, p.P99.Duration = max(p.P50.Duration, other.P50.Duration), max(p.P99.Duration, other.P99.Duration)
		p.Ended = p.Ended && other.Ended
		p.Ways = loadgen.AddWays(p.Ways, other.Ways)
	}
	p.Planned, p.Duration, p.QPS = of.plan.Requests, of.plan.Duration, of.plan.RateAt(p.Elapsed.Duration) // of those too that were not heard of yet
	return p
}

// seen is what all senders of a cohort have seen so far; nil: not all have told.
func (of *spread) seen() (*loadgen.Result, error) {
	if slices.Contains(of.soFar, nil) {
		return nil, nil
	}
	if len(of.soFar) == 1 {
		return of.soFar[0], nil
	}
	return of.plan.Merge(of.named(of.soFar))
}

// named are results with the names of those who have them.
func (of *spread) named(results []*loadgen.Result) (all []loadgen.SenderResult) {
	for i, s := range of.from {
		r := loadgen.SenderResult{Name: s.Name, Result: results[i]}
		if of.lost[i] != nil { // though it may have told what it had sent, as one that was asked to end
			r.Lost = of.lost[i].Error()
		}
		if r.Result == nil {
			r.Lost = cmp.Or(r.Lost, "its results did not come")
			if sent := of.progress[i].Sent; sent > 0 {
				r.Lost += fmt.Sprintf("; when last heard of, after %v, it had sent %d", of.progress[i].Elapsed.Round(time.Millisecond), sent)
			}
		}
		all = append(all, r)
	}
	return all
}
