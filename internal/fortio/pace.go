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

// paceOf shares what a cap leaves among the loads that have no rate of their own. Nil
// is returned for a reason unless the plans by themselves exceed the cap.
func paceOf(plans map[string]loadgen.Plan, limit float64) (pace float64, stop *loadgen.StopError) {
	if limit == 0 {
		return 0, nil
	}
	asked, paced, atOnce := 0.0, 0, int64(0)
	for _, p := range plans {
		switch most := mostOf(p); {
		case p.QPS > 0:
			asked += p.QPS
		case most >= 2*int64(p.Connections):
			paced++
		default: // fortio takes fewer connections for so few at a rate
			atOnce += most
		}
	}
	left := limit - asked - float64(atOnce)
	if asked+float64(atOnce) > max(limit*(1+tolerated), limit+1) || paced > 0 && left <= 0 {
		return 0, &loadgen.StopError{
			Observed: fmt.Sprintf("the plans ask for %s requests a second, and %d more at once", digits(asked), atOnce),
			Limit:    digits(limit) + " a second, of all cohorts together",
		}
	}
	if paced == 0 {
		return 0, nil
	}
	return left / float64(paced), nil
}

// heldBack says that a load without a rate was as fast as its pace let it be, or about
// so, and thus not as asked; nil: none was.
func heldBack(cohorts []*cohort) *loadgen.StopError {
	for _, c := range cohorts {
		r := c.result
		if c.request.pace == 0 || c.request.scheduled || r == nil || r.Elapsed <= 0 {
			continue
		}
		if rate := float64(r.Sent) / r.Elapsed.Seconds(); rate > free*c.request.pace {
			return &loadgen.StopError{
				Observed: fmt.Sprintf("%s came to %s requests a second, where it may have been held back", c.name, digits(float64(int64(rate)))),
				Limit:    digits(c.request.pace) + " a second for this cohort",
				Sent:     r.Sent, After: r.Elapsed,
			}
		}
	}
	return nil
}

// digits writes a rate as files and options take it.
func digits(qps float64) string { return strconv.FormatFloat(qps, 'f', -1, 64) }
