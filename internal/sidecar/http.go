package sidecar

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// httpListener is Envoy's HTTP connection manager on one port.
type httpListener struct {
	proxy   *Sidecar
	port    int
	inbound bool // its requests are for the proxy's own workload
	stats   listenerStats
}

// stream is one request on its way through the proxy.
type stream struct {
	*httpListener
	w       http.ResponseWriter
	r       *http.Request
	worker  int
	config  *config.Config // as the request came
	started time.Time

	route      *config.Route
	drawn      int    // which of the route's targets was
	target     string // its cluster
	retries    retries
	bond       bond
	mirrors    []string      // the clusters that get a copy
	copies     []*copiedBody // that they get of what the client sends through a WebSocket
	from       string        // the client's address
	host       *host         // of the last attempt; nil: none had it yet
	answer     answer
	unread     bool // the codec refused it, so that nothing is known of it
	status     int  // that the client got; 0: none
	flags      []string
	details    string
	failure    string   // why the last attempt's connection failed
	grpc       bool     // it is a call of gRPC
	webSocket  bool     // it asks for one
	grpcStatus string   // that the client got; empty: none
	owed       *host    // whose answer counts when its end has come; nil: it is counted, or there was none
	ends       []func() // what is done when it ends

	received      atomic.Int64 // bytes of the request's body
	sent          int64        // bytes of the answer's body
	forwarded     time.Time    // when the router took it: after any injected delay
	upstreamLocal net.Addr     // of the connection to the host; nil: there was none
}

// ServeHTTP implements http.Handler: the request's route is resolved, then the
// filters see it, one after the other, and its answer on the way back.
func (l *httpListener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	worker, _ := r.Context().Value(workerKey{}).(int)
	s := &stream{httpListener: l, w: w, r: r, worker: worker, config: l.proxy.state.Load().config, started: time.Now(), from: r.RemoteAddr}
	if r.ProtoMajor > 1 { // Its server does not wait for it, as it does for those of HTTP/1.
		if !l.proxy.enter() {
			panic(http.ErrAbortHandler)
		}
		defer l.proxy.routines.Done()
	}
	s.grpc = isGRPC(r.Header)
	l.stats.rqTotal.add(1)
	l.stats.rqActive.add(1)
	defer s.end()
	if !s.refused() && s.come() {
		s.filter()
	}
	if s.answer.status == 0 {
		// The client has gone. One that still reads must not take the end of this for an
		// answer: net/http would make it an empty 200.
		panic(http.ErrAbortHandler)
	}
	s.send()
}

// onEnd has something done when the request ends.
func (s *stream) onEnd(do func()) { s.ends = append(s.ends, do) }

// come makes of a request what the filters see of it, and finds its route, or answers.
func (s *stream) come() bool {
	upgrade := upgrades(s.r.Header)
	s.webSocket = s.r.ProtoMajor == 1 && asksForWebSocket(s.r.Header)
	if s.webSocket {
		s.stats.cxUpgradesTotal.add(1)
		s.stats.cxUpgradesActive.add(1)
	}
	s.arrive()
	switch {
	case !s.match():
		return false
	case upgrade:
		s.reply(http.StatusForbidden, "", "", "upgrade_failed")
		s.answer.header.Set("Connection", "close")
		return false
	}
	if !s.inbound {
		s.r.Header.Set(attemptCount, "1")
	}
	return true
}

// match finds the request's route and draws its cluster, if it leads to any, or
// answers.
func (s *stream) match() bool {
	if s.inbound {
		s.route = s.proxy.inbound().Route
		s.target = s.route.Targets[0].Cluster
		return true
	}
	table := s.proxy.routes(s.config, s.port)
	var host *config.VirtualHost
	if table != nil {
		host = table.VirtualHost(s.r.Host)
	}
	if host == nil && !s.proxy.options.Gateway {
		// A host that no service has: Istio's virtual host block_all, as with
		// outboundTrafficPolicy REGISTRY_ONLY. The mesh has no outside.
		s.route = &config.Route{Name: "block_all"}
		s.reply(http.StatusBadGateway, "", "", "direct_response")
		return false
	}
	if host != nil {
		s.route = host.Route(s.r)
	}
	if s.route == nil {
		s.stats.noRoute.add(1)
		s.reply(http.StatusNotFound, "", "NR", "route_not_found")
		return false
	}
	if len(s.route.Targets) > 0 {
		s.drawn = pick(s.proxy.draws, s.route.Key, s.route.Targets)
		s.target = s.route.Targets[s.drawn].Cluster
	}
	return true
}

// end writes the request to the access log and counts it. What is active ends
// last, so that who waits for that finds all the rest.
func (s *stream) end() {
	if s.config.AccessLog {
		s.proxy.lines.add(s.logEntry())
	}
	if s.status > 0 {
		s.stats.charge(s.status)
	}
	if s.webSocket { // Its request never ends by itself, so Envoy resets it.
		s.stats.rqRemoteReset.add(1)
		s.stats.cxUpgradesActive.add(-1)
	}
	s.proxy.countRequest(s)
	s.release()
	s.stats.rqActive.add(-1)
}

// release does what was to be done when the request ends.
func (s *stream) release() {
	for _, do := range s.ends {
		do()
	}
}

func (s *stream) logEntry() accessLogEntry {
	e := accessLogEntry{
		start: s.started, duration: time.Since(s.started),
		method: s.r.Method, path: cmp.Or(s.r.Header.Get(originalPath), s.r.URL.RequestURI()), protocol: protocol(s.r),
		status: s.status, flags: responseFlags(s.flags), details: underscored(s.details), failure: underscored(s.failure),
		received: s.received.Load(), sent: s.sent,
		serviceTime:  s.w.Header().Get(upstreamServiceTime),
		forwardedFor: joinedValues(s.r.Header, forwardedFor), userAgent: s.r.UserAgent(), requestID: s.r.Header.Get(requestID),
		authority: s.r.Host, upstreamLocal: s.upstreamLocal, downstreamRemote: s.from, serverName: s.peer().server,
	}
	if s.unread {
		e.method, e.path, e.protocol, e.forwardedFor, e.userAgent, e.requestID, e.authority = "", "", "HTTP/1.1", "", "", "", ""
	}
	e.downstreamLocal, _ = s.r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if s.inbound || s.config.ByName[s.target] != nil {
		e.cluster = s.target
	}
	if s.route != nil {
		e.route = s.route.Name
	}
	if s.host != nil {
		e.upstream = s.host.Address
	}
	return e
}

// responseFlags prints the flags as Envoy does, in the order in which they came,
// - for none.
func responseFlags(flags []string) string {
	var once []string
	for _, f := range flags {
		if !slices.Contains(once, f) {
			once = append(once, f)
		}
	}
	return cmp.Or(strings.Join(once, ","), "-")
}

// errTimeout is the cause of a route's timeout.
var errTimeout = errors.New("upstream request timeout")
