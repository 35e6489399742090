package policy

import (
	"fmt"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
)

// Difference names, in Envoy's words, in what a cluster is not as it is asked to
// be; empty if it is. A field that want leaves zero may be anything, as the mesh
// decides it then, bar limits and outlier detection. A cluster whose endpoints
// the application picks itself (CLUSTER_PROVIDED), as a headless service's, has
// no other lb_policy.
func Difference(have, want envoy.ClusterPolicy) string {
	var d differences
	d.number("max_connections", have.Thresholds.MaxConnections, want.Thresholds.MaxConnections)
	d.number("max_pending_requests", have.Thresholds.MaxPendingRequests, want.Thresholds.MaxPendingRequests)
	d.number("max_requests", have.Thresholds.MaxRequests, want.Thresholds.MaxRequests)
	d.number("max_retries", have.Thresholds.MaxRetries, want.Thresholds.MaxRetries)
	d.number("max_requests_per_connection", have.MaxRequestsPerConnection, want.MaxRequestsPerConnection)
	d.number("consecutive_5xx", have.Outlier.Consecutive5xx, want.Outlier.Consecutive5xx)
	d.number("consecutive_gateway_failure", have.Outlier.ConsecutiveGatewayFailure, want.Outlier.ConsecutiveGatewayFailure)
	d.number("consecutive_local_origin_failure", have.Outlier.ConsecutiveLocalOriginFailure, want.Outlier.ConsecutiveLocalOriginFailure)
	d.number("max_ejection_percent", have.Outlier.MaxEjectionPercent, want.Outlier.MaxEjectionPercent)
	d.period("interval", have.Outlier.Interval, want.Outlier.Interval)
	d.period("base_ejection_time", have.Outlier.BaseEjectionTime, want.Outlier.BaseEjectionTime)
	d.asked("connect_timeout", have.ConnectTimeout, want.ConnectTimeout)
	d.asked("idle_timeout", have.IdleTimeout, want.IdleTimeout)
	d.asked("max_connection_duration", have.MaxConnectionDuration, want.MaxConnectionDuration)
	d.asked("keepalive_time", have.Keepalive.Time, want.Keepalive.Time)
	d.asked("keepalive_interval", have.Keepalive.Interval, want.Keepalive.Interval)
	if want.Keepalive.Probes != 0 {
		d.number("keepalive_probes", have.Keepalive.Probes, want.Keepalive.Probes)
	}
	if want.PanicThreshold != 0 && have.PanicThreshold != want.PanicThreshold {
		d.add("a healthy_panic_threshold of %v, not %v", have.PanicThreshold, want.PanicThreshold)
	}
	if want.Balancer != "" && have.Balancer != want.Balancer && have.Balancer != envoy.ClusterProvided {
		d.add("lb_policy %s, not %s", have.Balancer, want.Balancer)
	}
	if want.TLS != "" && have.TLS != "" && have.TLS != want.TLS {
		d.add("a transport socket of %s, not of %s", have.TLS, want.TLS)
	}
	return strings.Join(d, ", ")
}

type differences []string

func (d *differences) add(format string, args ...any) { *d = append(*d, fmt.Sprintf(format, args...)) }

func (d *differences) number(name string, have, want uint32) {
	if have != want {
		d.add("%s %d, not %d", name, have, want)
	}
}

func (d *differences) period(name string, have, want time.Duration) {
	if have != want {
		d.add("%s %s, not %s", name, have, want)
	}
}

// asked compares a period only if one is asked for.
func (d *differences) asked(name string, have, want time.Duration) {
	if want != 0 {
		d.period(name, have, want)
	}
}
