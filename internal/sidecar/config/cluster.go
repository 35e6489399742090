package config

import (
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// DefaultConnectTimeout is Istio's mesh-wide connectTimeout.
const DefaultConnectTimeout = 10 * time.Second

// compileClusters makes a cluster for each port of each service, and one for
// each subset of it.
func (c *compiler) compileClusters() {
	for i := range c.config.Services {
		s := &c.config.Services[i]
		rule, source := c.destinationRule(s)
		for _, p := range s.Ports {
			c.addCluster(s, p, nil, rule.GetTrafficPolicy(), source)
			for _, subset := range rule.GetSubsets() {
				c.addCluster(s, p, subset, overridden(rule.GetTrafficPolicy(), subset.GetTrafficPolicy()), source)
			}
		}
	}
}

func (c *compiler) addCluster(s *Service, p Port, subset *networking.Subset, tp *networking.TrafficPolicy, source string) {
	cluster := &Cluster{
		Name:    clusterName(p.Number, subset.GetName(), s.Host),
		Service: s.Name,
		Host:    s.Host,
		Subset:  subset.GetName(),
		Port:    p.Number,
		TCP:     p.TCP,
		Source:  source,
		Policy:  newPolicy(tp),
	}
	for _, e := range p.Endpoints {
		if e.hasLabels(subset.GetLabels()) {
			cluster.Endpoints = append(cluster.Endpoints, e)
		}
	}
	c.config.Clusters = append(c.config.Clusters, cluster)
	c.config.ByName[cluster.Name] = cluster
}

// destinationRule merges the rules of a service as Istio does: the first
// traffic policy and the first subset of a name stand.
func (c *compiler) destinationRule(s *Service) (*networking.DestinationRule, string) {
	merged := &networking.DestinationRule{}
	source := ""
	seen := map[string]bool{}
	for _, rule := range c.destinationRules {
		if rules.FQDN(rule.GetHost(), rule.Namespace) != s.Host {
			continue
		}
		if source == "" {
			source = istioPath(rule.Ref, "destination-rule")
		}
		if merged.TrafficPolicy == nil {
			merged.TrafficPolicy = rule.GetTrafficPolicy()
		}
		for _, subset := range rule.GetSubsets() {
			if !seen[subset.GetName()] {
				seen[subset.GetName()] = true
				merged.Subsets = append(merged.Subsets, subset)
			}
		}
	}
	return merged, source
}

// overridden is a service's traffic policy with the blocks of a subset's in
// place of its own.
func overridden(base, subset *networking.TrafficPolicy) *networking.TrafficPolicy {
	if subset == nil {
		return base
	}
	merged := &networking.TrafficPolicy{
		LoadBalancer:     base.GetLoadBalancer(),
		ConnectionPool:   base.GetConnectionPool(),
		OutlierDetection: base.GetOutlierDetection(),
	}
	if subset.LoadBalancer != nil {
		merged.LoadBalancer = subset.LoadBalancer
	}
	if subset.ConnectionPool != nil {
		merged.ConnectionPool = subset.ConnectionPool
	}
	if subset.OutlierDetection != nil {
		merged.OutlierDetection = subset.OutlierDetection
	}
	return merged
}

func newPolicy(tp *networking.TrafficPolicy) Policy {
	tcp, http := tp.GetConnectionPool().GetTcp(), tp.GetConnectionPool().GetHttp()
	p := Policy{
		LB:                       lbPolicies[tp.GetLoadBalancer().GetSimple()],
		ConnectTimeout:           DefaultConnectTimeout,
		MaxConnections:           threshold(tcp.GetMaxConnections()),
		MaxPendingRequests:       threshold(http.GetHttp1MaxPendingRequests()),
		MaxRequests:              threshold(http.GetHttp2MaxRequests()),
		MaxRetries:               threshold(http.GetMaxRetries()),
		MaxRequestsPerConnection: uint32(max(0, http.GetMaxRequestsPerConnection())),
		PanicThreshold:           int(tp.GetOutlierDetection().GetMinHealthPercent()),
	}
	if tcp.GetConnectTimeout() != nil {
		p.ConnectTimeout = tcp.GetConnectTimeout().AsDuration()
	}
	if o := tp.GetOutlierDetection(); o != nil {
		p.Outlier = NewOutlierConfig(o)
	}
	return p
}

// threshold is a circuit breaker's limit; 0 means unset in Istio.
func threshold(n int32) uint32 {
	if n <= 0 {
		return envoy.NoLimit
	}
	return uint32(n)
}

// The load balancers that are implemented, by Istio's names; LEAST_CONN is the
// old name of LEAST_REQUEST, which is Istio's default.
var lbPolicies = map[networking.LoadBalancerSettings_SimpleLB]string{
	networking.LoadBalancerSettings_UNSPECIFIED:   LeastRequest,
	networking.LoadBalancerSettings_LEAST_CONN:    LeastRequest, //nolint:staticcheck // Istio still reads it.
	networking.LoadBalancerSettings_LEAST_REQUEST: LeastRequest,
	networking.LoadBalancerSettings_ROUND_ROBIN:   RoundRobin,
	networking.LoadBalancerSettings_RANDOM:        Random,
}

// NewOutlierConfig fills in Envoy's defaults. Consecutive 5xx answers are
// enforced unless their number is given as 0; gateway errors only if a number
// is given.
func NewOutlierConfig(o *networking.OutlierDetection) *Outlier {
	c := &Outlier{
		Consecutive5xx:     5,
		Enforce5xx:         true,
		ConsecutiveGateway: 5,
		Interval:           10 * time.Second,
		BaseEjectionTime:   30 * time.Second,
		MaxEjectionPercent: 10,
	}
	if v := o.GetConsecutive_5XxErrors(); v != nil {
		c.Consecutive5xx, c.Enforce5xx, c.Consecutive5xxSet = v.GetValue(), v.GetValue() > 0, true
	}
	if v := o.GetConsecutiveGatewayErrors(); v != nil {
		c.ConsecutiveGateway, c.EnforceGateway, c.ConsecutiveGatewaySet = v.GetValue(), v.GetValue() > 0, true
	}
	if o.GetInterval() != nil {
		c.Interval = o.GetInterval().AsDuration()
	}
	if o.GetBaseEjectionTime() != nil {
		c.BaseEjectionTime = o.GetBaseEjectionTime().AsDuration()
	}
	if o.GetMaxEjectionPercent() > 0 {
		c.MaxEjectionPercent = min(100, int(o.GetMaxEjectionPercent()))
	}
	return c
}
