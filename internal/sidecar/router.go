package sidecar

import (
	"context"
	"errors"
	"net/http"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// maxAttempts is one attempt and Istio's default of two retries. Of the
// default policy's conditions, connect-failure is the one that occurs with
// HTTP/1.
const maxAttempts = 3

// routerFilter is envoy.filters.http.router, the last of the chain.
type routerFilter struct{}

// Fields implements HTTPFilter.
func (routerFilter) Fields() config.Fields { return config.Fields{"HTTPRoute": {"timeout"}} }

// Check implements HTTPFilter.
func (routerFilter) Check(string, *networking.HTTPRoute, config.Refuse) {}

// Compile implements HTTPFilter.
func (routerFilter) Compile(_ config.Place, r *networking.HTTPRoute) config.RouteFilter {
	return &router{timeout: r.GetTimeout().AsDuration()}
}

// router is the filter on one route.
type router struct {
	timeout time.Duration // of the request with all its attempts; 0: none
}

// Dump implements RouteFilter.
func (r *router) Dump(route config.Object) {
	action := route["route"].(config.Object)
	action["timeout"] = config.Duration(r.timeout)
	action["retry_policy"] = config.Object{
		"retry_on":                          "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
		"num_retries":                       maxAttempts - 1,
		"host_selection_retry_max_attempts": "5",
	}
}

// decode implements routeFilter: it sends the request to a host of its cluster
// and the answer back.
func (r *router) decode(s *stream) bool {
	s.forward(r)
	return false
}

func (s *stream) forward(r *router) {
	c := s.proxy.state.Load().clusters[s.target]
	if c == nil {
		s.stats.noCluster.add(1)
		s.reply(http.StatusServiceUnavailable, "", "NC", "cluster_not_found")
		return
	}
	ctx, cancel := context.WithCancelCause(s.r.Context())
	defer cancel(nil)
	if r.timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, r.timeout, errTimeout)
		defer stop()
	}
	s.forwarded = time.Now()
	tried := map[*host]bool{}
	for attempt := 1; ; attempt++ {
		s.host = c.choose(s.worker, tried)
		if s.host == nil {
			c.stats.charge(http.StatusServiceUnavailable)
			s.reply(http.StatusServiceUnavailable, "no healthy upstream", "UH", "no_healthy_upstream")
			return
		}
		tried[s.host] = true
		request := s.upstreamRequest(attempt, cancel)
		conn, err := s.host.pools[s.worker].newStream(ctx, request)
		var failed *connectError
		if errors.As(err, &failed) && s.retry(ctx, c, attempt) {
			continue
		}
		if err != nil {
			s.unconnected(ctx, c, err, attempt)
			return
		}
		s.upstreamLocal = conn.socket.LocalAddr()
		if attempt > 1 {
			c.stats.rqRetrySuccess.add(1)
		}
		s.exchange(ctx, c, conn, request)
		return
	}
}

// retry counts a failed connection and says whether another is to be tried,
// after a pause that is drawn from [0,(2^n-1)·25ms), 250ms at the most.
func (s *stream) retry(ctx context.Context, c *cluster, attempt int) bool {
	c.report(s.host, http.StatusServiceUnavailable)
	if attempt == maxAttempts {
		c.stats.rqRetryLimit.add(1)
		s.flags = append(s.flags, "URX")
		return false
	}
	if !c.retries.canCreate() {
		c.stats.rqRetryOverflow.add(1)
		s.flags = append(s.flags, "UO")
		return false
	}
	c.retries.inc()
	defer c.retries.dec()
	c.stats.rqRetry.add(1)
	s.host.rqError.Add(1)
	limit := min(250*time.Millisecond, time.Duration(1<<attempt-1)*25*time.Millisecond)
	timer := time.NewTimer(time.Duration(s.proxy.draws.below("retry pauses", uint64(limit))))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		// The next attempt finds out what ended it.
	}
	return true
}

// unconnected answers a request that got no connection.
func (s *stream) unconnected(ctx context.Context, c *cluster, err error, attempt int) {
	const text = "upstream connect error or disconnect/reset before headers. "
	var failed *connectError
	switch {
	case errors.Is(err, errOverflow):
		// No host is charged: the limit is the cluster's.
		if errors.Is(err, errPendingOverflow) {
			s.host = nil
		}
		c.stats.charge(http.StatusServiceUnavailable)
		s.w.Header().Set("X-Envoy-Overloaded", "true")
		s.reply(http.StatusServiceUnavailable, text+"reset reason: overflow", "UO", resetBefore("overflow"))
	case errors.As(err, &failed):
		retried := ""
		if attempt > 1 {
			retried = "retried and the latest "
		}
		reason, detail := failed.Error(), ""
		if s.failure = failed.detail(); s.failure != "" {
			reason, detail = reason+"|"+s.failure, ", transport failure reason: "+s.failure
		}
		s.charge(c, http.StatusServiceUnavailable)
		s.reply(http.StatusServiceUnavailable, text+retried+"reset reason: "+failed.Error()+detail, "UF", resetBefore(reason))
	default:
		s.interrupted(ctx, c, nil)
	}
}

// resetBefore are the details of an answer in place of one that never began.
func resetBefore(reason string) string {
	return "upstream_reset_before_response_started{" + reason + "}"
}

// charge counts an answer of the chosen host, or a failure to get one.
func (s *stream) charge(c *cluster, status int) {
	c.stats.charge(status)
	if status >= 500 {
		s.host.rqError.Add(1)
	} else {
		s.host.rqSuccess.Add(1)
	}
}
