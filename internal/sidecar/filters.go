package sidecar

import (
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// httpFilters are the filters of the HTTP connection manager, in Envoy's order.
// A request's route is known before the first sees it.
func httpFilters() []config.HTTPFilter { return []config.HTTPFilter{faultFilter{}, routerFilter{}} }

// routeFilter is a RouteFilter at work.
type routeFilter interface {
	config.RouteFilter
	// decode sees a request before it goes on to the next filter, and says
	// whether it does; if not, it is answered, or its client has gone.
	decode(s *stream) bool
}

// Compile is config.Compile for what this package's proxies implement.
func Compile(mesh config.Mesh, objects []*rules.Object) (*config.Config, error) {
	return config.Compile(mesh, objects, httpFilters())
}
