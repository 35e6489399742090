package rules

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

func (c *checker) destinationRule(rule *networking.DestinationRule) {
	if rule.Host == "" {
		c.refuse("spec.host", "the host is missing; name the service that the rule is for")
	}
	if rule.TrafficPolicy != nil {
		c.trafficPolicy("spec.trafficPolicy", rule.TrafficPolicy)
	}
	seen := map[string]bool{}
	for i, subset := range rule.Subsets {
		path := fmt.Sprintf("spec.subsets[%d]", i)
		switch {
		case !dnsLabel.MatchString(subset.Name):
			c.refuse(path+".name", "%q is not the name of a subset: it takes lower-case letters, digits and -", subset.Name)
		case seen[subset.Name]:
			c.refuse(path+".name", "the subset %s stands twice; give each a name of its own", subset.Name)
		}
		seen[subset.Name] = true
		if subset.TrafficPolicy != nil {
			c.trafficPolicy(path+".trafficPolicy", subset.TrafficPolicy)
		}
	}
}

func (c *checker) trafficPolicy(path string, policy *networking.TrafficPolicy) {
	if policy.LoadBalancer == nil && policy.ConnectionPool == nil && policy.OutlierDetection == nil && policy.Tls == nil &&
		len(policy.PortLevelSettings) == 0 && policy.Tunnel == nil && policy.ProxyProtocol == nil {
		c.refuse(path, "the policy has no field that Istio takes; give it one, or leave it out")
	}
	if policy.Tunnel != nil && policy.ProxyProtocol != nil {
		c.refuse(path+".tunnel", "tunnel cannot stand beside proxyProtocol; take one of them")
	}
	c.policyBlocks(path, policy.ConnectionPool, policy.OutlierDetection, policy.LoadBalancer)
	for i, port := range policy.PortLevelSettings {
		here := fmt.Sprintf("%s.portLevelSettings[%d]", path, i)
		if port.Port == nil {
			c.refuse(here+".port", "the port is missing; give its number")
		} else {
			c.port(here+".port.number", port.Port.Number)
		}
		c.policyBlocks(here, port.ConnectionPool, port.OutlierDetection, port.LoadBalancer)
	}
}

func (c *checker) policyBlocks(path string, pool *networking.ConnectionPoolSettings, outlier *networking.OutlierDetection, balancer *networking.LoadBalancerSettings) {
	if balancer != nil && proto.Size(balancer) == 0 {
		c.dead(path+".loadBalancer", "", "the load balancer sets nothing, so it changes nothing; give it simple: with its name, or leave it out")
	}
	if pool != nil {
		c.connectionPool(path+".connectionPool", pool)
	}
	if outlier != nil {
		c.outlierDetection(path+".outlierDetection", outlier)
	}
}

func (c *checker) connectionPool(path string, pool *networking.ConnectionPoolSettings) {
	switch {
	case pool.Http == nil && pool.Tcp == nil:
		c.refuse(path, "the connection pool has neither tcp nor http; give one of them a limit, or leave the pool out")
	case proto.Size(pool.Http) == 0 && proto.Size(pool.Tcp) == 0: // a 0 is not there
		c.dead(path, "", "the connection pool sets nothing, so it changes nothing; give it a limit of 1 or more, or leave it out")
	}
	for _, limit := range []struct {
		field string
		value int32
	}{
		{"tcp.maxConnections", pool.GetTcp().GetMaxConnections()},
		{"http.http1MaxPendingRequests", pool.GetHttp().GetHttp1MaxPendingRequests()},
		{"http.http2MaxRequests", pool.GetHttp().GetHttp2MaxRequests()},
		{"http.maxRequestsPerConnection", pool.GetHttp().GetMaxRequestsPerConnection()},
		{"http.maxRetries", pool.GetHttp().GetMaxRetries()},
		{"http.maxConcurrentStreams", pool.GetHttp().GetMaxConcurrentStreams()},
	} {
		if limit.value < 0 {
			c.refuse(path+"."+limit.field, "the limit is %d; it must not be below 0", limit.value)
		}
	}
}

// defaultMaxEjectionPercent is Envoy's.
const defaultMaxEjectionPercent = 10

func (c *checker) outlierDetection(path string, o *networking.OutlierDetection) {
	if o.ConsecutiveErrors != 0 { //nolint:staticcheck // the very point
		c.warn(path+".consecutiveErrors", "consecutiveErrors is old, and Istio ignores it; write consecutive5xxErrors or consecutiveGatewayErrors")
	}
	if !o.SplitExternalLocalOriginErrors && o.ConsecutiveLocalOriginFailures.GetValue() > 0 {
		c.refuse(path+".consecutiveLocalOriginFailures", "consecutiveLocalOriginFailures needs splitExternalLocalOriginErrors: true beside it; add that")
	}
	for _, p := range []struct {
		field string
		value int32
	}{{"maxEjectionPercent", o.MaxEjectionPercent}, {"minHealthPercent", o.MinHealthPercent}} {
		if p.value < 0 || p.value > 100 {
			c.refuse(path+"."+p.field, "the percentage is %d; it must be from 0 to 100", p.value)
		}
	}
	percent, by := o.MaxEjectionPercent, ""
	if percent == 0 {
		percent, by = defaultMaxEjectionPercent, " (the default)"
	}
	if percent > 0 && percent < 100 {
		least := int(math.Ceil(100 / float64(percent)))
		c.warn(path+".maxEjectionPercent", "with %d%%%s nothing is ejected from a service of fewer than %d endpoints; 100 lets the last one go too", percent, by, least)
	}
}
