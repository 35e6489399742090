package envoy

import "context"

// VirtualHost is the routes of some domains. Istio names it host:port.
type VirtualHost struct {
	Name    string   `json:"name"`
	Domains []string `json:"domains"`
	Routes  []Route  `json:"routes"`
}

// Route is one route, in the order in which the proxy tries them. Its name is
// http[].name of a VirtualService, or default.
type Route struct {
	Name string `json:"name"`
}

// VirtualHosts returns those of the dynamic route configurations whose whole
// name matches the RE2 expression name; of all if it is empty. Istio names a
// sidecar's after a port, 9080, and a gateway's http.8080.
func (a *Admin) VirtualHosts(ctx context.Context, name string) ([]VirtualHost, error) {
	type element struct {
		Config struct {
			Hosts []VirtualHost `json:"virtual_hosts"`
		} `json:"route_config"`
	}
	elements, err := dump[element](ctx, a, "dynamic_route_configs", name, "route_config.virtual_hosts")
	if err != nil {
		return nil, err
	}
	var hosts []VirtualHost
	for _, e := range elements {
		hosts = append(hosts, e.Config.Hosts...)
	}
	return hosts, nil
}
