package admin

import (
	"cmp"
	"net/http"

	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

func dumpRoutes(now sidecar.Snapshot, gateway bool) []dumped {
	var all []dumped
	add := func(table *config.RouteTable) {
		element := config.Object{
			"@type":        adminType + "RoutesConfigDump.DynamicRouteConfig",
			"version_info": now.Config.Version,
			"route_config": dumpRouteTable(table, gateway),
			"last_updated": lastUpdated(now.Config.Updated),
		}
		all = append(all, dumped{table.Name, element})
	}
	if gateway {
		for _, g := range now.Config.Gateways {
			if g.HTTP != nil {
				add(g.HTTP)
			}
		}
		return all
	}
	for _, port := range sortedKeys(now.Config.HTTP) {
		add(now.Config.HTTP[port])
	}
	return all
}

func dumpRouteTable(c *config.RouteTable, gateway bool) config.Object {
	hosts := []config.Object{}
	for _, v := range c.VirtualHosts {
		var routes []config.Object
		for _, r := range v.Routes {
			routes = append(routes, dumpRoute(r))
		}
		hosts = append(hosts, config.Object{"name": v.Name, "domains": v.Domains, "routes": routes, "include_request_attempt_count": true})
	}
	if !gateway {
		block := config.Object{"match": config.Object{"prefix": "/"}, "direct_response": config.Object{"status": http.StatusBadGateway}, "name": "block_all"}
		hosts = append(hosts, config.Object{"name": "block_all", "domains": []string{"*"}, "routes": []config.Object{block}})
	}
	return config.Object{
		"@type":                        configType + "route.v3.RouteConfiguration",
		"name":                         c.Name,
		"virtual_hosts":                hosts,
		"validate_clusters":            false,
		"ignore_port_in_host_matching": true,
	}
}

func dumpRoute(r *config.Route) config.Object {
	o := config.Object{"match": dumpMatch(r.Match), "route": dumpTargets(r.Targets)}
	if r.Name != "" {
		o["name"] = r.Name
	}
	if r.Source != "" {
		o["metadata"] = istioMetadata(config.Object{"config": r.Source})
	}
	for _, f := range r.Filters {
		f.Dump(o)
	}
	return o
}

// dumpTargets is where a route or a TCP proxy leads, as both word it.
func dumpTargets(targets []config.Target) config.Object {
	if len(targets) == 1 {
		return config.Object{"cluster": targets[0].Cluster}
	}
	var weighted []config.Object
	for _, t := range targets {
		weighted = append(weighted, config.Object{"name": t.Cluster, "weight": t.Weight})
	}
	return config.Object{"weighted_clusters": config.Object{"clusters": weighted}}
}

func dumpMatch(m config.RouteMatch) config.Object {
	o := config.Object{"case_sensitive": !m.Path.IgnoreCase}
	switch m.Path.Kind {
	case config.MatchExact:
		o["path"] = m.Path.Value
	case config.MatchRegex:
		o["safe_regex"] = config.Object{"regex": m.Path.Value}
	default:
		o["prefix"] = cmp.Or(m.Path.Value, "/")
	}
	var headers []config.Object
	for _, h := range m.Headers {
		header := config.Object{"name": h.Name}
		switch h.Kind {
		case config.MatchPresent:
			header["present_match"] = true
		case config.MatchRegex:
			header["string_match"] = config.Object{"safe_regex": config.Object{"regex": h.Value}}
		default:
			header["string_match"] = config.Object{h.Kind: h.Value}
		}
		if h.Invert {
			header["invert_match"] = true
		}
		headers = append(headers, header)
	}
	if len(headers) > 0 {
		o["headers"] = headers
	}
	return o
}
