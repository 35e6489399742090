package config

import (
	"net"
	"strconv"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/policy"
)

// Inbound is what the proxy of a workload has for what comes to one of its ports.
type Inbound struct {
	Cluster *Cluster // inbound|9080||, with the workload's own endpoint
	Route   *Route   // of every request; nil: the port is opaque TCP
	Port    int      // of the endpoint, as clients know it
}

// compileInbound makes the inbound side of every endpoint. Of the service's
// DestinationRule it has the connection pool, and nothing else; of a subset's
// nothing at all (pilot/pkg/networking/core, buildInboundCluster).
func (c *compiler) compileInbound() {
	for i := range c.config.Services {
		s := &c.config.Services[i]
		rule, source := c.destinationRule(s)
		for _, p := range s.Ports {
			pool := policy.Merged(rule.GetTrafficPolicy(), nil, uint32(p.Number)).GetConnectionPool()
			limits := inForce(&networking.TrafficPolicy{ConnectionPool: pool})
			limits.Balancer = envoy.ClusterProvided
			for _, e := range p.Endpoints {
				cluster := &Cluster{Service: s.Name, Host: s.Host, TCP: p.TCP, HTTP2: p.HTTP2, Policy: limits}
				if rule.GetTrafficPolicy() != nil {
					cluster.Source = source
				}
				c.addInbound(e, p, cluster)
			}
		}
	}
}

func (c *compiler) addInbound(e Endpoint, p Port, cluster *Cluster) {
	_, text, _ := net.SplitHostPort(e.Address)
	port, err := strconv.Atoi(text)
	if err != nil {
		return // It is only asked what would be compiled, and nothing listens.
	}
	e.MutualTLS = false // The workload is behind its own proxy.
	cluster.Name = envoy.ClusterName{Direction: envoy.Inbound, Port: port}.String()
	cluster.Port, cluster.Endpoints = port, []Endpoint{e}
	in := &Inbound{Cluster: cluster, Port: port}
	if !p.TCP {
		in.Route = &Route{
			Name:    "default",
			Match:   everything(),
			Targets: []Target{{Cluster: cluster.Name, Weight: 100}},
			Filters: c.routeFilters(Place{compiler: c, port: p.Number}, inboundRoute()),
		}
	}
	c.config.Inbound[e.Address] = in
}

// inboundRoute has the retries that Istio gives a route to the workload itself:
// only of what the workload has seen nothing of.
func inboundRoute() *networking.HTTPRoute {
	return &networking.HTTPRoute{Retries: &networking.HTTPRetry{Attempts: 2, RetryOn: "reset-before-request"}}
}
