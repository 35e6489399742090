package evidence

import (
	"net"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// Reconcile compares, for each HTTP port that cohorts of the load workload
// called, what they sent with what that workload's own proxy counted in the
// window. The proxy carries this run's traffic alone, so both must be
// equal. Logins and the warm-up come before the first reading; a request whose
// connection was refused never reached the proxy.
func (w *Window) Reconcile() []report.Reconciliation {
	sent := map[string]int64{}       // by port
	targets := map[string][]string{} // by port
	for _, cohort := range w.Cohorts {
		result := w.Loads[cohort.Name]
		if cohort.From == mesh.FromGateway || cohort.Plan.HTTP == nil || result == nil {
			continue
		}
		host, port, err := cohort.Plan.Address()
		if err != nil { // then it was not sent either
			continue
		}
		sent[port] += reached(result)
		if t := net.JoinHostPort(host, port); !slices.Contains(targets[port], t) {
			targets[port] = append(targets[port], t)
		}
	}
	var all []report.Reconciliation
	for _, port := range sortedKeys(sent) {
		r := report.Reconciliation{Target: strings.Join(targets[port], ", "), Client: sent[port]}
		if n, at, ok := w.downstream(port); ok {
			r.Proxy, r.Source = &n, "stat downstream_rq_total at "+at
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

// downstream returns how many requests the load workload's proxy took on its
// listeners of a port, and its name; false if it does not keep count.
func (w *Window) downstream(port string) (int64, string, bool) {
	var total int64
	var names []string
	for _, p := range w.pairs {
		if !p.proxy.Client {
			continue
		}
		if p.gap != "" {
			return 0, "", false
		}
		n, kept, _ := p.downstream(port)
		if !kept {
			return 0, "", false
		}
		total += int64(n)
		names = append(names, p.proxy.Name)
	}
	return total, strings.Join(names, ", "), len(names) > 0
}
