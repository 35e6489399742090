package evidence

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// Reconcile compares, for each HTTP port that cohorts of the load workload
// called, what they sent with what that workload's own proxy counted between
// the two readings. The proxy carries this run's traffic alone, so both must be
// equal. Logins and the warm-up are in both; a request whose connection was
// refused never reached the proxy.
func Reconcile(before, after *Snapshot, cohorts []mesh.Cohort, results map[string]*loadgen.Result) []report.Reconciliation {
	sent := map[string]int64{}       // by port
	targets := map[string][]string{} // by port
	for _, cohort := range cohorts {
		result := results[cohort.Name]
		if cohort.From == mesh.FromGateway || cohort.Plan.HTTP == nil || result == nil {
			continue
		}
		host, port, ok := target(cohort.Plan.HTTP.URL)
		if !ok {
			continue
		}
		sent[port] += reached(result)
		if t := host + ":" + port; !slices.Contains(targets[port], t) {
			targets[port] = append(targets[port], t)
		}
	}
	var all []report.Reconciliation
	for _, port := range slices.Sorted(maps.Keys(sent)) {
		r := report.Reconciliation{Target: strings.Join(targets[port], ", "), Client: sent[port]}
		if n, at, ok := downstream(before, after, port); ok {
			r.Proxy, r.Source = &n, "stat downstream_rq_total at "+at
		}
		all = append(all, r)
	}
	return all
}

// target returns the host and port of a URL.
func target(text string) (host, port string, ok bool) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return "", "", false
	}
	if port = u.Port(); port == "" {
		port = "80"
	}
	return u.Hostname(), port, true
}

// reached is how many requests of a cohort its proxy must have counted.
func reached(r *loadgen.Result) int64 {
	n := r.Sent + r.Setup + r.Warmup
	for _, o := range r.Outcomes {
		if o.Error == "refused" {
			n -= o.Count
		}
	}
	return n
}

// downstream returns how many requests the load workload's proxy took on its
// listeners of a port, and its name; false if it does not keep count.
func downstream(before, after *Snapshot, port string) (int64, string, bool) {
	stat := regexp.MustCompile(fmt.Sprintf(`^http\.outbound_.*_%s\.downstream_rq_total$`, regexp.QuoteMeta(port)))
	var total int64
	var names []string
	for _, b := range before.readings {
		if !b.proxy.Client {
			continue
		}
		p, gap := newPair(b, after.of(b.proxy.Name))
		if gap != "" {
			return 0, "", false
		}
		kept := false
		for name := range p.after.stats {
			if !stat.MatchString(name) {
				continue
			}
			n, _, why := p.counter(name)
			if why != "" {
				return 0, "", false
			}
			total, kept = total+int64(n), true
		}
		if !kept {
			return 0, "", false
		}
		names = append(names, b.proxy.Name)
	}
	return total, strings.Join(names, ", "), len(names) > 0
}
