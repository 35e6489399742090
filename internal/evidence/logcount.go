package evidence

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// proxyLog counts the lines of one proxy's access log: for each kind of request
// a number, and of the first lines the time, since which of them are of the
// window is known only when the load has ended.
type proxyLog struct {
	proxy      mesh.Proxy
	namespaces []string      // of the services, which are known to be some
	delay      time.Duration // how late a line may be written

	mu      sync.Mutex
	why     error // why it is no evidence; nil: it is
	kinds   map[logged]*kind
	asked   map[string]bool // the hosts of its kinds
	first   []firstLine
	horizon time.Time // what began later, by the proxy's clock, is of the window; zero: no line has come
	start   time.Time // of the load, by the mesh's clock; zero: not known yet
	lead    time.Duration
}

// logged is what requests have in common that are counted together.
type logged struct {
	route    string
	cluster  string
	asked    string // the host of its authority, fully qualified; empty: it has none, or there were too many
	upstream string // empty: no endpoint got it
	flags    string // joined by commas
	timeout  string // with the flag UT: response code details, which say what took too long
	status   int
	http     bool
}

func (k logged) flagged(flag string) bool { return slices.Contains(strings.Split(k.flags, ","), flag) }

// kind is how many lines there were of a kind.
type kind struct {
	logged
	began uint64 // of requests that began in the window: those that count
	ended uint64 // that ended in it or, at most lead, before: those that /clusters may have counted
}

// firstLine is a line that came before it is known when the load began.
type firstLine struct {
	*kind
	started, ended time.Time
}

const (
	// uncertain is for how long after the first line that is read requests may
	// still be from before the load: a log is asked for some seconds back, and
	// between that and the first request all proxies are read.
	uncertain = 30 * time.Second
	// mostKinds bounds what is kept of a log. A mesh has some dozens.
	mostKinds = 1 << 16
	// mostAsked bounds the hosts that kinds are told apart by: whoever calls a gateway
	// writes what he likes.
	mostAsked = 1 << 8
)

func newProxyLog(proxy mesh.Proxy, delay time.Duration, services ...mesh.Service) *proxyLog {
	return &proxyLog{proxy: proxy, namespaces: namespacesOf(services), delay: delay, kinds: map[logged]*kind{}, asked: map[string]bool{}}
}

func (p *proxyLog) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.why == nil {
		p.why = err
	}
}

// add counts a line. All that it compares are times by the proxy's own clock and
// that of the load workload.
func (p *proxyLog) add(e envoy.LogEntry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := firstLine{p.kindOf(e), e.Started, e.Started.Add(e.Duration)}
	if line.kind == nil {
		return
	}
	if p.horizon.IsZero() {
		p.horizon = line.ended.Add(p.delay + uncertain)
	}
	if p.start.IsZero() && !line.started.After(p.horizon) {
		p.first = append(p.first, line)
		return
	}
	p.count(line)
}

// kindOf finds the kind of a line, or begins one; nil: there are too many.
func (p *proxyLog) kindOf(e envoy.LogEntry) *kind {
	key := logged{route: e.Route, cluster: e.Cluster, upstream: e.Upstream, flags: strings.Join(e.Flags, ","), status: e.Status, http: e.Method != ""}
	if _, ofService := envoy.ParseClusterName(e.Cluster); !ofService {
		key.upstream = "" // it may be anywhere outside of the mesh, each time elsewhere
	}
	if key.flagged("UT") {
		key.timeout = e.Details
	}
	if e.Authority != "" {
		key.asked = rules.Asked(e.Authority, p.proxy.Namespace, p.namespaces...)
	}
	if !p.asked[key.asked] && len(p.asked) >= mostAsked {
		key.asked = ""
	}
	if known := p.kinds[key]; known != nil {
		return known
	}
	if len(p.kinds) == mostKinds {
		if p.why == nil {
			p.why = fmt.Errorf("it has more than %d kinds of requests, by route, cluster, endpoint, flags and status, which are more than are counted", mostKinds)
		}
		return nil
	}
	// A line is not to be kept whole for a part of it.
	key = logged{
		strings.Clone(key.route), strings.Clone(key.cluster), strings.Clone(key.asked), strings.Clone(key.upstream),
		strings.Clone(key.flags), strings.Clone(key.timeout), key.status, key.http,
	}
	p.asked[key.asked] = true
	p.kinds[key] = &kind{logged: key}
	return p.kinds[key]
}

// count counts a line by when its request began and ended. Lines have whole
// milliseconds.
func (p *proxyLog) count(line firstLine) {
	start := p.start.Truncate(time.Millisecond)
	if !line.started.Before(start) {
		line.began++
	}
	if !line.ended.Before(start.Add(-p.lead)) {
		line.kind.ended++
	}
}

// begin tells when the load began: what began before does not count.
func (p *proxyLog) begin(start time.Time, lead time.Duration) {
	if start.IsZero() {
		p.fail(errors.New("it is not known when the load began"))
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.start, p.lead = start, lead
	for _, line := range p.first {
		p.count(line)
	}
	p.first = nil
}

// began returns how many requests of the window are as asked, and why it is not
// known.
func (p *proxyLog) began(as func(logged) bool) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var n uint64
	for key, kind := range p.kinds {
		if as(key) {
			n += kind.began
		}
	}
	return n, p.why
}

// sent returns how many requests that /clusters may have counted in the window
// reached an endpoint of a cluster.
func (p *proxyLog) sent(cluster string) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var n uint64
	for key, kind := range p.kinds {
		if key.cluster == cluster && key.upstream != "" {
			n += kind.ended
		}
	}
	return n
}

// taken returns how many HTTP requests of the workload the proxy had taken and
// ended in the window.
func (p *proxyLog) taken() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var n uint64
	for key, kind := range p.kinds {
		if key.http && !strings.HasPrefix(key.cluster, envoy.Inbound+"|") {
			n += kind.ended
		}
	}
	return n
}

// problem is why the log is no evidence; nil: it is.
func (p *proxyLog) problem() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why
}
