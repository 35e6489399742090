package sidecar

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// highPriority are Envoy's default thresholds of the high priority, which
// Istio's routes never use but every Envoy prints.
var highPriority = map[string]uint32{"max_connections": 1024, "max_pending_requests": 1024, "max_requests": 1024, "max_retries": 3}

// thresholdNames is the order in which Envoy prints them.
var thresholdNames = []string{"max_connections", "max_pending_requests", "max_requests", "max_retries"}

func (p policy) thresholds() map[string]uint32 {
	return map[string]uint32{
		"max_connections":      p.maxConnections,
		"max_pending_requests": p.maxPendingRequests,
		"max_requests":         p.maxRequests,
		"max_retries":          p.maxRetries,
	}
}

// hostStat is one of Envoy's SimpleMetrics; a value of 0 is left out.
type hostStat struct {
	Type  string `json:"type,omitempty"` // GAUGE; empty: a counter
	Value int64  `json:"value,omitempty,string"`
	Name  string `json:"name"`
}

func (h *host) stats() []hostStat {
	return []hostStat{
		{Name: "cx_connect_fail", Value: h.cxConnectFail.Load()},
		{Name: "cx_total", Value: h.cxTotal.Load()},
		{Name: "rq_error", Value: h.rqError.Load()},
		{Name: "rq_success", Value: h.rqSuccess.Load()},
		{Name: "rq_timeout", Value: h.rqTimeout.Load()},
		{Name: "rq_total", Value: h.rqTotal.Load()},
		{Name: "cx_active", Value: h.cxActive.Load(), Type: "GAUGE"},
		{Name: "rq_active", Value: h.rqActive.Load(), Type: "GAUGE"},
	}
}

func (a *adminServer) clusters(w http.ResponseWriter, r *http.Request) {
	st := a.proxy.state.Load()
	if r.URL.Query().Get("format") != "json" {
		w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
		for _, config := range st.config.clusters {
			fmt.Fprint(w, st.clusters[config.name].text())
		}
		return
	}
	list := []object{}
	for _, config := range st.config.clusters {
		list = append(list, st.clusters[config.name].status())
	}
	writeJSON(w, object{"cluster_statuses": list})
}

// status is the cluster as envoy.admin.v3.ClusterStatus.
func (c *cluster) status() object {
	name := c.config.name
	high := object{"priority": "HIGH"}
	for k, v := range highPriority {
		high[k] = v
	}
	status := object{
		"name":               name,
		"added_via_api":      true,
		"observability_name": name + ";",
		"eds_service_name":   name,
		"circuit_breakers":   object{"thresholds": []any{c.config.policy.thresholds(), high}},
	}
	var hosts []object
	for _, h := range c.hosts {
		health := object{"eds_health_status": "HEALTHY"}
		if c.ejected(h) {
			health["failed_outlier_check"] = true
		}
		hosts = append(hosts, object{
			"address":       socketAddress(h.Address),
			"stats":         h.stats(),
			"health_status": health,
			"weight":        1,
			"locality":      object{},
		})
	}
	if len(hosts) > 0 {
		status["host_statuses"] = hosts
	}
	return status
}

// text is the cluster in the lines of /clusters.
func (c *cluster) text() string {
	var b strings.Builder
	line := func(format string, args ...any) {
		fmt.Fprintf(&b, "%s::%s\n", c.config.name, fmt.Sprintf(format, args...))
	}
	line("observability_name::%s;", c.config.name)
	own := c.config.policy.thresholds()
	for _, name := range thresholdNames {
		line("default_priority::%s::%d", name, own[name])
	}
	for _, name := range thresholdNames {
		line("high_priority::%s::%d", name, highPriority[name])
	}
	line("added_via_api::true")
	line("eds_service_name::%s", c.config.name)
	for _, h := range c.hosts {
		for _, s := range h.stats() {
			line("%s::%s::%d", h.Address, s.Name, s.Value)
		}
		flags := "healthy"
		if c.ejected(h) {
			flags = "/failed_outlier_check"
		}
		line("%s::hostname::%s", h.Address, h.Workload)
		line("%s::health_flags::%s", h.Address, flags)
		line("%s::weight::1", h.Address)
	}
	return b.String()
}

func socketAddress(address string) object {
	host, port := splitAddress(address)
	return object{"socket_address": object{"address": host, "port_value": port}}
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
