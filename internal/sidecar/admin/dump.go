package admin

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/re2"
	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

const (
	adminType  = "type.googleapis.com/envoy.admin.v3."
	configType = "type.googleapis.com/envoy.config."
)

// dumped is one resource of /config_dump.
type dumped struct {
	name   string
	object config.Object
}

// dumpSections are the parts of a whole dump: the message, its field that can
// be asked for with resource=, and what is in it.
var dumpSections = []struct {
	message, resource string
	list              func(now sidecar.Snapshot, gateway bool) []dumped
}{
	{"ClustersConfigDump", "dynamic_active_clusters", dumpClusters},
	{"ListenersConfigDump", "dynamic_listeners", dumpListeners},
	{"RoutesConfigDump", "dynamic_route_configs", dumpRoutes},
}

// configDump answers /config_dump. As in Envoy name_regex must match the whole
// name, and mask is a list of fields of the resource.
func (a *Server) configDump(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	name, err := re2.Whole(cmp.Or(query.Get("name_regex"), ".*"))
	if err != nil {
		http.Error(w, "Error while parsing name_regex from "+query.Get("name_regex"), http.StatusBadRequest)
		return
	}
	var mask []string
	if m := query.Get("mask"); m != "" {
		mask = strings.Split(m, ",")
	}
	now, gateway := a.proxy.Snapshot(), a.proxy.Options().Gateway
	resource := query.Get("resource")
	var configs []config.Object
	known := resource == "" || resource == "dynamic_warming_clusters" // none: a cluster is used as soon as it is there
	for _, section := range dumpSections {
		var elements []config.Object
		for _, d := range section.list(now, gateway) {
			if name.MatchString(d.name) {
				elements = append(elements, masked(d.object, mask))
			}
		}
		switch resource {
		case section.resource:
			known = true
			configs = elements
		case "":
			configs = append(configs, config.Object{"@type": adminType + section.message, "version_info": now.Config.Version, section.resource: elements})
		}
	}
	switch {
	case !known:
		http.Error(w, resource+" not found in config dump", http.StatusNotFound)
	case len(configs) == 0:
		writeJSON(w, config.Object{})
	default:
		writeJSON(w, config.Object{"configs": configs})
	}
}

// masked keeps the fields that a mask names; an empty mask keeps all.
func masked(o config.Object, mask []string) config.Object {
	if len(mask) == 0 {
		return o
	}
	kept := config.Object{}
	for key, value := range o {
		var below []string
		for _, path := range mask {
			first, rest, _ := strings.Cut(path, ".")
			if first == key {
				below = append(below, rest)
			}
		}
		inner, isObject := value.(config.Object)
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

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// istioMetadata is what Istio notes of where something comes from.
func istioMetadata(fields config.Object) config.Object {
	return config.Object{"filter_metadata": config.Object{"istio": fields}}
}

func dumpClusters(now sidecar.Snapshot, _ bool) []dumped {
	var all []dumped
	for _, c := range now.Clusters {
		element := config.Object{
			"@type":        adminType + "ClustersConfigDump.DynamicCluster",
			"version_info": now.Config.Version,
			"cluster":      dumpCluster(c.Config),
			"last_updated": lastUpdated(c.Updated),
		}
		all = append(all, dumped{c.Config.Name, element})
	}
	return all
}

func dumpCluster(c *config.Cluster) config.Object {
	namespace := (&config.Service{Host: c.Host}).Namespace()
	istio := config.Object{"services": []config.Object{{"name": c.Service, "host": c.Host, "namespace": namespace}}}
	if c.Source != "" {
		istio["config"] = c.Source
	}
	if c.Subset != "" {
		istio["subset"] = c.Subset
	}
	panicThreshold := config.Object{}
	if c.Policy.PanicThreshold > 0 {
		panicThreshold["value"] = c.Policy.PanicThreshold
	}
	o := config.Object{
		"@type":            configType + "cluster.v3.Cluster",
		"name":             c.Name,
		"connect_timeout":  config.Duration(c.Policy.ConnectTimeout),
		"lb_policy":        c.Policy.Balancer,
		"circuit_breakers": config.Object{"thresholds": []any{thresholds(c.Policy.Thresholds)}},
		"common_lb_config": config.Object{"healthy_panic_threshold": panicThreshold},
		"metadata":         istioMetadata(istio),
		"alt_stat_name":    c.Name + ";",
	}
	if originalDst(c) {
		o["type"], o["common_lb_config"] = "ORIGINAL_DST", config.Object{}
	} else {
		o["type"] = "EDS"
		o["eds_cluster_config"] = config.Object{"eds_config": config.Object{"ads": config.Object{}, "resource_api_version": "V3"}, "service_name": c.Name}
	}
	if c.Policy.Outlier != (envoy.OutlierDetection{}) {
		o["outlier_detection"] = dumpOutlier(c.Policy.Outlier)
	}
	if c.Policy.Balancer == envoy.RingHash {
		o["ring_hash_lb_config"] = config.Object{"minimum_ring_size": strconv.Itoa(sidecar.MinimumRing)}
	}
	if n := c.Policy.MaxRequestsPerConnection; n > 0 {
		const options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
		o["typed_extension_protocol_options"] = config.Object{options: config.Object{
			"@type":                        "type.googleapis.com/" + options,
			"common_http_protocol_options": config.Object{"max_requests_per_connection": n},
			"explicit_http_config":         config.Object{"http_protocol_options": config.Object{}},
		}}
	}
	return o
}

// dumpOutlier is the outlier detection as Istio writes it: what differs from
// Envoy's defaults, and how far it is enforced.
func dumpOutlier(c envoy.OutlierDetection) config.Object {
	o := config.Object{
		"interval":               config.Duration(c.Interval),
		"base_ejection_time":     config.Duration(c.BaseEjectionTime),
		"max_ejection_percent":   c.MaxEjectionPercent,
		"enforcing_success_rate": 0,
	}
	enforcing := func(n uint32) int { return 100 * int(min(n, 1)) }
	if n := c.Consecutive5xx; n != envoy.DefaultOutlierDetection.Consecutive5xx {
		o["consecutive_5xx"], o["enforcing_consecutive_5xx"] = n, enforcing(n)
	}
	if n := c.ConsecutiveGatewayFailure; n != envoy.DefaultOutlierDetection.ConsecutiveGatewayFailure {
		o["consecutive_gateway_failure"], o["enforcing_consecutive_gateway_failure"] = n, enforcing(n)
	}
	return o
}
