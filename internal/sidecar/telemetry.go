package sidecar

import (
	"cmp"
	"strconv"
	"strings"
)

// countRequest counts in istio_requests_total, with Istio's labels.
func (s *Sidecar) countRequest(st *stream) {
	labels := s.labels(st.target, st.host)
	labels["request_protocol"] = "http"
	labels["response_code"] = strconv.Itoa(st.status)
	labels["grpc_response_status"] = ""
	labels["response_flags"] = responseFlags(st.flags)
	s.count("istio_requests_total", labels)
}

// countConnection counts in istio_tcp_connections_opened_total.
func (s *Sidecar) countConnection(target string, h *host, flags string) {
	labels := s.labels(target, h)
	labels["request_protocol"] = "tcp"
	labels["response_flags"] = flags
	s.count("istio_tcp_connections_opened_total", labels)
}

// metricLabels is the order in which Istio writes its labels.
var metricLabels = []string{
	"reporter", "source_workload", "source_workload_namespace", "source_principal", "source_app", "source_version",
	"source_canonical_service", "source_canonical_revision", "source_cluster",
	"destination_workload", "destination_workload_namespace", "destination_principal", "destination_app", "destination_version",
	"destination_service", "destination_service_name", "destination_service_namespace",
	"destination_canonical_service", "destination_canonical_revision", "destination_cluster",
	"request_protocol", "response_code", "grpc_response_status", "response_flags", "connection_security_policy",
}

// labels are those that do not depend on the answer. Where there was no host,
// Istio writes unknown.
func (s *Sidecar) labels(target string, h *host) map[string]string {
	labels := map[string]string{
		"reporter":        "source",
		"source_workload": s.options.Name, "source_workload_namespace": s.options.Namespace,
		"source_app": s.options.App, "source_version": s.options.Version,
		"source_canonical_service": s.options.App, "source_canonical_revision": cmp.Or(s.options.Version, "latest"),
		"source_cluster": "Kubernetes",
	}
	if h != nil {
		labels["destination_workload"] = h.Workload
		labels["destination_workload_namespace"] = s.options.Namespace
		labels["destination_app"], labels["destination_version"] = h.Labels["app"], h.Labels["version"]
		labels["destination_canonical_service"] = h.Labels["app"]
		labels["destination_canonical_revision"] = cmp.Or(h.Labels["version"], "latest")
		labels["destination_cluster"] = "Kubernetes"
	}
	if c := s.state.Load().config.ByName[target]; c != nil {
		labels["destination_service"], labels["destination_service_name"] = c.Host, c.Service
		labels["destination_service_namespace"] = s.options.Namespace
	}
	return labels
}

// count counts one event under a metric of Istio's own. Its name among Envoy's
// stats joins the labels by dots.
func (s *Sidecar) count(metricName string, labels map[string]string) {
	var name strings.Builder
	name.WriteString("istiocustom." + metricName)
	for _, label := range metricLabels {
		value, ok := labels[label]
		if (!ok || value == "") && label != "grpc_response_status" {
			value = "unknown"
			labels[label] = value
		}
		name.WriteString("." + label + "." + value)
	}
	m := s.stats.put(&metric{name: name.String(), tagged: metricName, tags: labels})
	m.add(1)
}
