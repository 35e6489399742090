package evidence

import (
	"cmp"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// entrance is where cohorts enter the mesh at a load workload: a port of its sidecar.
type entrance struct{ borrows, port string }

// Reconcile compares, for each HTTP port that cohorts of a load workload called,
// what they sent with what that workload's own proxy counted in the window. The
// proxy carries this run's traffic alone, so both must be equal. Logins and the
// warm-up come before the first reading; a request whose connection was refused
// never reached the proxy.
func (w *Window) Reconcile() []report.Reconciliation {
	sent := map[entrance]int64{}
	targets := map[entrance][]string{}
	for _, cohort := range w.Cohorts {
		result := w.Loads[cohort.Name]
		if cohort.From == mesh.FromGateway || cohort.Plan.TCP != nil || result == nil {
			continue
		}
		host, port, err := cohort.Plan.Address()
		if err != nil { // then it was not sent either
			continue
		}
		at := entrance{cohort.Borrows(), port}
		sent[at] += reached(result)
		if t := net.JoinHostPort(host, port); !slices.Contains(targets[at], t) {
			targets[at] = append(targets[at], t)
		}
	}
	var all []report.Reconciliation
	for _, at := range slices.SortedFunc(maps.Keys(sent), func(a, b entrance) int {
		return cmp.Or(cmp.Compare(a.borrows, b.borrows), cmp.Compare(a.port, b.port))
	}) {
		r := report.Reconciliation{Target: strings.Join(targets[at], ", "), Client: sent[at]}
		if n, name, ok := w.downstream(at); ok {
			r.Proxy, r.Source = &n, "stat downstream_rq_total at "+name
		}
		all = append(all, r)
	}
	return all
}

// reached is how many requests of a cohort its proxy must have counted.
func reached(r *loadgen.Result) int64 {
	refused := r.Count(func(o loadgen.Outcome) bool { return o.Error == loadgen.ErrorRefused })
	return r.Sent - refused
}

// downstream returns how many requests a load workload's proxy took on its
// listeners of a port, and its name; false if it does not keep count.
func (w *Window) downstream(at entrance) (int64, string, bool) {
	var total int64
	var names []string
	for _, p := range w.pairs {
		if !p.proxy.Client || p.proxy.Borrows != at.borrows {
			continue
		}
		if p.gap != "" {
			return 0, "", false
		}
		n, kept, _ := p.downstream(at.port)
		if !kept {
			return 0, "", false
		}
		total += int64(n)
		names = append(names, p.proxy.Name)
	}
	return total, strings.Join(names, ", "), len(names) > 0
}
