package rules

import (
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// protocols are what a Gateway's port takes, in upper case.
var protocols = []string{"HTTP", "HTTP2", "HTTPS", "GRPC", "GRPC-WEB", "TCP", "TLS", "MONGO", "MYSQL", "REDIS"}

func (c *checker) gateway(gateway *networking.Gateway) {
	if len(gateway.Servers) == 0 {
		c.refuse("spec.servers", "a Gateway has at least one server; add one, with a port and hosts")
	}
	names := map[string]bool{}
	for i, server := range gateway.Servers {
		path := fmt.Sprintf("spec.servers[%d]", i)
		if len(server.Hosts) == 0 {
			c.refuse(path+".hosts", "a server has at least one host; write * for all")
		}
		for j, host := range server.Hosts {
			c.serverHost(fmt.Sprintf("%s.hosts[%d]", path, j), host)
		}
		port := server.Port
		if port == nil {
			c.refuse(path+".port", "the port is missing; give its number, name and protocol")
			continue
		}
		if port.Number != 0 || !strings.HasPrefix(server.Bind, "unix://") {
			c.port(path+".port.number", port.Number)
		}
		switch {
		case port.Name == "":
			c.refuse(path+".port.name", "the port has no name; give it one")
		case names[port.Name]:
			c.refuse(path+".port.name", "the port %s stands twice; give each a name of its own", port.Name)
		}
		names[port.Name] = true
		c.protocol(path, server)
	}
}

// protocol checks that a server's protocol is known, and has TLS settings if it is
// encrypted. Of HTTP Istio takes such as end no encryption, like those that redirect.
func (c *checker) protocol(path string, server *networking.Server) {
	protocol := strings.ToUpper(server.Port.Protocol)
	encrypted := protocol == "HTTPS" || protocol == "TLS"
	tls := server.Tls
	passes := slices.Contains([]string{"HTTP", "HTTP2", "GRPC", "GRPC-WEB"}, protocol) && tls.GetCaCertificates()+tls.GetPrivateKey()+tls.GetServerCertificate() == "" &&
		(tls.GetMode() == networking.ServerTLSSettings_PASSTHROUGH || tls.GetMode() == networking.ServerTLSSettings_AUTO_PASSTHROUGH)
	switch {
	case !slices.Contains(protocols, protocol):
		c.refuse(path+".port.protocol", "%s", unknownWord("", server.Port.Protocol, protocols))
	case encrypted && tls == nil:
		c.refuse(path+".tls", "tls is missing, and the protocol %s needs it; give its mode", protocol)
	case !encrypted && tls != nil && !passes:
		c.refuse(path+".tls", "the protocol %s is not encrypted; leave tls out, or take HTTPS or TLS", protocol)
	}
}
