package fortio

import (
	"fmt"
	"strconv"

	"github.com/meshchaos/meshchaos/loadgen"
)

const (
	// tolerated is how far above a cap a second may be, as in loadgen.
	tolerated = 0.1

	// free is the part of its pace up to which a load was certainly not held back by it.
	free = 0.8
)

// paceOf is how fast each load without a rate of its own may be, so that all together
// keep a cap: 0, as fast as its answers come, where all of them are no more requests than
// a second may have. The reason why the plans by themselves exceed it is nil if they do not.
func paceOf(plans map[string]loadgen.Plan, limit float64) (pace float64, stop *loadgen.StopError) {
	if limit == 0 {
		return 0, nil
	}
	scheduled, paced, tooFew, paceable := 0.0, 0, 0.0, 0.0
	for _, p := range plans {
		switch most := mostOf(p); {
		case p.QPS > 0:
			scheduled += p.QPS
		case most >= 2*int64(p.Connections):
			paced++
			paceable += float64(most)
		default: // fortio takes fewer connections for so few at a rate
			tooFew += float64(most)
		}
	}
	left := limit - scheduled - tooFew
	switch {
	case scheduled+tooFew > max(limit*(1+tolerated), limit+1), paced > 0 && left <= 0:
		return 0, &loadgen.StopError{
			Observed: fmt.Sprintf("the plans ask for %s requests a second, and %s more as fast as the answers come", digits(scheduled), digits(tooFew+paceable)),
			Limit:    digits(limit) + " qps, of all cohorts together",
			Values:   []loadgen.Measure{{Value: scheduled + tooFew, Unit: loadgen.Number, Least: paced > 0}},
			Bounds:   loadgen.Cap(limit),
		}
	case paceable <= left:
		return 0, nil
	}
	return left / float64(paced), nil
}

// heldBack says that a load without a rate was as fast as its pace let it be, or about
// so, and thus not as asked; nil: none was.
func heldBack(cohorts []*cohort) *loadgen.StopError {
	for _, c := range cohorts {
		r := c.result
		if c.request.pace == 0 || c.request.scheduled || r == nil || r.Elapsed.Duration <= 0 {
			continue
		}
		if rate := float64(r.Sent) / r.Elapsed.Seconds(); rate > free*c.request.pace {
			return &loadgen.StopError{
				Observed: fmt.Sprintf("%s came to %s requests a second, where it may have been held back", c.name, digits(float64(int64(rate)))),
				Limit:    digits(c.request.pace) + " a second for this cohort",
				Values:   []loadgen.Measure{{Value: float64(int64(rate)), Unit: loadgen.Number, Least: true}}, // more, had nothing held it back
				Bounds:   loadgen.Cap(c.request.pace),
				Sent:     r.Sent, After: r.Elapsed,
			}
		}
	}
	return nil
}

// digits writes a rate as files and options take it.
func digits(qps float64) string { return strconv.FormatFloat(qps, 'f', -1, 64) }
