package evidence

import (
	"fmt"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
)

// Observed is what was read of the proxies for one window of load.
type Observed struct {
	Before, After *Snapshot
	Log           *Log            // nil: the access logs were not followed
	Services      []mesh.Service  // of the namespace
	Objects       []*rules.Object // the rules that were in force from the first reading to the second
	Settled       bool            // no request of the window was under way at the second reading
}

// quantity is something that the proxies count. Each is a file of this package,
// with its sources in their order, and a chapter of docs/quantities.md.
type quantity struct {
	check.Function
	count func(*window, *tally, asked)
}

func quantities() []quantity {
	return []quantity{requests, faults, overflows, ejections}
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
func (o Observed) Quantities(needs []check.Need) []report.Quantity {
	w := o.window()
	var all []report.Quantity
	for _, need := range needs {
		t := w.quantity(need)
		q := report.Quantity{Function: need.Function, Args: need.Args, Absent: t.absent}
		if t.absent == "" {
			value := int64(t.value)
			q.Value, q.Source = &value, t.source()
		}
		all = append(all, q)
	}
	return all
}

// Gap says why nothing can be said of the window: a proxy came, went or was
// restarted while it lasted, or could not be read. Empty: there is no such.
func (o Observed) Gap() string { return o.window().gap }

// window is the time between two readings.
type window struct {
	Observed
	pairs      []pair
	versions   map[string]string // by address of a workload
	length     time.Duration
	delayed    []string         // services with a delay in force
	incomplete map[string]error // why a proxy's log is no evidence, though it was read
	gap        string           // why nothing can be said of this window
}

func (o Observed) window() *window {
	w := &window{
		Observed:   o,
		versions:   map[string]string{},
		length:     o.After.taken.Sub(o.Before.taken),
		delayed:    rules.Delayed(o.Objects),
		incomplete: map[string]error{},
	}
	for _, b := range o.Before.readings {
		p, gap := newPair(b, o.After.of(b.proxy.Name))
		if gap != "" && w.gap == "" {
			w.gap = gap
		}
		w.pairs = append(w.pairs, p)
		w.versions[b.proxy.Address] = b.proxy.Version
		if gap == "" {
			w.incomplete[b.proxy.Name] = w.complete(p)
		}
	}
	for _, a := range o.After.readings {
		if o.Before.of(a.proxy.Name) == nil && w.gap == "" {
			w.gap = fmt.Sprintf("the proxy %s appeared during the window; run again when the workloads are steady", a.proxy.Name)
		}
	}
	if len(w.pairs) == 0 && w.gap == "" {
		w.gap = "there are no proxies to read; are the workloads injected with sidecars?"
	}
	return w
}

func (w *window) quantity(need check.Need) *tally {
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

func (w *window) service(name string) (mesh.Service, bool) {
	i := slices.IndexFunc(w.Services, func(s mesh.Service) bool { return s.Name == name || s.Host == name })
	if i < 0 {
		return mesh.Service{}, false
	}
	return w.Services[i], true
}
