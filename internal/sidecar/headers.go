package sidecar

import (
	"cmp"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// headersFilter changes the headers of requests and answers. Envoy's router and
// its connection manager do that: of the request as it goes to its hosts, so that
// what a filter before answers is not changed; of every answer of the route, the
// proxy's own too.
type headersFilter struct{}

// Fields implements HTTPFilter.
func (headersFilter) Fields() config.Fields {
	return config.Fields{
		"HTTPRoute":            {"headers"},
		"HTTPRouteDestination": {"headers"},
		"Headers":              {"request", "response"},
		"HeaderOperations":     {"set", "add", "remove"},
	}
}

// Check implements HTTPFilter.
func (headersFilter) Check(path string, r *networking.HTTPRoute, refuse config.Refuse) {
	config.CheckHeaders(path, r, refuse)
}

// Compile implements HTTPFilter.
func (headersFilter) Compile(_ config.Place, r *networking.HTTPRoute) config.RouteFilter {
	h := config.RouteHeaders(r)
	if h == nil {
		return nil
	}
	return &headers{h}
}

// headers is the filter on one route.
type headers struct{ *config.Headers }

// decode implements routeFilter.
func (h *headers) decode(s *stream) bool {
	if !s.hasCluster() {
		return true
	}
	if d := h.Target(s.drawn); d != nil {
		d.Request.Apply(s.r.Header)
		s.r.Host = cmp.Or(d.Authority, s.r.Host)
	}
	h.Route.Request.Apply(s.r.Header)
	s.setHost(h.Route.Authority)
	return true
}

// encode implements encoder.
func (h *headers) encode(s *stream) {
	if d := h.Target(s.drawn); d != nil {
		d.Response.Apply(s.answer.header)
	}
	h.Route.Response.Apply(s.answer.header)
}

// Dump implements RouteFilter.
func (h *headers) Dump(route config.Object) {
	dumpEdits(route, &h.Route)
	action, _ := route["route"].(config.Object)
	if h.Route.Authority != "" {
		action["host_rewrite_literal"] = h.Route.Authority
	}
	weighted, _ := action["weighted_clusters"].(config.Object)
	clusters, _ := weighted["clusters"].([]config.Object)
	for i, cluster := range clusters {
		if h.Destinations == nil {
			break
		}
		dumpEdits(cluster, &h.Destinations[i])
		if a := h.Destinations[i].Authority; a != "" {
			cluster["host_rewrite_literal"] = a
		}
	}
}

func dumpEdits(into config.Object, e *config.HeaderEdits) {
	for of, edit := range map[string]config.HeaderEdit{"request": e.Request, "response": e.Response} {
		var add []any
		for _, h := range edit.Set {
			add = append(add, config.Object{"header": dumpHeader(h), "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"})
		}
		for _, h := range edit.Add {
			add = append(add, config.Object{"header": dumpHeader(h)})
		}
		if len(add) > 0 {
			into[of+"_headers_to_add"] = add
		}
		if len(edit.Remove) > 0 {
			into[of+"_headers_to_remove"] = edit.Remove
		}
	}
}

func dumpHeader(h config.Header) config.Object {
	return config.Object{"key": h.Name, "value": strings.ReplaceAll(h.Value, "%", "%%")}
}
