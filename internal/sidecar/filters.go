package sidecar

import (
	networking "istio.io/api/networking/v1alpha3"
)

// httpFilters are the filters of the HTTP connection manager, in Envoy's order.
// A request's route is known before the first sees it.
func httpFilters() []HTTPFilter { return []HTTPFilter{faultFilter{}, routerFilter{}} }

// HTTPFilter is a filter of the HTTP connection manager: what of Istio's
// HTTPRoute it carries out. All that there is to a filter stands in its file.
type HTTPFilter interface {
	// Fields are the fields of an HTTPRoute, and of the messages in them, that
	// the filter carries out. Any other that is set is refused.
	Fields() Fields
	// Check refuses the values of these fields that it does not carry out. path
	// is the route's in its object.
	Check(path string, r *networking.HTTPRoute, refuse Refuse)
	// Compile returns what the filter does on a route, nil if that is nothing.
	// key names the route's draws.
	Compile(key string, r *networking.HTTPRoute) RouteFilter
}

// RouteFilter is a filter with what it does on one route.
type RouteFilter interface {
	// Dump writes it into the route as /config_dump shows it.
	Dump(route map[string]any)
}

// routeFilter is a RouteFilter at work.
type routeFilter interface {
	RouteFilter
	// decode sees a request before it goes on to the next filter, and says
	// whether it does; if not, it is answered, or its client has gone.
	decode(s *stream) bool
}
