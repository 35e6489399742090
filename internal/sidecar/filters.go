package sidecar

import (
	"slices"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// httpFilters are the filters of the HTTP connection manager, in Envoy's order.
// A request's route is known before the first sees it. What Envoy's router does
// beside sending a request to a host are filters before it.
func httpFilters() []config.HTTPFilter {
	return []config.HTTPFilter{
		faultFilter{},
		headersFilter{},
		rewriteFilter{},
		retriesFilter{},
		hashFilter{},
		mirrorFilter{},
		redirectFilter{},
		routerFilter{},
	}
}

// routeFilter is a RouteFilter at work on the way in.
type routeFilter interface {
	config.RouteFilter
	// decode sees a request before it goes on to the next filter, and says
	// whether it does; if not, it is answered, or its client has gone.
	decode(s *stream) bool
}

// encoder is a routeFilter that is at work on the way out too.
type encoder interface {
	// encode sees the stream's answer before its head is written: it may change
	// that, and put another reader in place of the body's.
	encode(s *stream)
}

// filter passes the request through the filters of its route until one answers
// it, and the answer back through all of them, the last first: as in Envoy also
// through those that the request did not come to.
func (s *stream) filter() {
	for _, f := range s.route.Filters {
		if !f.(routeFilter).decode(s) {
			break
		}
	}
	if s.answer.status == 0 {
		return
	}
	for _, f := range slices.Backward(s.route.Filters) {
		if e, ok := f.(encoder); ok {
			e.encode(s)
		}
	}
}

// Compile is config.Compile for what this package's proxies implement.
func Compile(mesh config.Mesh, objects []*rules.Object) (*config.Config, error) {
	return config.Compile(mesh, objects, httpFilters())
}
