package sidecar

import (
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
)

// Config is what every proxy of the mesh runs, compiled from the services and
// the Istio objects. It is never changed: a new one takes its place.
type Config struct {
	version   string
	updated   time.Time
	services  []Service
	accessLog bool             // every outbound listener writes one
	clusters  []*clusterConfig // in the order of the services and their subsets
	byName    map[string]*clusterConfig

	http     map[int]*routeConfig // of the sidecars, by service port
	tcp      []*tcpListener       // of the sidecars
	gateways []*gatewayListener   // of the ingress gateway, by port
}

// clusterConfig is a service's port, or a subset of it.
type clusterConfig struct {
	name      string // outbound|9080|v1|ratings.default.svc.cluster.local
	service   string // short
	host      string
	subset    string
	port      int
	tcp       bool
	source    string // the DestinationRule's path in Istio's metadata; empty: none
	policy    policy
	endpoints []Endpoint
}

// policy is a traffic policy, defaults filled in.
type policy struct {
	lb                       string // Envoy's lb_policy
	connectTimeout           time.Duration
	maxConnections           uint32
	maxPendingRequests       uint32
	maxRequests              uint32
	maxRetries               uint32
	maxRequestsPerConnection uint32         // 0: no limit
	outlier                  *outlierConfig // nil: none
	panicThreshold           int            // percent of healthy hosts below which all are used
}

// routeConfig is the routes of one listener.
type routeConfig struct {
	name         string
	virtualHosts []*virtualHost
}

// virtualHost is the routes of the hosts that its domains name.
type virtualHost struct {
	name    string
	domains []string // exact, *.suffix or *
	routes  []*route
}

// route is one of Envoy's routes: what it matches, and what is done then.
type route struct {
	name    string
	source  string // the VirtualService's path in Istio's metadata; empty: a default route
	key     string // names the route's draws; it does not depend on the name
	match   routeMatch
	targets []target
	filters []RouteFilter // those that do something, in the order of the chain
}

// target is a cluster with its part of the traffic.
type target struct {
	cluster string
	weight  uint32
}

// tcpListener is a sidecar's listener for a TCP port of a service.
type tcpListener struct {
	service *Service
	port    int
	route   *tcpRoute
}

// tcpRoute is the clusters among which a connection is drawn.
type tcpRoute struct {
	key     string
	source  string
	targets []target
}

// gatewayListener is a port of the ingress gateway. One of http and tcp is set.
type gatewayListener struct {
	port int
	http *routeConfig
	tcp  *tcpRoute
}

// clusterName is Istio's name of a service's port, or a subset of it.
func clusterName(port int, subset, host string) string {
	return envoy.ClusterName{Direction: envoy.Outbound, Port: port, Subset: subset, Host: host}.String()
}

// pick draws one of the targets by its weight. A sole target needs no draw.
func pick(d *draws, key string, targets []target) string {
	if len(targets) == 1 {
		return targets[0].cluster
	}
	var total uint64
	for _, t := range targets {
		total += uint64(t.weight)
	}
	at := d.below(key+" weights", total)
	for _, t := range targets {
		if at < uint64(t.weight) {
			return t.cluster
		}
		at -= uint64(t.weight)
	}
	return targets[len(targets)-1].cluster
}
