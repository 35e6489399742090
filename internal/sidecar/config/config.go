// Package config is what Istio's objects compile to: the configuration that every
// proxy of the embedded mesh runs, in Envoy's terms, as istiod makes it of the
// services and the objects. What an HTTP filter makes of a route is the filter's
// to say.
//
// The package may import internal/rules, internal/policy, internal/re2 and, for the
// names and numbers that Envoy's own reader has too, internal/envoy.
package config

import (
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
)

// Config is what every proxy of the mesh runs, compiled from the services and
// the Istio objects. It is never changed: a new one takes its place.
type Config struct {
	Version   string
	Updated   time.Time
	Services  []Service
	AccessLog bool       // every listener writes one
	Clusters  []*Cluster // in the order of the services and their subsets
	ByName    map[string]*Cluster

	HTTP     map[int]*RouteTable // of the sidecars, by service port
	TCP      []*TCPListener      // of the sidecars
	Gateways []*GatewayListener  // of the ingress gateway, by port
	Inbound  map[string]*Inbound // of each workload's own proxy, by the address of its endpoint

	gatewayLog bool // every listener of the ingress gateway writes an access log
}

// Cluster is a service's port, or a subset of it, or what a proxy's own workload
// serves of it.
type Cluster struct {
	Name      string // outbound|9080|v1|ratings.default.svc.cluster.local
	Service   string // short
	Host      string
	Subset    string
	Port      int
	TCP       bool
	HTTP2     bool                // spoken to the endpoints
	Source    string              // the DestinationRule's path in Istio's metadata; empty: none
	Policy    envoy.ClusterPolicy // defaults filled in
	Endpoints []Endpoint
}

// RouteTable is the routes of one listener.
type RouteTable struct {
	Name         string
	VirtualHosts []*VirtualHost
}

// VirtualHost is the routes of the hosts that its domains name.
type VirtualHost struct {
	Name    string
	Domains []string // exact, *.suffix or *
	Routes  []*Route

	fallback []*Route // of a proxy for which none of the routes is
}

// Route is one of Envoy's routes: what it matches, and what is done then.
type Route struct {
	Name    string
	Source  string // the VirtualService's path in Istio's metadata; empty: a default route
	Key     string // names the route's draws; it does not depend on the name
	Match   RouteMatch
	Targets []Target      // none: a filter answers
	Filters []RouteFilter // those that do something, in the order of the chain
}

// Target is a cluster with its part of the traffic.
type Target struct {
	Cluster string
	Weight  uint32
}

// TCPListener is a sidecar's listener for a TCP port of a service.
type TCPListener struct {
	Service *Service
	Port    int
	Route   *TCPRoute
}

// TCPRoute is the clusters among which a connection is drawn.
type TCPRoute struct {
	Key     string
	Source  string
	Targets []Target
}

// GatewayListener is a port of the ingress gateway. One of HTTP and TCP is set.
type GatewayListener struct {
	Port int
	HTTP *RouteTable
	TCP  *TCPRoute
	TLS  *TLS // of HTTP, where it is encrypted; nil: it is not
}

// TLS is how the connections to a port of the gateway are encrypted.
type TLS struct {
	Names      []string // that may be asked for by SNI: exact, *.suffix or *
	Credential string   // the name of the secret with the certificate and its key
	Mutual     bool     // a client has to show a certificate, signed by one of that secret
}

// For says whether the connections of who asks for a name are for it; empty: who asks for none.
func (t *TLS) For(name string) bool {
	return slices.ContainsFunc(t.Names, func(own string) bool { return within(strings.ToLower(name), own) })
}

// clusterName is Istio's name of a service's port, or a subset of it.
func clusterName(port int, subset, host string) string {
	return envoy.ClusterName{Direction: envoy.Outbound, Port: port, Subset: subset, Host: host}.String()
}
