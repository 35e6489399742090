package policy

import (
	"os"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/envoy/envoytest"
	"github.com/meshchaos/meshchaos/internal/rules"
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
	connections := envoytest.Unlimited()
	connections.MaxConnections = 21
	queue := envoytest.Unlimited()
	queue.MaxPendingRequests = 22
	three := envoytest.Unlimited()
	three.MaxPendingRequests = 3
	tests := []struct {
		name         string
		rule, subset *networking.TrafficPolicy
		port         uint32
		want         envoy.ClusterPolicy
	}{
		{"no policy", nil, nil, 8088, envoy.ClusterPolicy{Thresholds: envoytest.Unlimited()}},
		{"another port", rule, nil, 80, envoy.ClusterPolicy{Thresholds: connections, MaxRequestsPerConnection: 5, Outlier: fives}},
		{"a port inherits nothing", rule, nil, 8088, envoy.ClusterPolicy{Thresholds: queue}},
		{"a subset's block takes the place of the rule's", rule, gateway, 8088, envoy.ClusterPolicy{Thresholds: queue, Outlier: gateways}},
		{"a block is taken whole", rule, &networking.TrafficPolicy{ConnectionPool: pending(3)}, 80, envoy.ClusterPolicy{Thresholds: three, Outlier: fives}},
		{"0 and consecutiveErrors mean nothing", nil, &networking.TrafficPolicy{
			ConnectionPool:   pending(0),
			OutlierDetection: &networking.OutlierDetection{ConsecutiveErrors: 1}, //nolint:staticcheck // that it is ignored is the point
		}, 80, envoy.ClusterPolicy{Thresholds: envoytest.Unlimited(), Outlier: envoy.DefaultOutlierDetection}},
	}
	for _, tt := range tests {
		if got := Cluster(Merged(tt.rule, tt.subset, tt.port)); got != tt.want {
			t.Errorf("%s: %s", tt.name, Difference(got, tt.want))
		}
	}
}

// The rule is the one under which the capture was taken.
func TestIstioMakesOfEachPolicyWhatIsSaidHere(t *testing.T) {
	rule := destinationRule(t)
	configs, err := envoytest.Serve(t, "client", "policies").ClusterConfigsWithTLS(t.Context(), `outbound\|8000\|.*`)
	if err != nil || len(configs) != 10 {
		t.Fatalf("%d clusters, error %v", len(configs), err)
	}
	for _, c := range configs {
		if wrong := Difference(c.ClusterPolicy, asked(rule, c.Name.Subset)); wrong != "" {
			t.Errorf("%s: it has %s", c.Name, wrong)
		}
	}
	// Each policy is told from that of every other subset, bar those that ask for
	// no more than the rule itself, or for what is not seen.
	silent := []string{"", "v1", "meshchaos-c797c023-1-0", "warm", "proxyp", "rb"}
	for _, c := range configs {
		for _, subset := range []string{"rand", "pass", "ring", "out"} {
			if subset != c.Name.Subset && Difference(c.ClusterPolicy, asked(rule, subset)) == "" && c.Name.Subset != "pass" {
				t.Errorf("the cluster of %q passes for one of %s", c.Name.Subset, subset)
			}
		}
	}
	for _, subset := range silent[:3] {
		if asked(rule, subset) != asked(rule, "") {
			t.Errorf("%s asks for something of its own", subset)
		}
	}
}

func TestADifferenceNamesTheField(t *testing.T) {
	rule := destinationRule(t)
	var have envoy.ClusterPolicy
	configs, err := envoytest.Serve(t, "client", "policies").ClusterConfigsWithTLS(t.Context(), `outbound\|8000\|\|.*`)
	if err != nil || len(configs) != 1 {
		t.Fatalf("%d clusters, error %v", len(configs), err)
	}
	have = configs[0].ClusterPolicy
	for words, change := range map[string]func(*networking.TrafficPolicy){
		"lb_policy ROUND_ROBIN, not RANDOM": func(p *networking.TrafficPolicy) {
			p.LoadBalancer.LbPolicy = &networking.LoadBalancerSettings_Simple{Simple: networking.LoadBalancerSettings_RANDOM}
		},
		"connect_timeout 3s, not 2s": func(p *networking.TrafficPolicy) {
			p.ConnectionPool.Tcp.ConnectTimeout = durationpb.New(2 * time.Second)
		},
		"a healthy_panic_threshold of 40, not 41": func(p *networking.TrafficPolicy) { p.OutlierDetection.MinHealthPercent = 41 },
		"a transport socket of TLS where the endpoint has it, not of plain text": func(p *networking.TrafficPolicy) {
			p.Tls = &networking.ClientTLSSettings{Mode: networking.ClientTLSSettings_DISABLE}
		},
		"keepalive_probes 3, not 4": func(p *networking.TrafficPolicy) { p.ConnectionPool.Tcp.TcpKeepalive.Probes = 4 },
		"idle_timeout 1m1s, not 9s": func(p *networking.TrafficPolicy) {
			p.ConnectionPool.Http = &networking.ConnectionPoolSettings_HTTPSettings{IdleTimeout: durationpb.New(9 * time.Second)}
		},
		"max_connections 5, not 4294967295": func(p *networking.TrafficPolicy) { p.ConnectionPool.Tcp.MaxConnections = 0 },
	} {
		changed := proto.Clone(rule.TrafficPolicy).(*networking.TrafficPolicy)
		change(changed)
		if got := Difference(have, Cluster(Merged(changed, nil, 8000))); got != words {
			t.Errorf("got %q, want %q", got, words)
		}
	}
}

func destinationRule(t *testing.T) *networking.DestinationRule {
	t.Helper()
	text, err := os.ReadFile("testdata/policies.yaml")
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	o, err := rules.DecodeFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	return o.Spec.(*networking.DestinationRule)
}

// asked is what the rule asks of the cluster of a subset.
func asked(rule *networking.DestinationRule, subset string) envoy.ClusterPolicy {
	for _, s := range rule.Subsets {
		if s.Name == subset {
			return Cluster(Merged(rule.TrafficPolicy, s.TrafficPolicy, 8000))
		}
	}
	return Cluster(Merged(rule.TrafficPolicy, nil, 8000))
}
