package config

import (
	"fmt"
	"slices"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// compileTCP makes the sidecars' listeners for TCP ports.
func (c *compiler) compileTCP() {
	for i := range c.config.Services {
		s := &c.config.Services[i]
		for _, p := range s.Ports {
			if !p.TCP {
				continue
			}
			c.config.TCP = append(c.config.TCP, &TCPListener{Service: s, Port: p.Number, Route: c.serviceTCPRoute(s, p.Number)})
		}
	}
}

func (c *compiler) serviceTCPRoute(s *Service, port int) *TCPRoute {
	for _, vs := range c.virtualServices {
		if !vs.attached(rules.MeshGateway) || !vs.owns(s.Host) {
			continue
		}
		if route := c.tcpRoute(vs, port, rules.MeshGateway); route != nil {
			return route
		}
		break
	}
	return &TCPRoute{Targets: []Target{{Cluster: clusterName(port, "", s.Host), Weight: 100}}}
}

// tcpRoute is the first TCP route of a VirtualService that matches a port of
// the sidecars or of a gateway; nil if none does.
func (c *compiler) tcpRoute(vs virtualService, port int, gateway string) *TCPRoute {
	for i, r := range vs.GetTcp() {
		matches := len(r.GetMatch()) == 0 || slices.ContainsFunc(r.GetMatch(), func(m *networking.L4MatchAttributes) bool {
			return (m.GetPort() == 0 || int(m.GetPort()) == port) &&
				(len(m.GetGateways()) == 0 || named(m.GetGateways(), vs.Namespace, gateway))
		})
		if !matches {
			continue
		}
		var destinations []destination
		for _, d := range r.GetRoute() {
			destinations = append(destinations, destination{d.GetDestination(), d.GetWeight()})
		}
		at := Place{fmt.Sprintf("%s spec.tcp[%d]", vs.Ref, i), c, vs.Ref, port}
		return &TCPRoute{
			Key:     at.Key,
			Source:  istioPath(vs.Ref, "virtual-service"),
			Targets: at.targets(destinations),
		}
	}
	return nil
}
