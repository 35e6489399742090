package sidecar

import (
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// defaultConnectTimeout is Istio's mesh-wide connectTimeout.
const defaultConnectTimeout = 10 * time.Second

// compileClusters makes a cluster for each port of each service, and one for
// each subset of it.
func (c *compiler) compileClusters() {
	for i := range c.config.services {
		s := &c.config.services[i]
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
	cluster := &clusterConfig{
		name:    clusterName(p.Number, subset.GetName(), s.Host),
		service: s.Name,
		host:    s.Host,
		subset:  subset.GetName(),
		port:    p.Number,
		tcp:     p.TCP,
		source:  source,
		policy:  newPolicy(tp),
	}
	for _, e := range p.Endpoints {
		if e.hasLabels(subset.GetLabels()) {
			cluster.endpoints = append(cluster.endpoints, e)
		}
	}
	c.config.clusters = append(c.config.clusters, cluster)
	c.config.byName[cluster.name] = cluster
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

func newPolicy(tp *networking.TrafficPolicy) policy {
	tcp, http := tp.GetConnectionPool().GetTcp(), tp.GetConnectionPool().GetHttp()
	p := policy{
		lb:                       lbPolicies[tp.GetLoadBalancer().GetSimple()],
		connectTimeout:           defaultConnectTimeout,
		maxConnections:           threshold(tcp.GetMaxConnections()),
		maxPendingRequests:       threshold(http.GetHttp1MaxPendingRequests()),
		maxRequests:              threshold(http.GetHttp2MaxRequests()),
		maxRetries:               threshold(http.GetMaxRetries()),
		maxRequestsPerConnection: uint32(max(0, http.GetMaxRequestsPerConnection())),
		panicThreshold:           int(tp.GetOutlierDetection().GetMinHealthPercent()),
	}
	if tcp.GetConnectTimeout() != nil {
		p.connectTimeout = tcp.GetConnectTimeout().AsDuration()
	}
	if o := tp.GetOutlierDetection(); o != nil {
		p.outlier = newOutlierConfig(o)
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
	networking.LoadBalancerSettings_UNSPECIFIED:   leastRequest,
	networking.LoadBalancerSettings_LEAST_CONN:    leastRequest, //nolint:staticcheck // Istio still reads it.
	networking.LoadBalancerSettings_LEAST_REQUEST: leastRequest,
	networking.LoadBalancerSettings_ROUND_ROBIN:   roundRobin,
	networking.LoadBalancerSettings_RANDOM:        random,
}

// newOutlierConfig fills in Envoy's defaults. Consecutive 5xx answers are
// enforced unless their number is given as 0; gateway errors only if a number
// is given.
func newOutlierConfig(o *networking.OutlierDetection) *outlierConfig {
	c := &outlierConfig{
		consecutive5xx:     5,
		enforce5xx:         true,
		consecutiveGateway: 5,
		interval:           10 * time.Second,
		baseEjectionTime:   30 * time.Second,
		maxEjectionPercent: 10,
	}
	if v := o.GetConsecutive_5XxErrors(); v != nil {
		c.consecutive5xx, c.enforce5xx, c.consecutive5xxSet = v.GetValue(), v.GetValue() > 0, true
	}
	if v := o.GetConsecutiveGatewayErrors(); v != nil {
		c.consecutiveGateway, c.enforceGateway, c.consecutiveGatewaySet = v.GetValue(), v.GetValue() > 0, true
	}
	if o.GetInterval() != nil {
		c.interval = o.GetInterval().AsDuration()
	}
	if o.GetBaseEjectionTime() != nil {
		c.baseEjectionTime = o.GetBaseEjectionTime().AsDuration()
	}
	if o.GetMaxEjectionPercent() > 0 {
		c.maxEjectionPercent = min(100, int(o.GetMaxEjectionPercent()))
	}
	return c
}
