package sidecar

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	adminType  = "type.googleapis.com/envoy.admin.v3."
	configType = "type.googleapis.com/envoy.config."
)

// dumped is one resource of /config_dump.
type dumped struct {
	name   string
	object object
}

// dumpSections are the parts of a whole dump: the message, its field that can
// be asked for with resource=, and what is in it.
var dumpSections = []struct {
	message, resource string
	list              func(*Sidecar, *state) []dumped
}{
	{"ClustersConfigDump", "dynamic_active_clusters", (*Sidecar).dumpClusters},
	{"ListenersConfigDump", "dynamic_listeners", (*Sidecar).dumpListeners},
	{"RoutesConfigDump", "dynamic_route_configs", (*Sidecar).dumpRoutes},
}

// configDump answers /config_dump. As in Envoy name_regex must match the whole
// name, and mask is a list of fields of the resource.
func (a *adminServer) configDump(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	name, err := regexp.Compile(`\A(?:` + cmp.Or(query.Get("name_regex"), ".*") + `)\z`)
	if err != nil {
		http.Error(w, "Error while parsing name_regex from "+query.Get("name_regex"), http.StatusBadRequest)
		return
	}
	var mask []string
	if m := query.Get("mask"); m != "" {
		mask = strings.Split(m, ",")
	}
	st := a.proxy.state.Load()
	resource := query.Get("resource")
	var configs []object
	known := resource == "" || resource == "dynamic_warming_clusters" // none: a cluster is used as soon as it is there
	for _, section := range dumpSections {
		var elements []object
		for _, d := range section.list(a.proxy, st) {
			if name.MatchString(d.name) {
				elements = append(elements, masked(d.object, mask))
			}
		}
		switch resource {
		case section.resource:
			known = true
			configs = elements
		case "":
			configs = append(configs, object{"@type": adminType + section.message, "version_info": st.config.version, section.resource: elements})
		}
	}
	switch {
	case !known:
		http.Error(w, resource+" not found in config dump", http.StatusNotFound)
	case len(configs) == 0:
		writeJSON(w, object{})
	default:
		writeJSON(w, object{"configs": configs})
	}
}

// masked keeps the fields that a mask names; an empty mask keeps all.
func masked(o object, mask []string) object {
	if len(mask) == 0 {
		return o
	}
	kept := object{}
	for key, value := range o {
		var below []string
		for _, path := range mask {
			first, rest, _ := strings.Cut(path, ".")
			if first == key {
				below = append(below, rest)
			}
		}
		inner, isObject := value.(object)
		switch {
		case key == "@type" || len(below) > 0 && (!isObject || slices.Contains(below, "")):
			kept[key] = value
		case len(below) > 0:
			kept[key] = masked(inner, below)
		}
	}
	return kept
}

