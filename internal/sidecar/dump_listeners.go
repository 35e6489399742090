package sidecar

import "fmt"

// dumpListeners are the listeners by the ports that clients see: of an HTTP
// port and of a gateway's 0.0.0.0_PORT, of a service's TCP port HOST_PORT, for
// want of the service's IP address.
func (s *Sidecar) dumpListeners(st *state) []dumped {
	if s.options.Gateway {
		return dumpGatewayListeners(st)
	}
	var all []dumped
	for _, port := range sortedKeys(st.config.http) {
		all = append(all, dumpListener(st, anyAddress, port, httpFilter(st, port, fmt.Sprint(port))))
	}
	for _, l := range st.config.tcp {
		all = append(all, dumpListener(st, l.service.Host, l.port, tcpFilter(st, l.route)))
	}
	return all
}

// anyAddress is what Istio's listeners of an HTTP port are bound to.
const anyAddress = "0.0.0.0"

func dumpGatewayListeners(st *state) []dumped {
	var all []dumped
	for _, g := range st.config.gateways {
		filter := tcpFilter(st, g.tcp)
		if g.http != nil {
			filter = httpFilter(st, g.port, g.http.name)
		}
		all = append(all, dumpListener(st, anyAddress, g.port, filter))
	}
	return all
}

func dumpListener(st *state, address string, port int, filter object) dumped {
	name := fmt.Sprintf("%s_%d", address, port)
	listener := object{
		"@type":             configType + "listener.v3.Listener",
		"name":              name,
		"address":           object{"socket_address": object{"address": address, "port_value": port}},
		"filter_chains":     []object{{"filters": []object{filter}}},
		"traffic_direction": "OUTBOUND",
	}
	// Istio's listeners log connections that no filter chain takes.
	addAccessLog(st, listener, object{"response_flag_filter": object{"flags": []string{"NR"}}})
	return dumped{name, object{
		"@type": adminType + "ListenersConfigDump.DynamicListener",
		"name":  name,
		"active_state": object{
			"version_info": st.config.version,
			"listener":     listener,
			"last_updated": lastUpdated(st.config.updated),
		},
	}}
}

func httpFilter(st *state, port int, routes string) object {
	config := object{
		"@type":       "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
		"stat_prefix": fmt.Sprintf("outbound_0.0.0.0_%d;", port),
		"rds":         object{"config_source": object{"ads": object{}, "resource_api_version": "V3"}, "route_config_name": routes},
	}
	addAccessLog(st, config, nil)
	return object{"name": "envoy.filters.network.http_connection_manager", "typed_config": config}
}

// addAccessLog adds the access log, if there is one, to what Istio configures
// one for. A filter names the lines that are written; nil: all.
func addAccessLog(st *state, to, filter object) {
	if !st.config.accessLog {
		return
	}
	log := object{"name": "envoy.access_loggers.file", "typed_config": object{
		"@type":      "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
		"path":       "/dev/stdout",
		"log_format": object{"text_format_source": object{"inline_string": accessLogFormat}},
	}}
	if filter != nil {
		log["filter"] = filter
	}
	to["access_log"] = []object{log}
}

func tcpFilter(st *state, r *tcpRoute) object {
	if r == nil {
		return object{}
	}
	config := dumpTargets(r.targets)
	config["@type"] = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
	config["stat_prefix"] = r.targets[0].cluster
	addAccessLog(st, config, nil)
	return object{"name": "envoy.filters.network.tcp_proxy", "typed_config": config}
}
