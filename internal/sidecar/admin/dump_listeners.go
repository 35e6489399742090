package admin

import (
	"fmt"
	"maps"
	"slices"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// dumpListeners are the listeners by the ports that clients see: of an HTTP
// port and of a gateway's 0.0.0.0_PORT, of a service's TCP port HOST_PORT, for
// want of the service's IP address.
func dumpListeners(now sidecar.Snapshot, gateway bool) []dumped {
	if gateway {
		return dumpGatewayListeners(now.Config)
	}
	var all []dumped
	if now.Inbound != nil {
		all = append(all, dumpInbound(now.Config, now.Inbound))
	}
	for _, port := range sortedKeys(now.Config.HTTP) {
		all = append(all, dumpListener(now.Config, outboundAt(anyAddress, port), httpFilter(now.Config, envoy.Outbound, port, rds(fmt.Sprint(port)))))
	}
	for _, l := range now.Config.TCP {
		all = append(all, dumpListener(now.Config, outboundAt(l.Service.Host, l.Port), tcpFilter(now.Config, l.Route)))
	}
	return all
}

// anyAddress is what Istio's listeners of an HTTP port are bound to.
const anyAddress = "0.0.0.0"

func dumpGatewayListeners(c *config.Config) []dumped {
	var all []dumped
	for _, g := range c.Gateways {
		filter := tcpFilter(c, g.TCP)
		if g.HTTP != nil {
			filter = httpFilter(c, envoy.Outbound, g.Port, rds(g.HTTP.Name))
		}
		chain := config.Object{"filters": []config.Object{filter}}
		if g.TLS != nil {
			addTLS(chain, g.TLS)
		}
		all = append(all, dumpChain(c, outboundAt(anyAddress, g.Port), chain))
	}
	return all
}

// addTLS notes in a filter chain whose connections are for it, and how they are encrypted.
func addTLS(chain config.Object, of *config.TLS) {
	if !slices.Contains(of.Names, "*") {
		chain["filter_chain_match"] = config.Object{"server_names": of.Names}
	}
	const secrets = "kubernetes://" // as istiod names them
	secret := func(name string) config.Object {
		return config.Object{"name": secrets + name, "sds_config": config.Object{"ads": config.Object{}, "resource_api_version": "V3"}}
	}
	common := config.Object{"tls_certificate_sds_secret_configs": []config.Object{secret(of.Credential)}, "alpn_protocols": []string{"h2", "http/1.1"}}
	if of.Mutual {
		common["combined_validation_context"] = config.Object{"default_validation_context": config.Object{}, "validation_context_sds_secret_config": secret(of.Credential + "-cacert")}
	}
	chain["transport_socket"] = config.Object{"name": "envoy.transport_sockets.tls", "typed_config": config.Object{
		"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", "common_tls_context": common, "require_client_certificate": of.Mutual,
	}}
}

// dumpInbound is the listener for all that comes in. It has its routes in it.
func dumpInbound(c *config.Config, in *config.Inbound) dumped {
	at := bound{name: "virtualInbound", address: anyAddress, port: inboundPort, direction: "INBOUND"}
	if in.Route == nil {
		return dumpListener(c, at, tcpFilter(c, &config.TCPRoute{Targets: []config.Target{{Cluster: in.Cluster.Name}}}))
	}
	host := config.Object{"name": in.Cluster.Name, "domains": []string{"*"}, "routes": []config.Object{dumpRoute(in.Route)}}
	table := config.Object{"name": in.Cluster.Name, "virtual_hosts": []config.Object{host}, "validate_clusters": false}
	return dumpListener(c, at, httpFilter(c, envoy.Inbound, in.Port, config.Object{"route_config": table}))
}

// inboundPort is where Istio has every connection to a workload redirected to.
const inboundPort = 15006

// bound is where a listener listens.
type bound struct {
	name, address string
	port          int
	direction     string
}

func outboundAt(address string, port int) bound {
	return bound{fmt.Sprintf("%s_%d", address, port), address, port, "OUTBOUND"}
}

func dumpListener(c *config.Config, at bound, filter config.Object) dumped {
	return dumpChain(c, at, config.Object{"filters": []config.Object{filter}})
}

// dumpChain is a listener with one filter chain.
func dumpChain(c *config.Config, at bound, chain config.Object) dumped {
	listener := config.Object{
		"@type":             configType + "listener.v3.Listener",
		"name":              at.name,
		"address":           config.Object{"socket_address": config.Object{"address": at.address, "port_value": at.port}},
		"filter_chains":     []config.Object{chain},
		"traffic_direction": at.direction,
	}
	// Istio's listeners log connections that no filter chain takes.
	addAccessLog(c, listener, config.Object{"response_flag_filter": config.Object{"flags": []string{"NR"}}})
	return dumped{at.name, config.Object{
		"@type": adminType + "ListenersConfigDump.DynamicListener",
		"name":  at.name,
		"active_state": config.Object{
			"version_info": c.Version,
			"listener":     listener,
			"last_updated": lastUpdated(c.Updated),
		},
	}}
}

// httpFilter is the connection manager of a port, with where its routes are.
func httpFilter(c *config.Config, direction string, port int, routes config.Object) config.Object {
	cfg := config.Object{
		"@type":       "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
		"stat_prefix": fmt.Sprintf("%s_0.0.0.0_%d;", direction, port),
	}
	maps.Copy(cfg, routes)
	addAccessLog(c, cfg, nil)
	return config.Object{"name": "envoy.filters.network.http_connection_manager", "typed_config": cfg}
}

// rds says that routes are a resource of their own.
func rds(name string) config.Object {
	return config.Object{"rds": config.Object{
		"config_source": config.Object{"ads": config.Object{}, "resource_api_version": "V3"}, "route_config_name": name,
	}}
}

// addAccessLog adds the access log, if there is one, to what Istio configures
// one for. A filter names the lines that are written; nil: all.
func addAccessLog(c *config.Config, to, filter config.Object) {
	if !c.AccessLog {
		return
	}
	log := config.Object{"name": "envoy.access_loggers.file", "typed_config": config.Object{
		"@type":      "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
		"path":       envoy.Stdout,
		"log_format": config.Object{"text_format_source": config.Object{"inline_string": sidecar.AccessLogFormat}},
	}}
	if filter != nil {
		log["filter"] = filter
	}
	to["access_log"] = []config.Object{log}
}

func tcpFilter(c *config.Config, r *config.TCPRoute) config.Object {
	if r == nil {
		return config.Object{}
	}
	cfg := dumpTargets(r.Targets)
	cfg["@type"] = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
	cfg["stat_prefix"] = r.Targets[0].Cluster
	addAccessLog(c, cfg, nil)
	return config.Object{"name": "envoy.filters.network.tcp_proxy", "typed_config": cfg}
}
