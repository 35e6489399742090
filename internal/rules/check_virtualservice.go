package rules

import (
	"fmt"
	"net/netip"

	networking "istio.io/api/networking/v1alpha3"
)

func (c *checker) virtualService(vs *networking.VirtualService) {
	if len(vs.Hosts) == 0 && (len(vs.Gateways) > 0 || len(vs.Tcp) > 0 || len(vs.Tls) > 0) {
		c.refuse("spec.hosts", "the hosts are missing; name them (only a delegate has none, and then no gateways, tcp or tls either)")
	}
	c.hosts(vs)
	c.gateways("spec.gateways", vs.Gateways)
	if len(vs.Http)+len(vs.Tcp)+len(vs.Tls) == 0 {
		c.refuse("spec", "it has none of http, tcp and tls; add a route")
	}
	for i, entry := range vs.Http {
		path := fmt.Sprintf("spec.http[%d]", i)
		c.httpRoute(path, entry)
		for j, match := range entry.Match {
			c.httpMatch(fmt.Sprintf("%s.match[%d]", path, j), match, inSidecars(vs))
		}
	}
	for i, entry := range vs.Tcp {
		path := fmt.Sprintf("spec.tcp[%d]", i)
		for j, match := range entry.Match {
			here := fmt.Sprintf("%s.match[%d]", path, j)
			if match.Port != 0 {
				c.port(here+".port", match.Port)
			}
			c.gateways(here+".gateways", match.Gateways)
			c.labels(here+".sourceLabels", match.SourceLabels)
		}
		c.routes(path, entry.Route)
	}
	for i, entry := range vs.Tls {
		path := fmt.Sprintf("spec.tls[%d]", i)
		if len(entry.Match) == 0 {
			c.refuse(path+".match", "a tls entry has at least one match; give it one, with sniHosts")
		}
		for j, match := range entry.Match {
			if len(match.SniHosts) == 0 {
				c.refuse(fmt.Sprintf("%s.match[%d].sniHosts", path, j), "the match has no sniHosts; name at least one")
			}
		}
		c.routes(path, entry.Route)
	}
}

// hosts checks for whom a VirtualService is.
func (c *checker) hosts(vs *networking.VirtualService) {
	for i, host := range vs.Hosts {
		path := fmt.Sprintf("spec.hosts[%d]", i)
		_, notAddress := netip.ParseAddr(host)
		switch {
		case host == "":
			c.refuse(path, "the host is empty; name a service")
		case host == "*" && inSidecars(vs):
			c.refuse(path, "the host * is for gateways alone; name the hosts that sidecars shall follow it for")
		case notAddress != nil:
			c.host(path, host)
		}
		for _, before := range vs.Hosts[:i] {
			if Overlap(before, host) {
				c.refuse(path, "the host %s is among %s, which stands before it; leave one of them out", host, before)
			}
		}
	}
}

// routes checks the destinations of a tcp or tls entry.
func (c *checker) routes(path string, routes []*networking.RouteDestination) {
	if len(routes) == 0 {
		c.refuse(path+".route", "the route is missing; name at least one destination")
	}
	weights := make([]int32, len(routes))
	for i, route := range routes {
		c.destination(fmt.Sprintf("%s.route[%d].destination", path, i), route.Destination)
		weights[i] = route.Weight
	}
	c.weights(path+".route", weights)
}

func (c *checker) httpRoute(path string, entry *networking.HTTPRoute) {
	c.conflicts(path, entry)
	c.headerOperations(path+".headers", entry.Headers)
	weights := make([]int32, len(entry.Route))
	for i, route := range entry.Route {
		c.destination(fmt.Sprintf("%s.route[%d].destination", path, i), route.Destination)
		c.headerOperations(fmt.Sprintf("%s.route[%d].headers", path, i), route.Headers)
		weights[i] = route.Weight
	}
	c.weights(path+".route", weights)
	if r := entry.DirectResponse; r != nil && (r.Status < 200 || r.Status > 600) {
		c.refuse(path+".directResponse.status", "%d is not an HTTP status; it must be from 200 to 599", r.Status)
	}
	if r := entry.Redirect; r != nil && r.RedirectCode != 0 && (r.RedirectCode < 300 || r.RedirectCode > 399) {
		c.refuse(path+".redirect.redirectCode", "%d does not redirect; it must be from 300 to 399", r.RedirectCode)
	}
	c.mirrors(path, entry)
	if entry.Fault != nil {
		c.fault(path, entry)
	}
	if entry.Retries != nil {
		c.retries(path, entry)
	}
}

// conflicts checks that an entry does one thing with its requests.
func (c *checker) conflicts(path string, entry *networking.HTTPRoute) {
	set := map[string]bool{
		"route":          len(entry.Route) > 0,
		"redirect":       entry.Redirect != nil,
		"directResponse": entry.DirectResponse != nil,
		"delegate":       entry.Delegate != nil,
		"fault":          entry.Fault != nil,
		"rewrite":        entry.Rewrite != nil,
		"mirror":         entry.Mirror != nil,
		"mirrors":        len(entry.Mirrors) > 0,
	}
	for _, pair := range [][2]string{
		{"route", "redirect"}, {"route", "directResponse"}, {"route", "delegate"},
		{"redirect", "directResponse"}, {"redirect", "delegate"},
		{"fault", "redirect"}, {"fault", "directResponse"},
		{"rewrite", "redirect"}, {"rewrite", "directResponse"}, {"mirror", "mirrors"},
	} {
		if set[pair[0]] && set[pair[1]] {
			c.refuse(at(path, pair[0]), "%s cannot stand beside %s; take one of them", pair[0], pair[1])
		}
	}
	if !set["route"] && !set["redirect"] && !set["directResponse"] && !set["delegate"] {
		c.refuse(path, "it has none of route, redirect, directResponse and delegate; say where the requests go")
	}
}

func (c *checker) mirrors(path string, entry *networking.HTTPRoute) {
	if entry.Mirror != nil {
		c.destination(path+".mirror", entry.Mirror)
	}
	for i, mirror := range entry.Mirrors {
		here := fmt.Sprintf("%s.mirrors[%d]", path, i)
		c.destination(here+".destination", mirror.Destination)
		c.mirrored(here+".percentage", mirror.Percentage)
	}
	c.mirrored(path+".mirrorPercentage", entry.MirrorPercentage)
	if percent := entry.MirrorPercent.GetValue(); percent > 100 { //nolint:staticcheck // Istio still reads it
		c.refuse(path+".mirrorPercent", "the percentage is %d; it must be from 0 to 100", percent)
	}
}

func (c *checker) mirrored(path string, percent *networking.Percent) {
	if v := percent.GetValue(); v < 0 || v > 100 {
		c.refuse(path, "the percentage is %v; it must be from 0 to 100", v)
	}
}
