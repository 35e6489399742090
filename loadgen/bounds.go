package loadgen

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/plural"
)

// Bounds end a load before its time, whatever its plans say: all cohorts at once,
// the requests in flight included. The zero value has none.
type Bounds struct {
	// QPS is how many requests all cohorts together may begin within a second, those
	// of the warm-up and the logins included; 0: any number. A rate that is kept begins
	// a few late, and then more at a time, so that a tenth above is let through.
	QPS float64

	// Duration is how long after its start a load may still begin requests, and how
	// long its warm-up may take; 0: any time. Requests that are in flight by then may end.
	Duration time.Duration

	// Breached is asked ten times a second, and once more when the load has ended, with
	// what each cohort has seen so far: outcomes and times of the requests that have
	// ended. It returns why the load is to end, nil if it may go on. Nil: it is not asked.
	Breached func(soFar map[string]*Result) *StopError

	// Over brings the names of cohorts that have run for as long as they were to, because
	// what they run beside, in another process, has ended: each stops as one with
	// Plan.While does. Nil: there is no such.
	Over <-chan string

	// Start is asked once begin has returned when the load is to begin, which it does not
	// before; one that has passed makes late what was due since. Loads of several processes
	// begin together by it. Nil, and the zero time: at once.
	Start func() time.Time

	// Stopped hears why the load was ended, before the requests in flight have: engine
	// fortio's cannot be cut off. It is called once at most, from a goroutine of its own.
	// Nil: nobody hears of it.
	Stopped func(*StopError)
}

// StopError says why a load was ended by one of its Bounds. It is plain data: it
// crosses the wire from the load workload and is kept in the record of a run.
type StopError struct {
	Condition string    `json:"condition,omitempty"` // that came true, as it was written; empty: a cap was exceeded
	Observed  string    `json:"observed"`            // worded: 7.1% (12 of 168)
	Limit     string    `json:"limit"`               // worded: > 5%
	Values    []Measure `json:"values,omitempty"`    // the observed side, without intervals, since it was looked at until it was so; of a condition that joins comparisons those of each; records of versions that had words alone have none
	Bounds    []Bound   `json:"bounds,omitempty"`    // what the condition says of it, none where that is negated; or the cap
	Samples   int64     `json:"samples,omitempty"`   // how many requests the observed side stands on
	Sent      int64     `json:"sent"`                // requests that had ended by then, of all cohorts
	After     Duration  `json:"after"`               // since the load, or its warm-up, began
}

// Error implements error.
func (e *StopError) Error() string {
	after := fmt.Sprintf("%v after its begin and %s", e.After.Round(time.Millisecond), plural.Of(e.Sent, "request"))
	if e.Condition == "" {
		return fmt.Sprintf("the load was ended %s: %s, and the cap is %s", after, e.Observed, e.Limit)
	}
	return fmt.Sprintf("the load was ended %s, since %s came true: it was %s", after, e.Condition, strings.ReplaceAll(e.Observed, "; ", " and "))
}

// any says whether there is something to watch.
func (b *Bounds) any() bool { return b.QPS > 0 || b.Duration > 0 || b.Breached != nil }

func (b *Bounds) validate() error {
	switch {
	case math.IsNaN(b.QPS) || b.QPS < 0:
		return fmt.Errorf("bounding the load: its requests a second may be %s; write 0 (any number) or more", digits(b.QPS))
	case b.Duration < 0:
		return fmt.Errorf("bounding the load: it may take %s; write 0s (any time) or more", b.Duration)
	}
	return nil
}
