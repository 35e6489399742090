package envoy

import "context"

// RouteConfig is one dynamic route configuration: of a sidecar named after a
// port, 9080, of a gateway http.8080.
type RouteConfig struct {
	Name         string
	VirtualHosts []VirtualHost
}

// VirtualHost is the routes of some domains. Istio names it host:port.
type VirtualHost struct {
	Name    string
	Domains []string
	Routes  []Route
}

// Route is one route, in the order in which the proxy tries them. Its name is
// http[].name of a VirtualService, or default.
type Route struct {
	Name     string
	Clusters []Weighted // none for a redirect or a direct response
}

// Routes returns the route configurations whose whole name matches the RE2
// expression name; all if it is empty.
func (a *Admin) Routes(ctx context.Context, name string) ([]RouteConfig, error) {
	type element struct {
		Config struct {
			Name  string `json:"name"`
			Hosts []struct {
				Name    string   `json:"name"`
				Domains []string `json:"domains"`
				Routes  []struct {
					Name   string `json:"name"`
					Action action `json:"route"`
				} `json:"routes"`
			} `json:"virtual_hosts"`
		} `json:"route_config"`
	}
	elements, err := dump[element](ctx, a, "dynamic_route_configs", name, "")
	if err != nil {
		return nil, err
	}
	var configs []RouteConfig
	for _, e := range elements {
		config := RouteConfig{Name: e.Config.Name}
		for _, h := range e.Config.Hosts {
			host := VirtualHost{Name: h.Name, Domains: h.Domains}
			for _, r := range h.Routes {
				host.Routes = append(host.Routes, Route{Name: r.Name, Clusters: r.Action.clusters()})
			}
			config.VirtualHosts = append(config.VirtualHosts, host)
		}
		configs = append(configs, config)
	}
	return configs, nil
}
