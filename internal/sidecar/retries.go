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
func (retriesFilter) Fields() config.Fields { return nil }

// Check implements HTTPFilter.
func (retriesFilter) Check(string, *networking.HTTPRoute, config.Refuse) {}

// Compile implements HTTPFilter.
func (retriesFilter) Compile(config.Place, *networking.HTTPRoute) config.RouteFilter {
	return &routeRetries{config.DefaultRetries()}
}

// routeRetries is the filter on one route.
type routeRetries struct{ *config.RetryPolicy }

// Dump implements RouteFilter.
func (r *routeRetries) Dump(route config.Object) {
	o := config.Object{
		"retry_on":    strings.Join(r.On, ","),
		"num_retries": r.Retries,
	}
	if r.AnotherHost {
		o["retry_host_predicate"] = []any{config.Object{
			"name":         "envoy.retry_host_predicates.previous_hosts",
			"typed_config": config.Object{"@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"},
		}}
		o["host_selection_retry_max_attempts"] = fmt.Sprint(r.HostAttempts)
	}
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
func (t *retries) choose(c *cluster, worker int) *host {
	if t.policy == nil || !t.policy.AnotherHost {
		return c.choose(worker, nil, 0)
	}
	return c.choose(worker, t.tried, t.policy.HostAttempts)
}

// on says whether the policy has one of the conditions.
func (t *retries) on(conditions ...string) bool {
	return slices.ContainsFunc(conditions, func(c string) bool { return slices.Contains(t.policy.On, c) })
}

// afterReset says whether the policy asks for another attempt after one that got
// no answer.
func (t *retries) afterReset(err error) bool {
	var failed *connectError
	switch {
	case t.policy == nil || errors.Is(err, errOverflow):
		return false
	case errors.As(err, &failed) && t.on("connect-failure"):
		return true
	}
	return t.on("reset", "5xx", "gateway-error")
}

// afterAnswer says whether the policy asks for another attempt after an answer.
func (t *retries) afterAnswer(response *http.Response) bool {
	if t.policy == nil {
		return false
	}
	return t.on(grpcStatuses[response.Header.Get("Grpc-Status")])
}

// grpcStatuses are the conditions by the status of gRPC that each is about.
var grpcStatuses = map[string]string{
	"1": "cancelled", "4": "deadline-exceeded", "8": "resource-exhausted", "13": "internal", "14": "unavailable",
}
