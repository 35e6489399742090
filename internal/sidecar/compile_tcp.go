package sidecar

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// compileTCP makes the sidecars' listeners for TCP ports.
func (c *compiler) compileTCP() error {
	for i := range c.config.services {
		s := &c.config.services[i]
		for _, p := range s.Ports {
			if !p.TCP {
				continue
			}
			route, err := c.serviceTCPRoute(s, p.Number)
			if err != nil {
				return err
			}
			c.config.tcp = append(c.config.tcp, &tcpListener{service: s, port: p.Number, route: route})
		}
	}
	return nil
}

func (c *compiler) serviceTCPRoute(s *Service, port int) (*tcpRoute, error) {
	for _, vs := range c.virtualServices {
		if !vs.attached(meshGateway) || !vs.owns(s.Host) {
			continue
		}
		route, err := c.tcpRoute(vs, port, meshGateway)
		if err != nil || route != nil {
			return route, err
		}
		break
	}
	return &tcpRoute{targets: []target{{cluster: clusterName(port, "", s.Host), weight: 100}}}, nil
}

// tcpRoute is the first TCP route of a VirtualService that matches a port of
// the sidecars or of a gateway; nil if none does.
func (c *compiler) tcpRoute(vs virtualService, port int, gateway string) (*tcpRoute, error) {
	for i, r := range vs.GetTcp() {
		matches := len(r.GetMatch()) == 0 || slices.ContainsFunc(r.GetMatch(), func(m *networking.L4MatchAttributes) bool {
			return (m.GetPort() == 0 || int(m.GetPort()) == port) &&
				(len(m.GetGateways()) == 0 || named(m.GetGateways(), vs.Namespace, gateway))
		})
		path := fmt.Sprintf("spec.tcp[%d]", i)
		var destinations []destination
		for _, d := range r.GetRoute() {
			destinations = append(destinations, destination{d.GetDestination(), d.GetWeight()})
		}
		targets, err := c.targets(vs.Ref, path, port, destinations)
		if err != nil {
			return nil, err
		}
		if matches {
			return &tcpRoute{key: vs.Ref.String() + " " + path, source: istioPath(vs.Ref, "virtual-service"), targets: targets}, nil
		}
	}
	return nil, nil
}

// compileGateways makes the listeners of the ingress gateway. A TCP port to
// which no VirtualService leads has none, as in Istio.
func (c *compiler) compileGateways() error {
	for _, g := range c.gateways {
		if err := g.check(); err != nil {
			return err
		}
		for i, server := range g.GetServers() {
			if err := c.addServer(g, i, server); err != nil {
				return err
			}
		}
	}
	for _, l := range c.config.gateways {
		if l.http != nil && len(l.http.virtualHosts) == 0 {
			// As Istio has it where no VirtualService is attached.
			l.http.virtualHosts = []*virtualHost{{name: fmt.Sprintf("blackhole:%d", l.port), domains: []string{"*"}}}
		}
	}
	slices.SortFunc(c.config.gateways, byPort)
	return nil
}

func (g gateway) check() error {
	var errs []error
	if len(g.GetSelector()) != 1 || g.GetSelector()["istio"] != "ingressgateway" {
		errs = append(errs, &UnsupportedError{Object: g.Ref, Path: "spec.selector",
			Reason: "no gateway of the embedded mesh has these labels; write {istio: ingressgateway}"})
	}
	for i, s := range g.GetServers() {
		path := fmt.Sprintf("spec.servers[%d]", i)
		if protocol := s.GetPort().GetProtocol(); !strings.EqualFold(protocol, "HTTP") && !strings.EqualFold(protocol, "TCP") {
			errs = append(errs, &UnsupportedError{Object: g.Ref, Path: path + ".port.protocol",
				Reason: fmt.Sprintf("the embedded mesh does not implement %q; use HTTP or TCP, or run with --mesh istio", protocol)})
		}
		if n := s.GetPort().GetNumber(); n < 1 || n > 65535 {
			errs = append(errs, fmt.Errorf("reading %s: %s.port.number is %d; it must be 1 to 65535", g.Ref, path, n))
		}
		if len(s.GetHosts()) == 0 {
			errs = append(errs, fmt.Errorf(`reading %s: %s.hosts is empty; write ["*"] for all`, g.Ref, path))
		}
	}
	return errors.Join(errs...)
}

func (c *compiler) addServer(g gateway, index int, server *networking.Server) error {
	port := int(server.GetPort().GetNumber())
	tcp := strings.EqualFold(server.GetPort().GetProtocol(), "TCP")
	at := slices.IndexFunc(c.config.gateways, func(l *gatewayListener) bool { return l.port == port })
	if at >= 0 && (c.config.gateways[at].tcp != nil) != tcp {
		return fmt.Errorf("reading %s: spec.servers[%d].port %d is %s here and another protocol in another server; use one", g.Ref, index, port, server.GetPort().GetProtocol())
	}
	if tcp {
		return c.addTCPServer(g, port, at, server)
	}
	if at < 0 {
		at = len(c.config.gateways)
		c.config.gateways = append(c.config.gateways, &gatewayListener{port: port, http: &routeConfig{name: fmt.Sprintf("http.%d", port)}})
	}
	return c.addHTTPServer(g, c.config.gateways[at], server)
}

func (c *compiler) addTCPServer(g gateway, port, at int, server *networking.Server) error {
	if at >= 0 {
		return nil // The first filter chain takes every connection.
	}
	for _, vs := range c.virtualServices {
		if !vs.attached(g.Namespace+"/"+g.Name) || len(served(server.GetHosts(), vs)) == 0 {
			continue
		}
		route, err := c.tcpRoute(vs, port, g.Namespace+"/"+g.Name)
		if err != nil {
			return err
		}
		if route != nil {
			c.config.gateways = append(c.config.gateways, &gatewayListener{port: port, tcp: route})
			return nil
		}
	}
	return nil
}

// addHTTPServer adds the virtual hosts of the VirtualServices that are
// attached. At a gateway those of one host are merged, in their order.
func (c *compiler) addHTTPServer(g gateway, l *gatewayListener, server *networking.Server) error {
	for _, vs := range c.virtualServices {
		if !vs.attached(g.Namespace + "/" + g.Name) {
			continue
		}
		for _, host := range served(server.GetHosts(), vs) {
			routes, err := c.routes(vs, l.port, g.Namespace+"/"+g.Name)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("%s:%d", host, l.port)
			at := slices.IndexFunc(l.http.virtualHosts, func(v *virtualHost) bool { return v.name == name })
			if at < 0 {
				l.http.virtualHosts = append(l.http.virtualHosts, &virtualHost{name: name, domains: []string{host}, routes: routes})
				continue
			}
			l.http.virtualHosts[at].routes = append(l.http.virtualHosts[at].routes, routes...)
		}
	}
	return nil
}

// served are the hosts of a VirtualService that a server's hosts take in; of
// two wildcards, the narrower.
func served(server []string, vs virtualService) []string {
	var hosts []string
	for _, h := range vs.GetHosts() {
		host := qualify(h, vs.Namespace)
		for _, s := range server {
			if _, after, ok := strings.Cut(s, "/"); ok {
				s = after
			}
			switch {
			case within(host, s):
				hosts = append(hosts, host)
			case within(s, host):
				hosts = append(hosts, s)
			}
		}
	}
	return slices.Compact(hosts)
}

// within says whether a host, or every host of a wildcard, is one of the
// other's.
func within(host, wildcard string) bool {
	suffix, wild := strings.CutPrefix(wildcard, "*")
	return host == wildcard || wild && strings.HasSuffix(host, suffix)
}
