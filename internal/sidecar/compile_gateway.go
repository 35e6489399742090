package sidecar

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// compileGateways makes the listeners of the ingress gateway. A TCP port to
// which no VirtualService leads has none, as in Istio.
func (c *compiler) compileGateways() error {
	for _, g := range c.gateways {
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

func byPort(a, b *gatewayListener) int { return cmp.Compare(a.port, b.port) }

func (c *compiler) addServer(g gateway, index int, server *networking.Server) error {
	port := int(server.GetPort().GetNumber())
	tcp := strings.EqualFold(server.GetPort().GetProtocol(), "TCP")
	at := slices.IndexFunc(c.config.gateways, func(l *gatewayListener) bool { return l.port == port })
	if at >= 0 && (c.config.gateways[at].tcp != nil) != tcp {
		return fmt.Errorf("reading %s: spec.servers[%d].port %d is %s here and another protocol in another server; use one", g.Ref, index, port, server.GetPort().GetProtocol())
	}
	if tcp {
		c.addTCPServer(g, port, at, server)
		return nil
	}
	if at < 0 {
		at = len(c.config.gateways)
		c.config.gateways = append(c.config.gateways, &gatewayListener{port: port, http: &routeConfig{name: fmt.Sprintf("http.%d", port)}})
	}
	return c.addHTTPServer(g, c.config.gateways[at], server)
}

func (c *compiler) addTCPServer(g gateway, port, at int, server *networking.Server) {
	if at >= 0 {
		return // The first filter chain takes every connection.
	}
	for _, vs := range c.virtualServices {
		if !vs.attached(g.Namespace+"/"+g.Name) || len(served(server.GetHosts(), vs)) == 0 {
			continue
		}
		if route := c.tcpRoute(vs, port, g.Namespace+"/"+g.Name); route != nil {
			c.config.gateways = append(c.config.gateways, &gatewayListener{port: port, tcp: route})
			return
		}
	}
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
		host := rules.FQDN(h, vs.Namespace)
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
