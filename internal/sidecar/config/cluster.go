package config

import (
	"cmp"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/policy"
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
			c.addCluster(s, p, nil, rule, source)
			for _, subset := range rule.GetSubsets() {
				c.addCluster(s, p, subset, rule, source)
			}
		}
	}
}

func (c *compiler) addCluster(s *Service, p Port, subset *networking.Subset, rule *networking.DestinationRule, source string) {
	cluster := &Cluster{
		Name:    clusterName(p.Number, subset.GetName(), s.Host),
		Service: s.Name,
		Host:    s.Host,
		Subset:  subset.GetName(),
		Port:    p.Number,
		TCP:     p.TCP,
		HTTP2:   p.HTTP2,
		Source:  source,
		Policy:  inForce(policy.Merged(rule.GetTrafficPolicy(), subset.GetTrafficPolicy(), uint32(p.Number))),
	}
	for _, e := range p.Endpoints {
		if hasLabels(e.Labels, subset.GetLabels()) {
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

// inForce is what a traffic policy asks of a cluster, with what Istio's mesh-wide
// configuration decides where it is silent.
func inForce(tp *networking.TrafficPolicy) envoy.ClusterPolicy {
	p := policy.Cluster(tp)
	p.ConnectTimeout = cmp.Or(p.ConnectTimeout, DefaultConnectTimeout)
	p.Balancer = cmp.Or(p.Balancer, envoy.LeastRequest)
	return p
}

// balancers are the load balancers that the proxies implement; empty is none
// that is named.
var balancers = []string{"", envoy.LeastRequest, envoy.RoundRobin, envoy.Random, envoy.RingHash}
