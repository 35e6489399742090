package live

import (
	"context"
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// splits are the TCP routes of a VirtualService. They have no names in Envoy, so
// the clusters and weights themselves are compared.
type splits struct {
	service   *networking.VirtualService
	namespace string
	hosts     []string // fully qualified: the rule's, and its destinations'
	own       []uint32 // the ports for connections of the rule's hosts
	gone      bool     // they must not be there, rather than be there
}

func splitsOf(change rules.Change, services []mesh.Service) *splits {
	o := change.After
	if len(virtualServiceOf(o).GetTcp()) == 0 {
		o = change.Before
	}
	s := &splits{service: virtualServiceOf(o), namespace: o.Namespace, hosts: rules.Hosts(o), gone: o != change.After}
	for _, service := range services {
		if !slices.Contains(s.hosts, service.Host) {
			continue
		}
		for _, port := range service.Ports {
			if port.TCP || port.Either {
				s.own = append(s.own, uint32(port.Number)) //nolint:gosec // a port
			}
		}
	}
	for _, entry := range s.service.Tcp {
		for _, to := range entry.Route {
			s.hosts = append(s.hosts, rules.FQDN(to.GetDestination().GetHost(), s.namespace))
		}
	}
	return s
}

// look asks for the listeners of the ports that the routes match. A gateway's
// listener has the port of the Gateway's server, unless its Kubernetes service
// leads that port to another.
func (s *splits) look() *look {
	var listeners []uint32
	for _, proxy := range []mesh.Proxy{{Gateway: true}, {}} {
		for _, entry := range s.service.Tcp {
			listeners = append(listeners, s.ports(entry, proxy, anyLabels)...)
		}
	}
	return &look{
		needs: needs{listeners: listeners, allListeners: slices.Contains(listeners, anyPort)},
		reaches: func(proxy mesh.Proxy) bool {
			return slices.ContainsFunc(s.service.Tcp, func(entry *networking.TCPRoute) bool { return len(s.ports(entry, proxy, agrees)) > 0 })
		},
		judge: s.judge,
	}
}

func (s *splits) judge(ctx context.Context, v *view) (bool, string, error) {
	concerned := false
	for _, entry := range s.service.Tcp {
		for _, port := range s.ports(entry, v.proxy, agrees) {
			listeners, err := v.listenersOn(ctx, port)
			if err != nil {
				return true, "", err
			}
			here, instead := s.compare(entry, port, listeners, v.proxy)
			concerned = concerned || here
			if instead != "" {
				return true, instead, nil
			}
		}
	}
	return concerned, "", nil
}

// ports returns the ports on which the proxy follows a route, if it has the
// labels that the route asks for.
func (s *splits) ports(entry *networking.TCPRoute, proxy mesh.Proxy, agrees func(map[string]string, mesh.Proxy) bool) []uint32 {
	var ports []uint32
	for _, m := range entry.Match {
		gateways := m.Gateways
		if len(gateways) == 0 {
			gateways = s.service.Gateways
		}
		if bound(gateways, proxy) && (len(m.Gateways) > 0 || agrees(m.SourceLabels, proxy)) {
			ports = append(ports, s.or(m.Port, proxy)...)
		}
	}
	if len(entry.Match) > 0 || !bound(s.service.Gateways, proxy) {
		return ports
	}
	if proxy.Gateway || len(s.own) > 0 {
		ports = s.or(anyPort, proxy)
	} else {
		for _, to := range entry.Route {
			if port := to.GetDestination().GetPort().GetNumber(); !slices.Contains(ports, port) {
				ports = append(ports, port)
			}
		}
	}
	return ports
}

// anyPort stands for each port of a gateway: those of the servers that it is bound
// to, which the rule does not tell.
const anyPort = 0

// or returns a port or, for a sidecar that is given none, those of the rule's
// hosts: a route without a port is in force on each.
func (s *splits) or(port uint32, proxy mesh.Proxy) []uint32 {
	if port == anyPort && !proxy.Gateway && len(s.own) > 0 {
		return s.own
	}
	return []uint32{port}
}

// compare says what the proxy's listeners of a port have instead of the route.
// A sidecar is concerned if one of them is for a host of the rule.
func (s *splits) compare(entry *networking.TCPRoute, port uint32, listeners []envoy.Listener, proxy mesh.Proxy) (bool, string) {
	ours := proxy.Gateway
	var found []string
	same := false
	for _, listener := range listeners {
		for _, clusters := range listener.TCP {
			if (!proxy.Gateway || port == anyPort) && !slices.ContainsFunc(clusters, s.serves) {
				continue
			}
			ours = true
			same = same || s.same(entry.Route, clusters)
			found = append(found, word(clusters))
		}
	}
	where := fmt.Sprintf("port %d", port)
	if port == anyPort {
		where = "one of its ports"
	}
	switch {
	case !ours:
		return false, ""
	case same && s.gone && !s.plain(entry.Route, proxy):
		return true, fmt.Sprintf("%s still leads to %s", where, strings.Join(found, " and "))
	case !same && !s.gone && len(found) == 0 && port == anyPort:
		return true, "it has no listener that leads to " + entry.Route[0].GetDestination().GetHost()
	case !same && !s.gone && len(found) == 0:
		return true, "it has no listener on " + where
	case !same && !s.gone:
		return true, fmt.Sprintf("%s leads to %s", where, strings.Join(found, " and "))
	}
	return true, ""
}

func anyLabels(map[string]string, mesh.Proxy) bool { return true }

// serves says whether a cluster is of a host of the rule.
func (s *splits) serves(to envoy.Weighted) bool {
	name, ok := envoy.ParseClusterName(to.Cluster)
	return ok && slices.Contains(s.hosts, name.Host)
}

// plain says whether a route leads where a sidecar leads without any rule.
func (s *splits) plain(route []*networking.RouteDestination, proxy mesh.Proxy) bool {
	return !proxy.Gateway && len(route) == 1 && route[0].GetDestination().GetSubset() == ""
}

// same compares a route with clusters. Destinations of weight 0 get nothing; a
// sole one gets all, whatever its weight.
func (s *splits) same(route []*networking.RouteDestination, clusters []envoy.Weighted) bool {
	if len(route) > 1 {
		route = slices.DeleteFunc(slices.Clone(route), func(to *networking.RouteDestination) bool { return to.Weight == 0 })
	}
	if len(clusters) > 1 {
		clusters = slices.DeleteFunc(slices.Clone(clusters), func(to envoy.Weighted) bool { return to.Weight == 0 })
	}
	return slices.EqualFunc(route, clusters, func(want *networking.RouteDestination, have envoy.Weighted) bool {
		name, ok := envoy.ParseClusterName(have.Cluster)
		to := want.GetDestination()
		port := to.GetPort().GetNumber()
		return ok && name.Host == rules.FQDN(to.GetHost(), s.namespace) && name.Subset == to.GetSubset() &&
			(port == 0 || int(port) == name.Port) &&
			(len(route) == 1 || uint32(want.Weight) == have.Weight)
	})
}

func word(clusters []envoy.Weighted) string {
	var parts []string
	for _, to := range clusters {
		parts = append(parts, fmt.Sprintf("%s:%d", to.Cluster, to.Weight))
	}
	return "[" + strings.Join(parts, " ") + "]"
}
