package evidence

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// calls keeps the lines of requests by their id, for the trees that explain
// some of them. Of many it forgets the oldest; those that failed or were slow
// it forgets last, since they are the ones that are asked for.
type calls struct {
	mu    sync.Mutex
	of    map[string]*request
	plain []string // ids of requests that nothing sets apart, oldest first
	odd   []string // the others
	slow  []time.Duration
}

// request is the lines of one request.
type request struct {
	lines []callLine
	odd   bool
}

type callLine struct {
	proxy mesh.Proxy
	envoy.LogEntry
}

// How many requests are kept, of either sort, and how many lines of one: a
// request that leads to more calls is a tree that nobody reads.
const (
	keptRequests = 4000
	keptLines    = 200
	slowest      = 64 // so many durations are the slow ones
)

func newCalls() *calls { return &calls{of: map[string]*request{}} }

func (c *calls) add(proxy mesh.Proxy, e envoy.LogEntry) {
	id := plainID(e.RequestID)
	if id == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.of[id]
	if r == nil {
		r = &request{}
		c.of[id] = r
		c.plain = c.keep(append(c.plain, id), false)
	}
	if len(r.lines) < keptLines {
		r.lines = append(r.lines, callLine{proxy, e})
	}
	if !r.odd && (e.Status == 0 || e.Status >= 400 || len(e.Flags) > 0 || c.isSlow(e.Duration)) {
		r.odd = true
		c.odd = c.keep(append(c.odd, id), true)
	}
}

// keep forgets the oldest of a list that has become too long.
func (c *calls) keep(ids []string, odd bool) []string {
	if len(ids) <= keptRequests {
		return ids
	}
	if r := c.of[ids[0]]; r != nil && r.odd == odd {
		delete(c.of, ids[0])
	}
	return ids[1:]
}

// isSlow says whether a duration is among the slowest so far.
func (c *calls) isSlow(d time.Duration) bool {
	if len(c.slow) == slowest && d <= c.slow[0] {
		return false
	}
	i, _ := slices.BinarySearch(c.slow, d)
	c.slow = slices.Insert(c.slow, i, d)
	if len(c.slow) > slowest {
		c.slow = slices.Delete(c.slow, 0, 1)
	}
	return true
}

// plainID is a request id without the character in which Envoy notes why it
// traces a request: the first of a UUID's third group.
func plainID(id string) string {
	const reason = 14
	if len(id) != 36 {
		return id
	}
	return id[:reason] + id[reason+1:]
}

// Calls returns, for each cohort, the slowest request and one of each kind of
// bad answer, with the calls that they led to.
func (l *Log) Calls(loads map[string]*loadgen.Result, services []mesh.Service) []report.Explained {
	var all []report.Explained
	for _, cohort := range sortedKeys(loads) {
		for _, wanted := range examples(loads[cohort]) {
			all = append(all, l.explain(cohort, wanted, services))
		}
	}
	return all
}

// example is a request that is to be explained, and why.
type example struct {
	loadgen.Example
	why string
}

// examples are the slowest request of a load, and the slowest of each kind of
// bad answer.
func examples(load *loadgen.Result) []example {
	var all []example
	var slow *loadgen.Example
	bad := map[string]*loadgen.Example{}
	for _, o := range load.Outcomes {
		if o.Slowest == nil {
			continue
		}
		if slow == nil || o.Slowest.Response > slow.Response {
			slow = o.Slowest
		}
		if kind := badness(o); kind != "" && (bad[kind] == nil || o.Slowest.Response > bad[kind].Response) {
			bad[kind] = o.Slowest
		}
	}
	if slow != nil {
		all = append(all, example{*slow, report.WhySlowest})
	}
	for _, kind := range sortedKeys(bad) {
		all = append(all, example{*bad[kind], kind})
	}
	return all
}

// badness words what is bad about answers: a status from 400, or a transport
// error other than that we cut them off; empty: nothing is.
func badness(o loadgen.Outcome) string {
	switch {
	case o.Error == loadgen.ErrorCanceled:
		return ""
	case o.Error != "":
		return "error " + o.Error
	case o.Status >= 400:
		return fmt.Sprintf("status %d", o.Status)
	}
	return ""
}

func (l *Log) explain(cohort string, wanted example, services []mesh.Service) report.Explained {
	e := report.Explained{Cohort: cohort, Why: wanted.why, Request: wanted.RequestID}
	lines := l.calls.lines(wanted.RequestID)
	root := slices.IndexFunc(lines, func(c callLine) bool { return c.proxy.Client || c.proxy.Gateway })
	if root < 0 {
		e.Note = "no access log has this request"
		if why := l.silent(); why != "" {
			e.Note += ": " + why
		}
		return e
	}
	t := tree{lines: lines, taken: make([]bool, len(lines)), workloads: l.workloads(), services: services}
	e.Call = t.call(root)
	switch why := l.silent(); {
	case why != "":
		e.Note = "the tree may lack calls: " + why
	case len(lines) == keptLines:
		e.Note = "the request led to more calls than are kept"
	case len(lines) == 1 && e.Call.Upstream != "":
		e.Note = "no other call has this request's id: what was called calls nobody, or does not pass x-request-id on"
	}
	return e
}

// lines are those of a request, in the order in which they began.
func (c *calls) lines(id string) []callLine {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.of[plainID(id)]
	if r == nil {
		return nil
	}
	lines := slices.Clone(r.lines)
	slices.SortStableFunc(lines, func(a, b callLine) int { return a.Started.Compare(b.Started) })
	return lines
}

// silent names a proxy whose log is no evidence, and why; empty: there is none.
func (l *Log) silent() string {
	for _, p := range l.proxies {
		if why := p.problem(); why != nil {
			return "the access log of " + p.proxy.Name + " is not read: " + why.Error()
		}
	}
	return ""
}

func (l *Log) workloads() []mesh.Proxy {
	var all []mesh.Proxy
	for _, p := range l.proxies {
		all = append(all, p.proxy)
	}
	return all
}

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
		Started: line.Started, Duration: line.Duration, Status: line.Status, Flags: line.Flags, Route: line.Route,
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
