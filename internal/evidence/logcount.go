package evidence

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// proxyLog counts the lines of one proxy's access log.
type proxyLog struct {
	proxy mesh.Proxy
	early time.Time // a line that comes until then may be of a request from before the window

	mu     sync.Mutex
	why    error // why it is no evidence; nil: it is
	counts map[logged]uint64
	first  []earlyLine // those that came early: whether they count is known when the load has ended
	start  time.Time   // of the load, by the mesh's clock; zero: not known yet
}

// logged is what requests have in common that are counted together.
type logged struct {
	route    string
	cluster  string
	upstream string
	flags    string // joined by commas
	status   int
}

func (k logged) flagged(flag string) bool { return slices.Contains(strings.Split(k.flags, ","), flag) }

type earlyLine struct {
	logged
	started time.Time
}

func newProxyLog(proxy mesh.Proxy, early time.Time) *proxyLog {
	return &proxyLog{proxy: proxy, early: early, counts: map[logged]uint64{}}
}

func (p *proxyLog) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.why == nil {
		p.why = err
	}
}

func (p *proxyLog) add(e envoy.LogEntry) {
	key := logged{route: e.Route, cluster: e.Cluster, upstream: e.Upstream, flags: strings.Join(e.Flags, ","), status: e.Status}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.start.IsZero() && time.Now().Before(p.early):
		p.first = append(p.first, earlyLine{key, e.Started})
	case p.start.IsZero() || p.counting(e.Started):
		p.counts[key]++
	}
}

// counting says whether a request that began then is one of the window's. Lines
// have whole milliseconds.
func (p *proxyLog) counting(started time.Time) bool {
	return !started.Before(p.start.Truncate(time.Millisecond))
}

// begin tells when the load began: what began before does not count.
func (p *proxyLog) begin(start time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.start = start
	for _, line := range p.first {
		if p.counting(line.started) {
			p.counts[line.logged]++
		}
	}
	p.first = nil
}

// count returns how many requests are as asked, and why it is not known.
func (p *proxyLog) count(as func(logged) bool) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var n uint64
	for key, count := range p.counts {
		if as(key) {
			n += count
		}
	}
	return n, p.why
}

// sent returns how many requests to a cluster reached an endpoint.
func (p *proxyLog) sent(cluster string) (uint64, error) {
	return p.count(func(k logged) bool { return k.cluster == cluster && k.upstream != "" })
}
