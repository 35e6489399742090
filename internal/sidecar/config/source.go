package config

import (
	"maps"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

// Proxy is whose configuration is asked for.
type Proxy struct {
	Namespace string
	Labels    map[string]string // of its pod
	Gateway   bool              // it is the ingress gateway
}

// Source is the proxies that a match is for. The zero value is all of them.
type Source struct {
	Labels    map[string]string
	Namespace string // empty: any
}

// sourceOf is that of a match: Istio ignores it beside gateways.
func sourceOf(m *networking.HTTPMatchRequest) Source {
	if len(m.GetGateways()) > 0 {
		return Source{}
	}
	return Source{m.GetSourceLabels(), m.GetSourceNamespace()}
}

func (s Source) takesIn(p Proxy) bool {
	return hasLabels(p.Labels, s.Labels) && (s.Namespace == "" || s.Namespace == p.Namespace)
}

// For returns the configuration as one proxy runs it: without the routes of other
// proxies, and the ingress gateway's with the access log of its own namespace.
func (c *Config) For(p Proxy) *Config {
	own := *c
	if p.Gateway {
		own.AccessLog = c.gatewayLog
	}
	own.HTTP = map[int]*RouteTable{}
	for port, table := range c.HTTP {
		own.HTTP[port] = table.ownedBy(p)
	}
	own.Gateways = slices.Clone(c.Gateways)
	for i, l := range c.Gateways {
		if l.HTTP != nil {
			own.Gateways[i] = &GatewayListener{Port: l.Port, TLS: l.TLS, HTTP: l.HTTP.ownedBy(p)}
		}
	}
	return &own
}

// ownedBy is a table with the routes that are a proxy's. A virtual host with none
// of them has the default ones, as if there were no VirtualService.
func (c *RouteTable) ownedBy(p Proxy) *RouteTable {
	own := &RouteTable{Name: c.Name}
	for _, v := range c.VirtualHosts {
		host := *v
		host.Routes = slices.DeleteFunc(slices.Clone(v.Routes), func(r *Route) bool { return !r.Match.Source.takesIn(p) })
		if len(host.Routes) == 0 {
			host.Routes = v.fallback
		}
		own.VirtualHosts = append(own.VirtualHosts, &host)
	}
	return own
}

// hasLabels says whether all wanted labels are there.
func hasLabels(have, want map[string]string) bool {
	rest := maps.Clone(want)
	maps.DeleteFunc(rest, func(k, v string) bool { got, ok := have[k]; return ok && got == v })
	return len(rest) == 0
}
