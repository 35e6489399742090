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
	each    map[string]int64 // how many errors make one of it; 0: that is not known
}

// sent is how many requests a load was; 0: it is not over.
func (s *seen) sent(l Load) int64 {
	if s == nil {
		return 0
	}
	return s.made[l]
}

// none is the most of what could not have been.
const none = -1

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
	s := &seen{made: map[Load]int64{}, counted: map[string]int64{}, each: map[string]int64{}}
	for _, l := range e.loads {
		if result, _ := w.result(l); result != nil {
			s.made[l] = result.Sent
		}
	}
	for _, n := range e.needs {
		s.counted[n.text()], s.each[n.text()] = w.most(n), w.quantity(n).Each
	}
	return s
}

// most is the most that a quantity of the proxies could have been in the window
// under the rule: as many as there were requests to its service, those that never
// reached it included; 0: nobody knows, below 0: there could be none. How often a
// service is called for one request has no limit, since whoever calls it may ask again, nor has
// how often a proxy connects, which it may do in vain.
func (w Windows) most(n Need) int64 {
	if n.Function == report.Requests && len(n.Args) == 1 || n.Function == report.Connections {
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
	there := *reached + w.countOf(report.Overflows, n)
	most := max(there, allSent(w.During))
	switch n.Function {
	case report.Overflows, report.RetryOverflows:
		q := w.quantity(n)
		switch {
		case q.None && w.countOf(n.Function, n) == 0:
			return none
		case q.Most > 0:
			most = min(most, q.Most)
		}
	case report.Faults: // one that is delayed and aborted counts twice
		most = 2 * max(there+w.aborted(n), most)
	case report.Ejections:
		if most = w.ejectable(n, most); most == none && w.countOf(n.Function, n) == 0 {
			return none
		}
	}
	return max(most, w.countOf(n.Function, n))
}

// aborted is how many requests to the service of a quantity may not have reached it
// since a fault aborted them: each of its faults that is not known to be a delay.
func (w Windows) aborted(n Need) int64 {
	faults := w.countOf(report.Faults, n)
	for _, b := range w.During.Bites {
		if b.Kind == delayed && b.Service == n.Args[0] && b.Count != nil {
			faults -= *b.Count
		}
	}
	return max(faults, 0)
}

// delayed is the kind of the bites of a delay.
const delayed = "delay"

// ejectable is how many of so many requests, were all of them to fail, could have
// ejected an endpoint. One always may: a failure to connect is an error, and no
// request that reached anybody.
func (w Windows) ejectable(n Need, requests int64) int64 {
	q := w.quantity(n)
	if q.None {
		return none
	}
	if q.Each > 0 {
		requests = max(requests/q.Each, 1)
	}
	if q.Most > 0 {
		requests = min(requests, q.Most)
	}
	return requests
}

// countOf is what was counted of the service of a quantity; 0: that is not known.
func (w Windows) countOf(function string, n Need) int64 {
	args := n.Args
	if function != n.Function {
		args = n.Args[:1]
	}
	if known := w.counted(Need{Function: function, Args: args}); known != nil {
		return *known
	}
	return 0
}

// requestsOf is what was counted of all requests to the service of a quantity.
func requestsOf(n Need) Need { return Need{Function: report.Requests, Args: n.Args[:1]} }

// counted is what the proxies counted under the rule; nil: that is not known.
func (w Windows) counted(n Need) *int64 {
	return w.quantity(n).Value
}

// quantity is what the proxies counted under the rule, and what is known of that;
// without anything where it was not collected.
func (w Windows) quantity(n Need) report.Quantity {
	if w.During == nil {
		return report.Quantity{}
	}
	at := slices.IndexFunc(w.During.Quantities, n.is)
	if at < 0 {
		return report.Quantity{}
	}
	return w.During.Quantities[at]
}

// is says whether a quantity is the one that is needed.
func (n Need) is(q report.Quantity) bool {
	return q.Function == n.Function && slices.Equal(q.Args, n.Args)
}
