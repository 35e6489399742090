package evidence

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// tree joins the lines of one request: a call leads to the calls that the
// workload it reached made while it lasted.
type tree struct {
	lines     []callLine
	taken     []bool
	workloads []mesh.Proxy
	services  []mesh.Service
}

// call makes the tree below a line.
func (t *tree) call(at int) *report.Call {
	t.taken[at] = true
	line := t.lines[at]
	c := &report.Call{
		From: line.proxy.Workload, To: t.service(line.LogEntry), Method: line.Method, Path: line.Path,
		Started: line.Started, Duration: loadgen.Duration{Duration: line.Duration}, Status: line.Status, Flags: line.Flags, Route: line.Route,
	}
	reached := slices.IndexFunc(t.workloads, func(w mesh.Proxy) bool { return belongs(line.Upstream, w.Address) })
	if reached < 0 {
		c.Upstream = line.Upstream
		return c
	}
	to := t.workloads[reached]
	c.Upstream = to.Workload
	for i, below := range t.lines {
		if !t.taken[i] && below.proxy.Name == to.Name && t.within(at, i) {
			c.Calls = append(c.Calls, *t.call(i))
		}
	}
	slices.SortStableFunc(c.Calls, func(a, b report.Call) int { return cmp.Compare(a.Started.UnixNano(), b.Started.UnixNano()) })
	return c
}

// skew is how far the clocks of two nodes may be apart, and a millisecond more
// for the rounding of the log.
const skew = 50 * time.Millisecond

// within says whether a call began while another lasted, and no later attempt
// of that other, to the same endpoint, had begun by then.
func (t *tree) within(above, below int) bool {
	a, b := t.lines[above], t.lines[below]
	if b.Started.Before(a.Started.Add(-skew)) || b.Started.After(a.Started.Add(a.Duration+skew)) {
		return false
	}
	for i, other := range t.lines {
		if i != above && other.proxy.Name == a.proxy.Name && other.Upstream == a.Upstream &&
			other.Started.After(a.Started) && !other.Started.After(b.Started) {
			return false
		}
	}
	return true
}

// left is how many lines have no place in the tree.
func (t *tree) left() int {
	n := 0
	for _, taken := range t.taken {
		if !taken {
			n++
		}
	}
	return n
}

// service is the short name of what was called: that of the cluster's host, or
// of the authority where the request got no cluster.
func (t *tree) service(e envoy.LogEntry) string {
	host, _, _ := strings.Cut(e.Authority, ":")
	if name, ok := envoy.ParseClusterName(e.Cluster); ok {
		host = name.Host
	}
	for _, s := range t.services {
		if s.Host == host {
			return s.Name
		}
	}
	return host
}
