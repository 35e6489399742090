package check

import (
	"slices"

	"github.com/meshchaos/meshchaos/report"
)

// seen is what a window made possible: what is said of requests that were never
// sent could not have come out otherwise.
type seen struct {
	made    map[Load]int64   // the requests that were sent
	counted map[string]int64 // the most that a quantity of the proxies could have been, by its text
}

// sent is how many requests a load was; 0: it is not over.
func (s *seen) sent(l Load) int64 {
	if s == nil {
		return 0
	}
	return s.made[l]
}

// most is the most that a quantity of the proxies could have been; 0: nobody
// knows.
func (s *seen) most(n Need) int64 {
	if s == nil {
		return 0
	}
	return s.counted[n.text()]
}

// seen returns what the windows made possible of what the line names.
func (e *Expectation) seen(w Windows) *seen {
	s := &seen{made: map[Load]int64{}, counted: map[string]int64{}}
	for _, l := range e.loads {
		if result, _ := w.result(l); result != nil {
			s.made[l] = result.Sent
		}
	}
	for _, n := range e.needs {
		s.counted[n.text()] = w.most(n)
	}
	return s
}

// most is the most that a quantity of the proxies could have been in the window
// under the rule: as many as there were requests to its service, those that never
// reached it included; 0: nobody knows. How often a service is called for one
// request has no limit, since whoever calls it may ask again.
func (w Windows) most(n Need) int64 {
	if n.Function == report.Requests && len(n.Args) == 1 {
		return 0
	}
	reached := w.counted(requestsOf(n))
	if reached == nil {
		return 0
	}
	if n.Function == report.Imbalance { // one endpoint may have had all of them
		if own := w.counted(Need{Function: report.Requests, Args: n.Args}); own != nil {
			return *own
		}
		return *reached
	}
	count := func(function string) int64 {
		if known := w.counted(Need{Function: function, Args: n.Args[:1]}); known != nil {
			return *known
		}
		return 0
	}
	most := max(*reached+count(report.Overflows), allSent(w.During))
	if n.Function == report.Faults { // an aborted request reaches nobody, and one that is delayed too counts twice
		most = 2 * (most + count(report.Faults))
	}
	if own := w.counted(n); own != nil {
		most = max(most, *own)
	}
	return most
}

// requestsOf is what was counted of all requests to the service of a quantity.
func requestsOf(n Need) Need { return Need{Function: report.Requests, Args: n.Args[:1]} }

// counted is what the proxies counted under the rule; nil: that is not known.
func (w Windows) counted(n Need) *int64 {
	if w.During == nil {
		return nil
	}
	at := slices.IndexFunc(w.During.Quantities, n.is)
	if at < 0 {
		return nil
	}
	return w.During.Quantities[at].Value
}

// is says whether a quantity is the one that is needed.
func (n Need) is(q report.Quantity) bool {
	return q.Function == n.Function && slices.Equal(q.Args, n.Args)
}
