package sidecar

import (
	"context"
	"errors"
	"net/http"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// routerFilter is envoy.filters.http.router, the last of the chain.
type routerFilter struct{}

// Fields implements HTTPFilter.
func (routerFilter) Fields() config.Fields { return config.Fields{"HTTPRoute": {"timeout"}} }

// Check implements HTTPFilter.
func (routerFilter) Check(string, *networking.HTTPRoute, config.Refuse) {}

// Compile implements HTTPFilter. A redirect leads to no cluster.
func (routerFilter) Compile(_ config.Place, r *networking.HTTPRoute) config.RouteFilter {
	if r.GetRedirect() != nil {
		return nil
	}
	return &router{timeout: r.GetTimeout().AsDuration()}
}

// router is the filter on one route.
type router struct {
	timeout time.Duration // of the request with all its attempts; 0: none
}

// Dump implements RouteFilter.
func (r *router) Dump(route config.Object) {
	route["route"].(config.Object)["timeout"] = config.Duration(r.timeout)
}

// decode implements routeFilter: it sends the request to a host of its cluster,
// as often as its retries allow.
func (r *router) decode(s *stream) bool {
	c := s.proxy.state.Load().clusters[s.target]
	if c == nil {
		s.stats.noCluster.add(1)
		s.reply(http.StatusServiceUnavailable, "", "NC", "cluster_not_found")
		return false
	}
	s.forwarded = time.Now()
	f := newForwarding(s, c, s.timeout(r.timeout))
	defer f.retries.end()
	for f.try() {
	}
	return false
}

// try makes one attempt and says whether another is to follow. If not, the
// stream is answered, or its client has gone.
func (f *forwarding) try() bool {
	to := f.retries.choose(f.cluster, choice{worker: f.worker, bond: f.bond})
	if to == nil {
		f.cluster.stats.charge(http.StatusServiceUnavailable) // The host of an attempt before stays in the log.
		f.reply(http.StatusServiceUnavailable, "no healthy upstream", "UH", "no_healthy_upstream")
		return false
	}
	if f.attempt == 0 {
		f.mirror()
		f.readAhead()
	}
	a, err := f.ask(to)
	if err != nil && f.ctx.Err() != nil {
		f.expired(to)
		return false
	}
	again, flag := f.again(a, err)
	if flag != "" {
		f.flags = append(f.flags, flag)
	}
	switch {
	case again:
		return f.rest(a)
	case err != nil:
		f.failed(err)
	default:
		f.answered(a)
	}
	return false
}

// again says whether there is to be another attempt; if one that is asked for is
// not to be, by which flag.
func (f *forwarding) again(a arrival, err error) (again bool, flag string) {
	if f.body != nil && !f.body.replayable() {
		f.retries.end()
		return false, ""
	}
	if err != nil {
		return f.retries.another(f.cluster, f.host, f.retries.afterReset(err, f.begun))
	}
	return f.retries.another(f.cluster, f.host, f.retries.afterAnswer(a.response))
}

// rest waits before the next attempt, and says whether there is still time for
// one. An answer that is not passed on is dropped.
func (f *forwarding) rest(a arrival) bool {
	if a.response != nil {
		f.cluster.stats.chargeRetried(a.response.StatusCode)
		a.drop()
	}
	f.retries.pause(f.ctx, f.proxy.draws, f.cluster)
	if f.ctx.Err() == nil {
		return true
	}
	f.interrupted()
	return false
}

// expired ends a request whose time is over, or whose client has gone, while an
// attempt at a host goes on. One that still waits for a connection is named in the
// log, and is not charged with it.
func (f *forwarding) expired(at *host) {
	if errors.Is(context.Cause(f.ctx), errTimeout) {
		f.cluster.stats.rqTimeout.add(1)
		f.charge(http.StatusGatewayTimeout)
		if f.host != nil {
			f.host.rqTimeout.Add(1)
			f.cluster.report(f.host, http.StatusGatewayTimeout)
		}
		f.host = at
	}
	f.interrupted()
}

// interrupted answers a request whose time is over, and notes that the client
// has gone if it is not.
func (f *forwarding) interrupted() {
	if !errors.Is(context.Cause(f.ctx), errTimeout) {
		f.disconnected()
		return
	}
	f.reply(http.StatusGatewayTimeout, errTimeout.Error(), "UT", "response_timeout")
}

// failed answers a request whose last attempt got no answer.
func (f *forwarding) failed(err error) {
	if errors.Is(err, errPerTry) {
		f.charge(http.StatusGatewayTimeout)
		f.reply(http.StatusGatewayTimeout, errTimeout.Error(), "UT", "upstream_per_try_timeout")
		return
	}
	status, flag, reason := http.StatusServiceUnavailable, "UF", err.Error()
	switch {
	case errors.Is(err, errOverflow):
		flag, reason = "UO", errOverflow.Error()
	case errors.Is(err, errTermination):
		flag = "UC"
	case errors.Is(err, errRefusedStream), errors.Is(err, errRemoteReset):
		flag = "UR"
	case errors.Is(err, errProtocol):
		status, flag = http.StatusBadGateway, "UPE"
	}
	text, details := "upstream connect error or disconnect/reset before headers. ", reason
	if f.attempt > 1 {
		text += "retried and the latest "
	}
	if f.failure != "" {
		details += "|" + f.failure // In the log alone, since Envoy 1.39.
	}
	f.charge(status)
	f.reply(status, text+"reset reason: "+reason, flag, "upstream_reset_before_response_started{"+details+"}")
	if flag == "UO" {
		f.answer.header.Set("X-Envoy-Overloaded", "true")
	}
}

// charge counts an answer of the host that has the request, or a failure to get
// one.
func (f *forwarding) charge(status int) {
	f.cluster.stats.charge(status)
	if f.host != nil {
		f.host.count(status)
	}
}

// count counts an answer of the host, or a failure to get one.
func (h *host) count(status int) {
	if status >= http.StatusInternalServerError {
		h.rqError.Add(1)
		return
	}
	h.rqSuccess.Add(1)
}
