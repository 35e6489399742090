package sidecar

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// The headers that say where a request comes from.
const (
	forwardedFor    = "X-Forwarded-For"
	forwardedProto  = "X-Forwarded-Proto"
	externalAddress = "X-Envoy-External-Address"
)

// ofWorkloads are what the gateway takes away, beside what no workload may say:
// who in the mesh is calling, and what a proxy before it has changed.
var ofWorkloads = []string{"X-Envoy-Downstream-Service-Cluster", "X-Envoy-Downstream-Service-Node", originalPath, originalHost}

// locate finds out where a request comes from, as the connection manager does with
// use_remote_address at the gateway, which trusts no proxy before it
// (numTrustedProxies is 0), and without it in a sidecar.
func (s *stream) locate() {
	h := s.r.Header
	s.from = s.r.RemoteAddr
	if s.proxy.options.Gateway {
		address, _, _ := net.SplitHostPort(s.r.RemoteAddr) // Of a TCP connection: it has a port.
		appendForwardedFor(h, address)
		h.Set(forwardedProto, "http")
		if s.r.TLS != nil {
			h.Set(forwardedProto, "https")
		}
		// Since 1.33 no address is Envoy's own until it is told so.
		h.Set(externalAddress, address)
		for _, name := range ofWorkloads {
			h.Del(name)
		}
		return
	}
	if address, ok := lastForwardedFor(h); ok {
		s.from = net.JoinHostPort(address, "0")
	}
	if h.Get(forwardedProto) == "" {
		h.Set(forwardedProto, "http")
	}
}

// appendForwardedFor adds an address to those that a request has come by.
func appendForwardedFor(h http.Header, address string) {
	if before := joinedValues(h, forwardedFor); before != "" {
		address = before + "," + address
	}
	h.Set(forwardedFor, address)
}

// lastForwardedFor is the last address that a request has come by, if it is one.
func lastForwardedFor(h http.Header) (string, bool) {
	all := joinedValues(h, forwardedFor)
	address, err := netip.ParseAddr(strings.TrimSpace(all[strings.LastIndexByte(all, ',')+1:]))
	return address.String(), err == nil
}

// joinedValues are the values of a header as Envoy holds them, in one.
func joinedValues(h http.Header, name string) string { return strings.Join(h.Values(name), ",") }
