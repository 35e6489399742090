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

// Quantities returns one quantity for each need, in their order, as the
// difference between two readings. services are those of the namespace, objects
// the rules that were in force from the first reading to the second.
func Quantities(before, after *Snapshot, needs []check.Need, services []mesh.Service, objects []*rules.Object) []report.Quantity {
	w := newWindow(before, after, services, objects)
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

// window is the time between two readings.
type window struct {
	pairs    []pair
	versions map[string]string // by address of a workload
	services []mesh.Service
	objects  []*rules.Object
	length   time.Duration
	gap      string // why nothing can be said of this window
}

func newWindow(before, after *Snapshot, services []mesh.Service, objects []*rules.Object) *window {
	w := &window{
		versions: map[string]string{},
		services: services,
		objects:  objects,
		length:   after.taken.Sub(before.taken),
	}
	for _, b := range before.readings {
		p, gap := newPair(b, after.of(b.proxy.Name))
		if gap != "" && w.gap == "" {
			w.gap = gap
		}
		w.pairs = append(w.pairs, p)
		w.versions[b.proxy.Address] = b.proxy.Version
	}
	for _, a := range after.readings {
		if before.of(a.proxy.Name) == nil && w.gap == "" {
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
	switch need.Function {
	case report.Requests:
		w.requests(t, service, need.Args[1:])
	case report.Overflows:
		w.overflows(t, service)
	case report.Ejections:
		w.ejections(t, service)
	case report.Faults:
		w.faults(t, service)
	default:
		t.lack("nothing is known of a quantity %s", need.Function)
	}
	return t
}

func (w *window) service(name string) (mesh.Service, bool) {
	i := slices.IndexFunc(w.services, func(s mesh.Service) bool { return s.Name == name || s.Host == name })
	if i < 0 {
		return mesh.Service{}, false
	}
	return w.services[i], true
}
