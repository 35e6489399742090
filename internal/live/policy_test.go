package live

import (
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
)

// The rows are what Istio 1.31 wrote for the same rule.
func TestThePoliciesOfASubsetAndOfAPortAreMergedAsIstioDoes(t *testing.T) {
	pending := func(n int32) *networking.ConnectionPoolSettings {
		return &networking.ConnectionPoolSettings{Http: &networking.ConnectionPoolSettings_HTTPSettings{Http1MaxPendingRequests: n}}
	}
	rule := &networking.TrafficPolicy{
		ConnectionPool: &networking.ConnectionPoolSettings{
			Tcp:  &networking.ConnectionPoolSettings_TCPSettings{MaxConnections: 21},
			Http: &networking.ConnectionPoolSettings_HTTPSettings{MaxRequestsPerConnection: 5},
		},
		OutlierDetection:  &networking.OutlierDetection{Consecutive_5XxErrors: wrapperspb.UInt32(4)},
		PortLevelSettings: []*networking.TrafficPolicy_PortTrafficPolicy{{Port: &networking.PortSelector{Number: 8088}, ConnectionPool: pending(22)}},
	}
	gateway := &networking.TrafficPolicy{OutlierDetection: &networking.OutlierDetection{
		Consecutive_5XxErrors: wrapperspb.UInt32(0), ConsecutiveGatewayErrors: wrapperspb.UInt32(3),
	}}
	fives := envoy.DefaultOutlierDetection
	fives.Consecutive5xx = 4
	gateways := envoy.DefaultOutlierDetection
	gateways.Consecutive5xx, gateways.ConsecutiveGatewayFailure = 0, 3
	connections := envoy.Unlimited
	connections.MaxConnections = 21
	queue := envoy.Unlimited
	queue.MaxPendingRequests = 22
	three := envoy.Unlimited
	three.MaxPendingRequests = 3
	tests := []struct {
		name         string
		rule, subset *networking.TrafficPolicy
		port         uint32
		want         envoy.ClusterPolicy
	}{
		{"no policy", nil, nil, 8088, envoy.ClusterPolicy{Thresholds: envoy.Unlimited}},
		{"another port", rule, nil, 80, envoy.ClusterPolicy{Thresholds: connections, MaxRequestsPerConnection: 5, Outlier: fives}},
		{"a port inherits nothing", rule, nil, 8088, envoy.ClusterPolicy{Thresholds: queue}},
		{"a subset's block takes the place of the rule's", rule, gateway, 8088, envoy.ClusterPolicy{Thresholds: queue, Outlier: gateways}},
		{"a block is taken whole", rule, &networking.TrafficPolicy{ConnectionPool: pending(3)}, 80, envoy.ClusterPolicy{Thresholds: three, Outlier: fives}},
		{"0 and consecutiveErrors mean nothing", nil, &networking.TrafficPolicy{
			ConnectionPool:   pending(0),
			OutlierDetection: &networking.OutlierDetection{ConsecutiveErrors: 1}, //nolint:staticcheck // that it is ignored is the point
		}, 80, envoy.ClusterPolicy{Thresholds: envoy.Unlimited, Outlier: envoy.DefaultOutlierDetection}},
	}
	for _, tt := range tests {
		if got := clusterPolicy(merged(tt.rule, tt.subset, tt.port)); got != tt.want {
			t.Errorf("%s: %s", tt.name, difference(got, tt.want))
		}
	}
}
