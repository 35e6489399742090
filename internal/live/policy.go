package live

import (
	"fmt"
	"strings"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
)

// policy is the two blocks of a traffic policy that can be waited for.
type policy struct {
	pool    *networking.ConnectionPoolSettings
	outlier *networking.OutlierDetection
}

// merged returns what is in force for a subset on a port, as Istio's
// MergeSubsetTrafficPolicy has it: a subset overrides the rule block by block,
// and the settings of a port inherit nothing, neither from their own policy nor
// from the rule's.
func merged(rule, subset *networking.TrafficPolicy, port uint32) policy {
	var p policy
	for _, level := range []*networking.TrafficPolicy{rule, subset} {
		if level.GetConnectionPool() != nil {
			p.pool = level.ConnectionPool
		}
		if level.GetOutlierDetection() != nil {
			p.outlier = level.OutlierDetection
		}
		for _, own := range level.GetPortLevelSettings() {
			if own.GetPort().GetNumber() == port {
				p = policy{pool: own.ConnectionPool, outlier: own.OutlierDetection}
			}
		}
	}
	return p
}

// clusterPolicy words a policy as Istio does to Envoy. A limit of 0 means none.
func clusterPolicy(p policy) envoy.ClusterPolicy {
	limit := func(value int32) uint32 {
		if value <= 0 {
			return envoy.NoLimit
		}
		return uint32(value)
	}
	http := p.pool.GetHttp()
	return envoy.ClusterPolicy{
		Thresholds: envoy.Thresholds{
			MaxConnections:     limit(p.pool.GetTcp().GetMaxConnections()),
			MaxPendingRequests: limit(http.GetHttp1MaxPendingRequests()),
			MaxRequests:        limit(http.GetHttp2MaxRequests()),
			MaxRetries:         limit(http.GetMaxRetries()),
		},
		MaxRequestsPerConnection: uint32(max(http.GetMaxRequestsPerConnection(), 0)),
		Outlier:                  outlierDetection(p.outlier),
	}
}

// outlierDetection leaves Envoy's defaults where the rule is silent. Istio
// enforces consecutive gateway errors as soon as they are given; the deprecated
// consecutiveErrors has no effect.
func outlierDetection(o *networking.OutlierDetection) envoy.OutlierDetection {
	if o == nil {
		return envoy.OutlierDetection{}
	}
	out := envoy.DefaultOutlierDetection
	if o.Consecutive_5XxErrors != nil {
		out.Consecutive5xx = o.Consecutive_5XxErrors.Value
	}
	out.ConsecutiveGatewayFailure = o.ConsecutiveGatewayErrors.GetValue()
	if o.Interval != nil {
		out.Interval = o.Interval.AsDuration()
	}
	if o.BaseEjectionTime != nil {
		out.BaseEjectionTime = o.BaseEjectionTime.AsDuration()
	}
	if o.MaxEjectionPercent > 0 {
		out.MaxEjectionPercent = uint32(o.MaxEjectionPercent)
	}
	return out
}

// difference names what is not as it should be, in Envoy's words.
func difference(have, want envoy.ClusterPolicy) string {
	var parts []string
	number := func(name string, have, want uint32) {
		if have != want {
			parts = append(parts, fmt.Sprintf("%s %d, not %d", name, have, want))
		}
	}
	period := func(name string, have, want time.Duration) {
		if have != want {
			parts = append(parts, fmt.Sprintf("%s %s, not %s", name, have, want))
		}
	}
	number("max_connections", have.Thresholds.MaxConnections, want.Thresholds.MaxConnections)
	number("max_pending_requests", have.Thresholds.MaxPendingRequests, want.Thresholds.MaxPendingRequests)
	number("max_requests", have.Thresholds.MaxRequests, want.Thresholds.MaxRequests)
	number("max_retries", have.Thresholds.MaxRetries, want.Thresholds.MaxRetries)
	number("max_requests_per_connection", have.MaxRequestsPerConnection, want.MaxRequestsPerConnection)
	number("consecutive_5xx", have.Outlier.Consecutive5xx, want.Outlier.Consecutive5xx)
	number("consecutive_gateway_failure", have.Outlier.ConsecutiveGatewayFailure, want.Outlier.ConsecutiveGatewayFailure)
	number("max_ejection_percent", have.Outlier.MaxEjectionPercent, want.Outlier.MaxEjectionPercent)
	period("interval", have.Outlier.Interval, want.Outlier.Interval)
	period("base_ejection_time", have.Outlier.BaseEjectionTime, want.Outlier.BaseEjectionTime)
	return strings.Join(parts, ", ")
}
