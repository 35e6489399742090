package sidecar

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// retriesFilter gives requests the retries of their route: what Envoy's router
// has in its RetryState (source/common/router/retry_state_impl.cc).
type retriesFilter struct{}

// Fields implements HTTPFilter.
func (retriesFilter) Fields() config.Fields {
	return config.Fields{
		"HTTPRoute": {"retries"},
		"HTTPRetry": {"attempts", "per_try_timeout", "retry_on", "backoff", "retry_ignore_previous_hosts"},
		"BoolValue": {"value"},
	}
}

// Check implements HTTPFilter.
func (retriesFilter) Check(string, *networking.HTTPRoute, config.Refuse) {}

// Compile implements HTTPFilter.
func (retriesFilter) Compile(at config.Place, r *networking.HTTPRoute) config.RouteFilter {
	policy := at.Retries(r)
	if policy == nil {
		return nil
	}
	return &routeRetries{policy}
}

// routeRetries is the filter on one route.
type routeRetries struct{ *config.RetryPolicy }

// Dump implements RouteFilter.
func (r *routeRetries) Dump(route config.Object) {
	o := config.Object{
		"retry_on":    strings.Join(r.On, ","),
		"num_retries": r.Retries,
	}
	if len(r.Statuses) > 0 {
		o["retriable_status_codes"] = r.Statuses
	}
	if r.PerTry > 0 {
		o["per_try_timeout"] = config.Duration(r.PerTry)
	}
	if r.BackOff != config.DefaultRetries().BackOff {
		o["retry_back_off"] = config.Object{"base_interval": config.Duration(r.BackOff)}
	}
	if r.AnotherHost {
		o["retry_host_predicate"] = []any{config.Object{
			"name":         "envoy.retry_host_predicates.previous_hosts",
			"typed_config": config.Object{"@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"},
		}}
	}
	o["host_selection_retry_max_attempts"] = fmt.Sprint(r.HostAttempts)
	route["route"].(config.Object)["retry_policy"] = o
}

// decode implements routeFilter.
func (r *routeRetries) decode(s *stream) bool {
	s.retries = retries{policy: r.RetryPolicy, left: r.Retries, interval: r.BackOff}
	return true
}

// retries are what is left to a request of its route's retries. The zero value
// has none.
type retries struct {
	policy   *config.RetryPolicy
	left     uint32
	interval time.Duration // that the next pause is drawn from
	tried    []*host
	holds    *cluster // whose limit of retries the attempt that goes on counts for; nil: it is the first
}

// another says whether the request is sent again after an attempt, would being
// whether the policy asks for that. If the policy does and it is not, it says by
// which flag.
func (t *retries) another(c *cluster, h *host, would bool) (again bool, flag string) {
	if t.holds != nil && !would {
		c.stats.rqRetrySuccess.add(1) // An attempt that needs no other.
	}
	t.end()
	switch {
	case !would:
		return false, ""
	case t.left == 0:
		c.stats.rqRetryLimit.add(1)
		return false, "URX"
	}
	t.left--
	if !c.retries.canCreate() {
		c.stats.rqRetryOverflow.add(1)
		return false, "UO"
	}
	c.retries.inc()
	t.holds = c
	c.stats.rqRetry.add(1)
	if h != nil {
		h.rqError.Add(1)
		t.tried = append(t.tried, h)
	}
	return true, ""
}

// end gives back what the last retry holds.
func (t *retries) end() {
	if t.holds != nil {
		t.holds.retries.dec()
		t.holds = nil
	}
}

// pause waits before a retry, unless ctx ends.
func (t *retries) pause(ctx context.Context, draws *draws, c *cluster) {
	c.stats.rqRetryBackoff.add(1)
	timer := time.NewTimer(time.Duration(draws.below("retry pauses", uint64(t.interval))))
	defer timer.Stop()
	limit := 10 * t.policy.BackOff
	if t.interval < limit/2 {
		t.interval *= 2
	} else {
		t.interval = limit
	}
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// choose picks the host of the next attempt.
func (t *retries) choose(c *cluster, by choice) *host {
	if t.policy != nil && t.policy.AnotherHost {
		by.tried, by.again = t.tried, t.policy.HostAttempts
	}
	return c.choose(by)
}

// on says whether the policy has one of the conditions.
func (t *retries) on(conditions ...string) bool {
	return slices.ContainsFunc(conditions, func(c string) bool { return slices.Contains(t.policy.On, c) })
}

// perTry is how long an attempt may take where the request as a whole may take
// timeout; 0: as long as that.
func (t *retries) perTry(timeout time.Duration) time.Duration {
	if t.policy == nil || timeout > 0 && t.policy.PerTry >= timeout {
		return 0
	}
	return t.policy.PerTry
}

// afterReset says whether the policy asks for another attempt after one that got
// no answer. begun says whether something of the request was sent.
func (t *retries) afterReset(err error, begun bool) bool {
	var failed *connectError
	switch {
	case t.policy == nil || errors.Is(err, errOverflow):
		return false
	case errors.As(err, &failed) && t.on("connect-failure"), !begun && t.on("reset-before-request"),
		errors.Is(err, errRefusedStream) && t.on("refused-stream"):
		return true
	}
	return t.on("reset", "5xx", "gateway-error")
}

// afterAnswer says whether the policy asks for another attempt after an answer.
func (t *retries) afterAnswer(response *http.Response) bool {
	status := response.StatusCode
	switch {
	case t.policy == nil:
		return false
	case response.Header.Get("X-Envoy-Ratelimited") != "":
		return t.on("envoy-ratelimited")
	case status >= 500 && status < 600 && t.on("5xx"),
		status >= 502 && status <= 504 && t.on("gateway-error"),
		status == http.StatusConflict && t.on("retriable-4xx"),
		slices.Contains(t.policy.Statuses, status):
		return true
	}
	return t.on(grpcStatuses[response.Header.Get("Grpc-Status")])
}

// grpcStatuses are the conditions by the status of gRPC that each is about.
var grpcStatuses = map[string]string{
	"1": "cancelled", "4": "deadline-exceeded", "8": "resource-exhausted", "13": "internal", "14": "unavailable",
}
