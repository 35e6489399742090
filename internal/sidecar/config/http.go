package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// compileHTTP makes the routes of the sidecars' HTTP listeners.
func (c *compiler) compileHTTP() error {
	for _, port := range c.httpPorts() {
		table := &RouteTable{Name: fmt.Sprint(port)}
		for i := range c.config.Services {
			s := &c.config.Services[i]
			if p := s.Port(port); p == nil || p.TCP {
				continue
			}
			routes, err := c.serviceRoutes(s, port)
			if err != nil {
				return err
			}
			table.VirtualHosts = append(table.VirtualHosts, &VirtualHost{
				Name:    fmt.Sprintf("%s:%d", s.Host, port),
				Domains: s.Domains(),
				Routes:  routes,

				fallback: c.defaultRoutes(s, port),
			})
		}
		c.config.HTTP[port] = table
	}
	return nil
}

// httpPorts are the numbers of all HTTP ports of the services, ascending.
func (c *compiler) httpPorts() []int {
	var ports []int
	for _, s := range c.config.Services {
		for _, p := range s.Ports {
			if !p.TCP {
				ports = append(ports, p.Number)
			}
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// serviceRoutes are the routes of the VirtualService that owns a service in
// the sidecars: the first that was created. Where it has no route for this
// port, as where there is none, traffic goes to the service itself.
func (c *compiler) serviceRoutes(s *Service, port int) ([]*Route, error) {
	for _, vs := range c.virtualServices {
		if !vs.attached(rules.MeshGateway) || !vs.owns(s.Host) {
			continue
		}
		routes, err := c.routes(vs, port, rules.MeshGateway)
		if err != nil || len(routes) > 0 {
			return routes, err
		}
		break
	}
	return c.defaultRoutes(s, port), nil
}

// defaultRoutes lead to a service itself.
func (c *compiler) defaultRoutes(s *Service, port int) []*Route {
	itself := &networking.HTTPRoute{Route: []*networking.HTTPRouteDestination{{Destination: &networking.Destination{
		Host: s.Host, Port: &networking.PortSelector{Number: uint32(port)},
	}}}}
	return []*Route{{
		Name:    "default",
		Match:   everything(),
		Targets: []Target{{Cluster: clusterName(port, "", s.Host), Weight: 100}},
		Filters: c.routeFilters(Place{compiler: c, port: port}, itself),
	}}
}

// attached says whether a VirtualService applies to the sidecars, or to a
// gateway namespace/name.
func (vs virtualService) attached(gateway string) bool {
	if len(vs.GetGateways()) == 0 {
		return gateway == rules.MeshGateway
	}
	return named(vs.GetGateways(), vs.Namespace, gateway)
}

// named says whether a list of gateways, as objects of a namespace write them,
// has the gateway.
func named(gateways []string, namespace, gateway string) bool {
	return slices.ContainsFunc(gateways, func(g string) bool { return rules.GatewayName(g, namespace) == gateway })
}

func (vs virtualService) owns(host string) bool {
	return slices.ContainsFunc(vs.GetHosts(), func(h string) bool { return rules.FQDN(h, vs.Namespace) == host })
}

// routes are a VirtualService's routes for one port of the sidecars or of a
// gateway, one for each match. Istio stops at a route that matches everything.
func (c *compiler) routes(vs virtualService, port int, gateway string) ([]*Route, error) {
	var routes []*Route
	for i, r := range vs.GetHttp() {
		path := fmt.Sprintf("spec.http[%d]", i)
		base := c.route(vs, path, port, r)
		if len(r.GetMatch()) == 0 {
			base.Match = everything()
			return append(routes, base), nil
		}
		for j, m := range r.GetMatch() {
			if m.GetPort() != 0 && int(m.GetPort()) != port || len(m.GetGateways()) > 0 && !named(m.GetGateways(), vs.Namespace, gateway) {
				continue
			}
			one := *base
			var err error
			if one.Match, err = newRouteMatch(vs.Ref, fmt.Sprintf("%s.match[%d]", path, j), m); err != nil {
				return nil, err
			}
			if m.GetName() != "" {
				one.Name += "." + m.GetName()
			}
			routes = append(routes, &one)
		}
	}
	return routes, nil
}

// route is an HTTP route without its match.
func (c *compiler) route(vs virtualService, path string, port int, r *networking.HTTPRoute) *Route {
	var destinations []destination
	for _, d := range r.GetRoute() {
		destinations = append(destinations, destination{d.GetDestination(), d.GetWeight()})
	}
	at := Place{vs.Ref.String() + " " + path, c, vs.Ref, port}
	return &Route{
		Name:    r.GetName(),
		Source:  istioPath(vs.Ref, "virtual-service"),
		Key:     at.Key,
		Targets: at.targets(destinations),
		Filters: c.routeFilters(at, r),
	}
}

// routeFilters are the filters of a route that do something.
func (c *compiler) routeFilters(at Place, r *networking.HTTPRoute) []RouteFilter {
	var filters []RouteFilter
	for _, f := range c.filters {
		if one := f.Compile(at, r); one != nil {
			filters = append(filters, one)
		}
	}
	return filters
}

func newRouteMatch(ref rules.Ref, path string, m *networking.HTTPMatchRequest) (RouteMatch, error) {
	out := everything()
	out.Source = sourceOf(m)
	var err error
	if m.GetUri() != nil {
		if out.Path, err = newStringMatch(m.GetUri()); err != nil {
			return out, fmt.Errorf("reading %s: %s.uri: %w", ref, path, err)
		}
		// The case is ignored only in exact and prefix matches.
		out.Path.IgnoreCase = m.GetIgnoreUriCase() && out.Path.Kind != MatchRegex
	}
	add := func(name, at string, s *networking.StringMatch, invert bool) {
		match, e := newStringMatch(s)
		if e != nil {
			err = errors.Join(err, fmt.Errorf("reading %s: %s.%s: %w", ref, path, at, e))
		}
		out.Headers = append(out.Headers, HeaderMatch{StringMatch: match, Name: name, Invert: invert})
	}
	if m.GetMethod() != nil {
		add(":method", "method", m.GetMethod(), false)
	}
	if m.GetAuthority() != nil {
		add(":authority", "authority", m.GetAuthority(), false)
	}
	for _, name := range slices.Sorted(maps.Keys(m.GetHeaders())) {
		add(strings.ToLower(name), "headers["+name+"]", m.GetHeaders()[name], false)
	}
	for _, name := range slices.Sorted(maps.Keys(m.GetWithoutHeaders())) {
		add(strings.ToLower(name), "withoutHeaders["+name+"]", m.GetWithoutHeaders()[name], true)
	}
	return out, err
}
