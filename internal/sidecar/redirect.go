package sidecar

import (
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// redirectFilter answers with a redirect, which in Envoy the router does.
type redirectFilter struct{}

// Fields implements HTTPFilter.
func (redirectFilter) Fields() config.Fields {
	return config.Fields{
		"HTTPRoute":    {"redirect"},
		"HTTPRedirect": {"uri", "prefix_rewrite", "authority", "scheme", "port", "derive_port", "redirect_code"},
	}
}

// Check implements HTTPFilter.
func (redirectFilter) Check(path string, r *networking.HTTPRoute, refuse config.Refuse) {
	config.CheckRedirect(path, r, refuse)
}

// Compile implements HTTPFilter.
func (redirectFilter) Compile(at config.Place, r *networking.HTTPRoute) config.RouteFilter {
	d := config.RouteRedirect(at, r)
	if d == nil {
		return nil
	}
	return &redirect{d}
}

// redirect is the filter on one route.
type redirect struct{ *config.Redirect }

// decode implements routeFilter.
func (d *redirect) decode(s *stream) bool {
	s.reply(d.Status, "", "", "direct_response")
	s.answer.header.Set("Location", d.Location(s.scheme(), s.r.Host, s.r.URL.RequestURI(), s.route.Match.Path))
	return false
}

// scheme is that of the request's own URL, if it came with a whole one, or else what a
// proxy before this one has told.
func (s *stream) scheme() string {
	asked, _, whole := strings.Cut(s.r.RequestURI, "://")
	if !whole || strings.HasPrefix(asked, "/") {
		asked = s.r.Header.Get(forwardedProto)
	}
	if strings.EqualFold(asked, "https") {
		return "https"
	}
	return "http"
}

// Dump implements RouteFilter: a route either leads to clusters or redirects.
func (d *redirect) Dump(route config.Object) {
	delete(route, "route")
	codes := map[int]string{302: "FOUND", 303: "SEE_OTHER", 307: "TEMPORARY_REDIRECT", 308: "PERMANENT_REDIRECT"}
	o := config.Object{}
	for name, value := range map[string]string{
		"scheme_redirect": d.Scheme, "host_redirect": d.Authority, "path_redirect": d.Path, "prefix_rewrite": d.Prefix, "response_code": codes[d.Status],
	} {
		if value != "" {
			o[name] = value
		}
	}
	if d.Port != 0 {
		o["port_redirect"] = d.Port
	}
	route["redirect"] = o
}
