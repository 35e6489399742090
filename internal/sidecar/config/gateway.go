package config

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
	for _, l := range c.config.Gateways {
		if l.HTTP != nil && len(l.HTTP.VirtualHosts) == 0 {
			// As Istio has it where no VirtualService is attached.
			l.HTTP.VirtualHosts = []*VirtualHost{{Name: fmt.Sprintf("blackhole:%d", l.Port), Domains: []string{"*"}}}
		}
	}
	slices.SortFunc(c.config.Gateways, byPort)
	return nil
}

func byPort(a, b *GatewayListener) int { return cmp.Compare(a.Port, b.Port) }

func (c *compiler) addServer(g gateway, index int, server *networking.Server) error {
	port := int(server.GetPort().GetNumber())
	tcp, tls := strings.EqualFold(server.GetPort().GetProtocol(), "TCP"), tlsOf(server)
	at := slices.IndexFunc(c.config.Gateways, func(l *GatewayListener) bool { return l.Port == port })
	if at >= 0 && (tls != nil || c.config.Gateways[at].TLS != nil) {
		return fmt.Errorf("reading %s: spec.servers[%d].port %d: the embedded mesh has one server on a port with TLS; use another port, or run with --mesh istio", g.Ref, index, port)
	}
	if at >= 0 && (c.config.Gateways[at].TCP != nil) != tcp {
		return fmt.Errorf("reading %s: spec.servers[%d].port %d is %s here and another protocol in another server; use one", g.Ref, index, port, server.GetPort().GetProtocol())
	}
	if tcp {
		c.addTCPServer(g, port, at, server)
		return nil
	}
	if at < 0 {
		at = len(c.config.Gateways)
		name := fmt.Sprintf("http.%d", port)
		if tls != nil {
			name = fmt.Sprintf("https.%d.%s.%s.%s", port, server.GetPort().GetName(), g.Name, g.Namespace)
		}
		c.config.Gateways = append(c.config.Gateways, &GatewayListener{Port: port, TLS: tls, HTTP: &RouteTable{Name: name}})
	}
	return c.addHTTPServer(g, c.config.Gateways[at], server)
}

// tlsOf is how a server encrypts; nil: it does not.
func tlsOf(server *networking.Server) *TLS {
	if !strings.EqualFold(server.GetPort().GetProtocol(), "HTTPS") {
		return nil
	}
	of := &TLS{Credential: server.GetTls().GetCredentialName(), Mutual: server.GetTls().GetMode() == networking.ServerTLSSettings_MUTUAL}
	for _, host := range server.GetHosts() {
		if _, name, qualified := strings.Cut(host, "/"); qualified { // namespace/host
			host = name
		}
		of.Names = append(of.Names, strings.ToLower(host))
	}
	return of
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
			c.config.Gateways = append(c.config.Gateways, &GatewayListener{Port: port, TCP: route})
			return
		}
	}
}

// addHTTPServer adds the virtual hosts of the VirtualServices that are
// attached. At a gateway those of one host are merged, in their order.
func (c *compiler) addHTTPServer(g gateway, l *GatewayListener, server *networking.Server) error {
	for _, vs := range c.virtualServices {
		if !vs.attached(g.Namespace + "/" + g.Name) {
			continue
		}
		for _, host := range served(server.GetHosts(), vs) {
			routes, err := c.routes(vs, l.Port, g.Namespace+"/"+g.Name)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("%s:%d", host, l.Port)
			at := slices.IndexFunc(l.HTTP.VirtualHosts, func(v *VirtualHost) bool { return v.Name == name })
			if at < 0 {
				l.HTTP.VirtualHosts = append(l.HTTP.VirtualHosts, &VirtualHost{Name: name, Domains: []string{host}, Routes: routes})
				continue
			}
			l.HTTP.VirtualHosts[at].Routes = append(l.HTTP.VirtualHosts[at].Routes, routes...)
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
