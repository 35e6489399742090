package config

import "time"

// RetryPolicy is when and how often a request is sent to its cluster again:
// Envoy's retry policy of a route.
type RetryPolicy struct {
	Retries      uint32        // after the first attempt
	On           []string      // Envoy's conditions, of HTTP and of gRPC
	BackOff      time.Duration // what the first pause is drawn from; that doubles with each, up to ten times this
	AnotherHost  bool          // a retry prefers a host that was not tried
	HostAttempts int           // how often it looks for one
}

// DefaultRetries is Istio's policy of a route that has none of its own
// (pilot/pkg/networking/core/route/retry/retry.go), with Envoy's back-off.
func DefaultRetries() *RetryPolicy {
	return &RetryPolicy{
		Retries:      2,
		On:           []string{"connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"},
		BackOff:      25 * time.Millisecond,
		AnotherHost:  true,
		HostAttempts: 5,
	}
}
