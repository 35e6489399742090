// Package policy translates what a DestinationRule asks of a cluster into
// Envoy's terms, once for the embedded sidecar, which does it, and for the wait
// for a rule, which looks whether a proxy does.
//
// It is pure, and follows Istio's pilot/pkg/networking/core (cluster builder)
// and its MergeSubsetTrafficPolicy. It may import internal/envoy.
package policy

import (
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
)

// Merged returns the traffic policy in force for a subset on a port; nil if
// neither says anything. A subset overrides the rule block by block, and the
// settings of a port inherit nothing, neither from their own policy nor from the
// rule's. The result has no settings by port.
func Merged(rule, subset *networking.TrafficPolicy, port uint32) *networking.TrafficPolicy {
	base, _ := onPort(rule, port)
	over, alone := onPort(subset, port)
	switch {
	case over == nil:
		return base
	case base == nil:
		return over
	}
	if over.ConnectionPool != nil || alone {
		base.ConnectionPool = over.ConnectionPool
	}
	if over.OutlierDetection != nil || alone {
		base.OutlierDetection = over.OutlierDetection
	}
	if over.LoadBalancer != nil || alone {
		base.LoadBalancer = over.LoadBalancer
	}
	if over.Tls != nil || alone {
		base.Tls = over.Tls
	}
	if over.ProxyProtocol != nil {
		base.ProxyProtocol = over.ProxyProtocol
	}
	if over.RetryBudget != nil {
		base.RetryBudget = over.RetryBudget
	}
	return base
}

// onPort returns a copy of what a policy says of a port, and whether it has
// settings of its own for it.
func onPort(p *networking.TrafficPolicy, port uint32) (*networking.TrafficPolicy, bool) {
	if p == nil {
		return nil, false
	}
	for _, own := range p.PortLevelSettings {
		if own.GetPort().GetNumber() == port {
			return &networking.TrafficPolicy{
				ConnectionPool: own.ConnectionPool, OutlierDetection: own.OutlierDetection, LoadBalancer: own.LoadBalancer, Tls: own.Tls,
			}, true
		}
	}
	return &networking.TrafficPolicy{
		ConnectionPool: p.ConnectionPool, OutlierDetection: p.OutlierDetection, LoadBalancer: p.LoadBalancer, Tls: p.Tls,
		ProxyProtocol: p.ProxyProtocol, RetryBudget: p.RetryBudget,
	}, false
}

// Cluster words a merged policy, nil for none, as Istio does to Envoy. Limits and
// outlier detection are those in force, defaults included. The other fields are
// zero where the policy is silent, since the mesh's own configuration decides
// then: connect_timeout (10 s by default), lb_policy (LEAST_REQUEST), the panic
// threshold, TLS and keep-alive.
func Cluster(p *networking.TrafficPolicy) envoy.ClusterPolicy {
	tcp, http := p.GetConnectionPool().GetTcp(), p.GetConnectionPool().GetHttp()
	out := envoy.ClusterPolicy{
		Thresholds: envoy.Thresholds{
			MaxConnections:     limit(tcp.GetMaxConnections()),
			MaxPendingRequests: limit(http.GetHttp1MaxPendingRequests()),
			MaxRequests:        limit(http.GetHttp2MaxRequests()),
			MaxRetries:         limit(http.GetMaxRetries()),
		},
		MaxRequestsPerConnection: uint32(max(http.GetMaxRequestsPerConnection(), 0)),
		ConnectTimeout:           tcp.GetConnectTimeout().AsDuration(),
		IdleTimeout:              tcp.GetIdleTimeout().AsDuration(),
		MaxConnectionDuration:    tcp.GetMaxConnectionDuration().AsDuration(),
		Keepalive: envoy.Keepalive{
			Probes: tcp.GetTcpKeepalive().GetProbes(),
			Time:   tcp.GetTcpKeepalive().GetTime().AsDuration(), Interval: tcp.GetTcpKeepalive().GetInterval().AsDuration(),
		},
		Outlier:        outlier(p.GetOutlierDetection()),
		PanicThreshold: float64(p.GetOutlierDetection().GetMinHealthPercent()),
		Balancer:       balancer(p.GetLoadBalancer()),
		TLS:            tls(p),
	}
	if http.GetIdleTimeout() != nil {
		out.IdleTimeout = http.IdleTimeout.AsDuration()
	}
	return out
}

// limit words a limit: 0 means none to Istio.
func limit(value int32) uint32 {
	if value <= 0 {
		return envoy.NoLimit
	}
	return uint32(value)
}

// outlier leaves Envoy's defaults where the rule is silent. Istio enforces
// consecutive gateway errors as soon as they are given; the deprecated
// consecutiveErrors has no effect.
func outlier(o *networking.OutlierDetection) envoy.OutlierDetection {
	if o == nil {
		return envoy.OutlierDetection{}
	}
	out := envoy.DefaultOutlierDetection
	if o.Consecutive_5XxErrors != nil {
		out.Consecutive5xx = o.Consecutive_5XxErrors.Value
	}
	out.ConsecutiveGatewayFailure = o.ConsecutiveGatewayErrors.GetValue()
	if o.SplitExternalLocalOriginErrors {
		out.ConsecutiveLocalOriginFailure = o.ConsecutiveLocalOriginFailures.GetValue()
	}
	set(&out.Interval, o.Interval.AsDuration())
	set(&out.BaseEjectionTime, o.BaseEjectionTime.AsDuration())
	if o.MaxEjectionPercent > 0 {
		out.MaxEjectionPercent = uint32(o.MaxEjectionPercent)
	}
	return out
}

func set(to *time.Duration, d time.Duration) {
	if d > 0 {
		*to = d
	}
}

// balancer is a load balancer's lb_policy; empty where none is named.
func balancer(lb *networking.LoadBalancerSettings) string {
	switch hash := lb.GetConsistentHash(); {
	case hash.GetMaglev() != nil:
		return envoy.Maglev
	case hash != nil:
		return envoy.RingHash
	}
	switch lb.GetSimple() {
	case networking.LoadBalancerSettings_LEAST_CONN, networking.LoadBalancerSettings_LEAST_REQUEST: //nolint:staticcheck // Istio still reads the old name
		return envoy.LeastRequest
	case networking.LoadBalancerSettings_ROUND_ROBIN:
		return envoy.RoundRobin
	case networking.LoadBalancerSettings_RANDOM:
		return envoy.Random
	case networking.LoadBalancerSettings_PASSTHROUGH:
		return envoy.ClusterProvided
	}
	return ""
}

// tls says how a cluster's connections are to be secured; empty where the rule
// does not say, and where it cannot be told from the cluster: a credential is left
// out by sidecars, and the PROXY protocol wraps the socket.
func tls(p *networking.TrafficPolicy) string {
	t := p.GetTls()
	switch {
	case t == nil || t.CredentialName != "" || p.ProxyProtocol != nil:
		return ""
	case t.Mode == networking.ClientTLSSettings_DISABLE:
		return envoy.PlainText
	}
	return envoy.TLS
}