func lastUpdated(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// durationJSON is a duration as protobuf's JSON has it.
func durationJSON(d time.Duration) json.RawMessage {
	text, _ := protojson.Marshal(durationpb.New(d)) // It fails beyond 10000 years, and d holds 292.
	return text
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// istioMetadata is what Istio notes of where something comes from.
func istioMetadata(fields object) object {
	return object{"filter_metadata": object{"istio": fields}}
}

func (s *Sidecar) dumpClusters(st *state) []dumped {
	var all []dumped
	for _, config := range st.config.clusters {
		element := object{
			"@type":        adminType + "ClustersConfigDump.DynamicCluster",
			"version_info": st.config.version,
			"cluster":      config.dump(),
			"last_updated": lastUpdated(st.clusters[config.name].updated),
		}
		all = append(all, dumped{config.name, element})
	}
	return all
}

func (c *clusterConfig) dump() object {
	namespace := (&Service{Host: c.host}).namespace()
	istio := object{"services": []object{{"name": c.service, "host": c.host, "namespace": namespace}}}
	if c.source != "" {
		istio["config"] = c.source
	}
	if c.subset != "" {
		istio["subset"] = c.subset
	}
	panicThreshold := object{}
	if c.policy.panicThreshold > 0 {
		panicThreshold["value"] = c.policy.panicThreshold
	}
	o := object{
		"@type":              configType + "cluster.v3.Cluster",
		"name":               c.name,
		"type":               "EDS",
		"eds_cluster_config": object{"eds_config": object{"ads": object{}, "resource_api_version": "V3"}, "service_name": c.name},
		"connect_timeout":    durationJSON(c.policy.connectTimeout),
		"lb_policy":          c.policy.lb,
		"circuit_breakers":   object{"thresholds": []any{c.policy.thresholds()}},
		"common_lb_config":   object{"healthy_panic_threshold": panicThreshold},
		"metadata":           istioMetadata(istio),
		"alt_stat_name":      c.name + ";",
	}
	if c.policy.outlier != nil {
		o["outlier_detection"] = c.policy.outlier.dump()
	}
	if n := c.policy.maxRequestsPerConnection; n > 0 {
		const options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
		o["typed_extension_protocol_options"] = object{options: object{
			"@type":                        "type.googleapis.com/" + options,
			"common_http_protocol_options": object{"max_requests_per_connection": n},
			"explicit_http_config":         object{"http_protocol_options": object{}},
		}}
	}
	return o
}

// dump is the outlier detection as Istio writes it: what the object names, and
// how far it is enforced.
func (c *outlierConfig) dump() object {
	o := object{
		"interval":               durationJSON(c.interval),
		"base_ejection_time":     durationJSON(c.baseEjectionTime),
		"max_ejection_percent":   c.maxEjectionPercent,
		"enforcing_success_rate": 0,
	}
	percent := map[bool]int{false: 0, true: 100}
	if c.consecutive5xxSet {
		o["consecutive_5xx"], o["enforcing_consecutive_5xx"] = c.consecutive5xx, percent[c.enforce5xx]
	}
	if c.consecutiveGatewaySet {
		o["consecutive_gateway_failure"], o["enforcing_consecutive_gateway_failure"] = c.consecutiveGateway, percent[c.enforceGateway]
	}
	return o
}

func (s *Sidecar) dumpRoutes(st *state) []dumped {
	var all []dumped
	add := func(table *routeConfig) {
		element := object{
			"@type":        adminType + "RoutesConfigDump.DynamicRouteConfig",
			"version_info": st.config.version,
			"route_config": table.dump(s.options.Gateway),
			"last_updated": lastUpdated(st.config.updated),
		}
		all = append(all, dumped{table.name, element})
	}
	if s.options.Gateway {
		for _, g := range st.config.gateways {
			if g.http != nil {
				add(g.http)
			}
		}
		return all
	}
	for _, port := range sortedKeys(st.config.http) {
		add(st.config.http[port])
	}
	return all
}

func (c *routeConfig) dump(gateway bool) object {
	hosts := []object{}
	for _, v := range c.virtualHosts {
		var routes []object
		for _, r := range v.routes {
			routes = append(routes, r.dump())
		}
		hosts = append(hosts, object{"name": v.name, "domains": v.domains, "routes": routes, "include_request_attempt_count": true})
	}
	if !gateway {
		block := object{"match": object{"prefix": "/"}, "direct_response": object{"status": http.StatusBadGateway}, "name": "block_all"}
		hosts = append(hosts, object{"name": "block_all", "domains": []string{"*"}, "routes": []object{block}})
	}
	return object{
		"@type":                        configType + "route.v3.RouteConfiguration",
		"name":                         c.name,
		"virtual_hosts":                hosts,
		"validate_clusters":            false,
		"ignore_port_in_host_matching": true,
	}
}

func (r *route) dump() object {
	o := object{"match": r.match.dump(), "route": dumpTargets(r.targets)}
	if r.name != "" {
		o["name"] = r.name
	}
	if r.source != "" {
		o["metadata"] = istioMetadata(object{"config": r.source})
	}
	for _, f := range r.filters {
		f.Dump(o)
	}
	return o
}

// dumpTargets is where a route or a TCP proxy leads, as both word it.
func dumpTargets(targets []target) object {
	if len(targets) == 1 {
		return object{"cluster": targets[0].cluster}
	}
	var weighted []object
	for _, t := range targets {
		weighted = append(weighted, object{"name": t.cluster, "weight": t.weight})
	}
	return object{"weighted_clusters": object{"clusters": weighted}}
}

func (m routeMatch) dump() object {
	o := object{"case_sensitive": !m.path.ignoreCase}
	switch m.path.kind {
	case matchExact:
		o["path"] = m.path.value
	case matchRegex:
		o["safe_regex"] = object{"regex": m.path.value}
	default:
		o["prefix"] = cmp.Or(m.path.value, "/")
	}
	var headers []object
	for _, h := range m.headers {
		header := object{"name": h.name}
		switch h.kind {
		case matchPresent:
			header["present_match"] = true
		case matchRegex:
			header["string_match"] = object{"safe_regex": object{"regex": h.value}}
		default:
			header["string_match"] = object{h.kind: h.value}
		}
		if h.invert {
			header["invert_match"] = true
		}
		headers = append(headers, header)
	}
	if len(headers) > 0 {
		o["headers"] = headers
	}
	return o
}
