package config

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	networking "istio.io/api/networking/v1alpha3"
)

// RetryPolicy is when and how often a request is sent to its cluster again:
// Envoy's retry policy of a route.
type RetryPolicy struct {
	Retries      uint32        // after the first attempt
	On           []string      // Envoy's conditions, of HTTP and of gRPC
	Statuses     []int         // that retriable-status-codes means
	PerTry       time.Duration // the longest that an attempt waits for the head of its answer; 0: as long as the route's timeout
	BackOff      time.Duration // what the first pause is drawn from; that doubles with each, up to ten times this
	AnotherHost  bool          // a retry prefers a host that was not tried
	HostAttempts int           // how often it looks for one
}

// Retries is the policy that Istio makes of a route's retries; nil if these are
// switched off. What a policy does not say it has from the default.
func (p Place) Retries(r *networking.HTTPRoute) *RetryPolicy {
	policy := retriesOf(r.GetRetries())
	if policy != nil && r.GetRetries().GetRetryIgnorePreviousHosts() == nil && p.bindsRetries(r) {
		policy.AnotherHost = false
	}
	return policy
}

// bindsRetries says whether a retry goes where the request is bound to: on the route
// of a VirtualService to one destination that hashes a header.
func (p Place) bindsRetries(r *networking.HTTPRoute) bool {
	return p.owner.Name != "" && len(r.GetRoute()) == 1 && p.hashHeader(r.GetRoute()[0].GetDestination()) != ""
}

func retriesOf(in *networking.HTTPRetry) *RetryPolicy {
	p := DefaultRetries()
	if in == nil {
		return p
	}
	if in.GetAttempts() == 0 {
		return nil
	}
	p.Retries = uint32(in.GetAttempts())
	if in.GetRetryOn() != "" {
		p.On, p.Statuses = retryConditions(in.GetRetryOn())
	}
	p.PerTry = in.GetPerTryTimeout().AsDuration()
	if in.GetBackoff() != nil {
		p.BackOff = in.GetBackoff().AsDuration()
	}
	if in.GetRetryIgnorePreviousHosts() != nil {
		p.AnotherHost = in.GetRetryIgnorePreviousHosts().GetValue()
	}
	return p
}

// retryConditions splits Istio's retryOn: a number in it is a status, and a
// status needs Envoy's condition for it.
func retryConditions(text string) (on []string, statuses []int) {
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		if status, err := strconv.Atoi(word); err == nil && http.StatusText(status) != "" {
			statuses = append(statuses, status)
		} else if word != "" {
			on = append(on, word)
		}
	}
	if len(statuses) > 0 && !slices.Contains(on, statusCondition) {
		on = append(on, statusCondition)
	}
	return on, statuses
}

// statusCondition is the condition that RetryPolicy.Statuses belong to.
const statusCondition = "retriable-status-codes"

// DefaultRetries is Istio's policy of a route that has none of its own
// (pilot/pkg/networking/core/route/retry/retry.go), with Envoy's back-off.
func DefaultRetries() *RetryPolicy {
	return &RetryPolicy{
		Retries:      2,
		On:           []string{"connect-failure", "refused-stream", "unavailable", "cancelled", statusCondition},
		BackOff:      25 * time.Millisecond,
		AnotherHost:  true,
		HostAttempts: 5,
	}
}
