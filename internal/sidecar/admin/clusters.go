package admin

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// highPriority are Envoy's default thresholds of the high priority, which
// Istio's routes never use but every Envoy prints.
var highPriority = map[string]uint32{"max_connections": 1024, "max_pending_requests": 1024, "max_requests": 1024, "max_retries": 3}

// thresholdNames is the order in which Envoy prints them.
var thresholdNames = []string{"max_connections", "max_pending_requests", "max_requests", "max_retries"}

func thresholds(p envoy.Thresholds) map[string]uint32 {
	return map[string]uint32{
		"max_connections":      p.MaxConnections,
		"max_pending_requests": p.MaxPendingRequests,
		"max_requests":         p.MaxRequests,
		"max_retries":          p.MaxRetries,
	}
}

// hostStat is one of Envoy's SimpleMetrics; a value of 0 is left out.
type hostStat struct {
	Type  string `json:"type,omitempty"` // GAUGE; empty: a counter
	Value int64  `json:"value,omitempty,string"`
	Name  string `json:"name"`
}

func hostStats(h sidecar.HostStatus) []hostStat {
	return []hostStat{
		{Name: "cx_connect_fail", Value: h.CxConnectFail},
		{Name: "cx_total", Value: h.CxTotal},
		{Name: "rq_error", Value: h.RqError},
		{Name: "rq_success", Value: h.RqSuccess},
		{Name: "rq_timeout", Value: h.RqTimeout},
		{Name: "rq_total", Value: h.RqTotal},
		{Name: "cx_active", Value: h.CxActive, Type: "GAUGE"},
		{Name: "rq_active", Value: h.RqActive, Type: "GAUGE"},
	}
}

func (a *Server) clusters(w http.ResponseWriter, r *http.Request) {
	now := a.proxy.Snapshot()
	if r.URL.Query().Get("format") != "json" {
		w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
		for _, c := range now.Clusters {
			fmt.Fprint(w, statusText(c))
		}
		return
	}
	list := []config.Object{}
	for _, c := range now.Clusters {
		list = append(list, status(c))
	}
	writeJSON(w, config.Object{"cluster_statuses": list})
}

// status is a cluster as envoy.admin.v3.ClusterStatus.
func status(c sidecar.ClusterStatus) config.Object {
	name := c.Config.Name
	high := config.Object{"priority": "HIGH"}
	for k, v := range highPriority {
		high[k] = v
	}
	o := config.Object{
		"name":               name,
		"added_via_api":      true,
		"observability_name": name + ";",
		"circuit_breakers":   config.Object{"thresholds": []any{thresholds(c.Config.Policy.Thresholds), high}},
	}
	if !originalDst(c.Config) {
		o["eds_service_name"] = name
	}
	var hosts []config.Object
	for _, h := range c.Hosts {
		health := config.Object{"eds_health_status": "HEALTHY"}
		if h.Ejected {
			health["failed_outlier_check"] = true
		}
		hosts = append(hosts, config.Object{
			"address":       socketAddress(h.Address),
			"stats":         hostStats(h),
			"health_status": health,
			"weight":        1,
			"locality":      config.Object{},
		})
	}
	if len(hosts) > 0 {
		o["host_statuses"] = hosts
	}
	return o
}

// statusText is a cluster in the lines of /clusters.
func statusText(c sidecar.ClusterStatus) string {
	var b strings.Builder
	line := func(format string, args ...any) {
		fmt.Fprintf(&b, "%s::%s\n", c.Config.Name, fmt.Sprintf(format, args...))
	}
	line("observability_name::%s;", c.Config.Name)
	own := thresholds(c.Config.Policy.Thresholds)
	for _, name := range thresholdNames {
		line("default_priority::%s::%d", name, own[name])
	}
	for _, name := range thresholdNames {
		line("high_priority::%s::%d", name, highPriority[name])
	}
	line("added_via_api::true")
	if !originalDst(c.Config) {
		line("eds_service_name::%s", c.Config.Name)
	}
	for _, h := range c.Hosts {
		for _, s := range hostStats(h) {
			line("%s::%s::%d", h.Address, s.Name, s.Value)
		}
		flags := "healthy"
		if h.Ejected {
			flags = "/failed_outlier_check"
		}
		line("%s::hostname::%s", h.Address, h.Workload)
		line("%s::health_flags::%s", h.Address, flags)
		line("%s::weight::1", h.Address)
	}
	return b.String()
}

// originalDst says whether a cluster is of the proxy's own workload, whose
// endpoint is where a connection was meant to go.
func originalDst(c *config.Cluster) bool { return c.Policy.Balancer == envoy.ClusterProvided }

func socketAddress(address string) config.Object {
	host, port := splitAddress(address)
	return config.Object{"socket_address": config.Object{"address": host, "port_value": port}}
}

// splitAddress splits host:port as Envoy's JSON has it.
func splitAddress(address string) (string, int) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return address, 0
	}
	port, _ := strconv.Atoi(portText) // A listener's address has a number.
	return host, port
}
