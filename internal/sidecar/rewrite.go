package sidecar

import (
	"net/url"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// rewriteFilter changes the path and the host of requests as they go to their
// hosts, which in Envoy the router does.
type rewriteFilter struct{}

// Fields implements HTTPFilter.
func (rewriteFilter) Fields() config.Fields {
	return config.Fields{
		"HTTPRoute":    {"rewrite"},
		"HTTPRewrite":  {"uri", "authority", "uri_regex_rewrite"},
		"RegexRewrite": {"match", "rewrite"},
	}
}

// Check implements HTTPFilter.
func (rewriteFilter) Check(path string, r *networking.HTTPRoute, refuse config.Refuse) {
	config.CheckRewrite(path, r, refuse)
}

// Compile implements HTTPFilter.
func (rewriteFilter) Compile(_ config.Place, r *networking.HTTPRoute) config.RouteFilter {
	w := config.RouteRewrite(r)
	if w == nil {
		return nil
	}
	return &rewrite{w}
}

// rewrite is the filter on one route.
type rewrite struct{ *config.Rewrite }

// originalPath is the header that says what the client asked for.
const originalPath = "X-Envoy-Original-Path"

// decode implements routeFilter.
func (w *rewrite) decode(s *stream) bool {
	if !s.hasCluster() {
		return true
	}
	s.setHost(w.Authority)
	if w.Prefix != "" || w.Pattern != nil {
		path := s.r.URL.RequestURI()
		s.r.Header.Set(originalPath, path)
		s.r.URL = target(w.Path(path, s.route.Match.Path))
	}
	return true
}

// hasCluster says whether the request leads to a cluster that is there. Envoy looks
// for that before it changes anything of a request, so its log has the old host.
func (s *stream) hasCluster() bool { return s.proxy.state.Load().clusters[s.target] != nil }

// setHost gives the request another host, unless that is empty, and says which it
// had.
func (s *stream) setHost(host string) {
	if host != "" {
		s.r.Header.Set(originalHost, s.r.Host)
		s.r.Host = host
	}
}

// target is the URL that a request to a path is written with, byte for byte.
func target(path string) *url.URL {
	if !strings.HasPrefix(path, "//") {
		return &url.URL{Opaque: path}
	}
	// Package url would take what follows for a host.
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return &url.URL{Path: path}
	}
	return u
}

// Dump implements RouteFilter.
func (w *rewrite) Dump(route config.Object) {
	action := route["route"].(config.Object)
	if w.Prefix != "" {
		action["prefix_rewrite"] = w.Prefix
	}
	if w.Pattern != nil {
		action["regex_rewrite"] = config.Object{"pattern": config.Object{"regex": w.Pattern.String()}, "substitution": w.Substitution}
	}
	if w.Authority != "" {
		action["host_rewrite_literal"] = w.Authority
	}
}
