package rules

import (
	"fmt"

	networking "istio.io/api/networking/v1alpha3"
)

func (c *checker) destinationRule(rule *networking.DestinationRule) {
	if rule.Host == "" {
		c.refuse("spec.host", "the host is missing; name the service that the rule is for")
	}
	c.host("spec.host", rule.Host)
	if rule.TrafficPolicy != nil {
		c.trafficPolicy("spec.trafficPolicy", rule.TrafficPolicy)
	}
	seen := map[string]bool{}
	for i, subset := range rule.Subsets {
		path := fmt.Sprintf("spec.subsets[%d]", i)
		switch {
		case !dnsLabel.MatchString(subset.Name):
			c.refuse(path+".name", "%q is not the name of a subset: it takes letters, digits and -", subset.Name)
		case seen[subset.Name]:
			c.refuse(path+".name", "the subset %s stands twice; give each a name of its own", subset.Name)
		}
		seen[subset.Name] = true
		c.labels(path+".labels", subset.Labels)
		if subset.TrafficPolicy != nil {
			c.trafficPolicy(path+".trafficPolicy", subset.TrafficPolicy)
		}
	}
}

func (c *checker) trafficPolicy(path string, policy *networking.TrafficPolicy) {
	if policy.LoadBalancer == nil && policy.ConnectionPool == nil && policy.OutlierDetection == nil && policy.Tls == nil &&
		len(policy.PortLevelSettings) == 0 && policy.Tunnel == nil && policy.ProxyProtocol == nil && policy.RetryBudget == nil {
		c.refuse(path, "the policy has no field that Istio takes; give it one, or leave it out")
	}
	if policy.Tunnel != nil && policy.ProxyProtocol != nil {
		c.refuse(path+".tunnel", "tunnel cannot stand beside proxyProtocol; take one of them")
	}
	c.policyBlocks(path, policy.ConnectionPool, policy.OutlierDetection)
	for i, port := range policy.PortLevelSettings {
		here := fmt.Sprintf("%s.portLevelSettings[%d]", path, i)
		if port.Port == nil {
			c.refuse(here+".port", "the port is missing; give its number")
		} else {
			c.port(here+".port.number", port.Port.Number)
		}
		c.policyBlocks(here, port.ConnectionPool, port.OutlierDetection)
	}
}

func (c *checker) policyBlocks(path string, pool *networking.ConnectionPoolSettings, outlier *networking.OutlierDetection) {
	if pool != nil {
		c.connectionPool(path+".connectionPool", pool)
	}
	if outlier != nil {
		c.outlierDetection(path+".outlierDetection", outlier)
	}
}

func (c *checker) connectionPool(path string, pool *networking.ConnectionPoolSettings) {
	if pool.Http == nil && pool.Tcp == nil {
		c.refuse(path, "the connection pool has neither tcp nor http; give one of them a limit, or leave the pool out")
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

func (c *checker) outlierDetection(path string, o *networking.OutlierDetection) {
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
}
