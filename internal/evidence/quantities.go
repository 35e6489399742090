package evidence

import (
	"slices"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/report"
)

// quantity is something that the proxies count. Each is a file of this package,
// with its sources in their order, and a chapter of docs/quantities.md.
type quantity struct {
	check.Function
	count func(*Window, *tally, asked)
}

func quantities() []quantity {
	return []quantity{requests, connections, imbalance, faults, overflows, retryOverflows, ejections}
}

// Functions returns what an expectation may ask of the proxies.
func Functions() []check.Function {
	var all []check.Function
	for _, q := range quantities() {
		all = append(all, q.Function)
	}
	return all
}

// Quantities returns one quantity for each need, in their order.
func (w *Window) Quantities(needs []check.Need) []report.Quantity {
	var all []report.Quantity
	for _, need := range needs {
		t := w.quantity(need)
		q := report.Quantity{Function: need.Function, Args: need.Args, Absent: t.absent, Each: t.each, Most: t.most, None: t.none}
		switch value := int64(t.value); {
		case t.absent != "":
		case t.more != "" && value == 0: // so many there are of anything
			q.Absent = t.more
		default:
			q.Value, q.Source, q.AtLeast, q.Absent = &value, t.source(), t.more != "", t.more
		}
		all = append(all, q)
	}
	return all
}

func (w *Window) quantity(need check.Need) *tally {
	t := newTally()
	if w.gap != "" {
		t.lack("%s", w.gap)
		return t
	}
	if len(need.Args) == 0 {
		t.lack("%s names no service", need.Function)
		return t
	}
	service, ok := w.service(need.Args[0])
	if !ok {
		t.lack("there is no service %s in the namespace", need.Args[0])
		return t
	}
	a := asked{service: service}
	if len(need.Args) > 1 {
		a.version = need.Args[1]
	}
	i := slices.IndexFunc(quantities(), func(q quantity) bool { return q.Name == need.Function })
	if i < 0 {
		t.lack("nothing is known of a quantity %s", need.Function)
		return t
	}
	quantities()[i].count(w, t, a)
	return t
}
