package sidecar

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// series is what tells one series of istio_requests_total from the others of a
// proxy: its labels follow from it.
type series struct {
	target, workload, principal, flags string
	known                              bool // the target is a cluster
	status                             int
	grpc                               bool
	grpcStatus                         string
}

// countRequest counts in istio_requests_total.
func (s *Sidecar) countRequest(st *stream) {
	of := series{target: st.target, principal: st.peer().principal, flags: responseFlags(st.flags), status: st.status, grpc: st.grpc, grpcStatus: st.grpcStatus}
	of.known = s.state.Load().config.ByName[st.target] != nil
	if st.host != nil {
		of.workload = st.host.Workload
	}
	counted, ok := s.requests.Load(of)
	if !ok {
		counted, _ = s.requests.LoadOrStore(of, s.requestMetric(st))
	}
	counted.(*metric).add(1)
}

// requestMetric is the metric of a request's series, with Istio's labels.
func (s *Sidecar) requestMetric(st *stream) *metric {
	labels := s.labels(st.target, st.host, st.peer())
	labels["request_protocol"] = "http"
	labels["response_code"] = strconv.Itoa(st.status)
	labels["grpc_response_status"] = ""
	if st.grpc {
		labels["request_protocol"], labels["grpc_response_status"] = "grpc", st.grpcStatus
	}
	labels["response_flags"] = responseFlags(st.flags)
	return s.istioMetric("istio_requests_total", labels)
}

// countConnection counts in istio_tcp_connections_opened_total.
func (s *Sidecar) countConnection(labels map[string]string, flags string) {
	labels["request_protocol"] = "tcp"
	labels["response_flags"] = flags
	s.istioMetric("istio_tcp_connections_opened_total", labels).add(1)
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

// labels are those that do not depend on the answer. from is the zero peer if the
// proxy's own workload called.
func (s *Sidecar) labels(target string, h *host, from peer) map[string]string {
	if from != (peer{}) {
		return s.inboundLabels(from)
	}
	labels := map[string]string{
		"reporter":        "source",
		"source_workload": s.options.Name, "source_workload_namespace": s.options.Namespace,
		"source_app": s.options.App, "source_version": s.options.Version,
		"source_canonical_service": s.options.App, "source_canonical_revision": cmp.Or(s.options.Version, "latest"),
		"source_cluster": "Kubernetes",
	}
	if h != nil { // Else Istio writes unknown.
		s.labelDestination(labels, h.Endpoint)
	}
	if c := s.state.Load().config.ByName[target]; c != nil {
		s.labelService(labels, c)
	}
	return labels
}

// inboundLabels are those of what came to the proxy's own workload. Of the caller
// they have what its certificate says.
func (s *Sidecar) inboundLabels(from peer) map[string]string {
	labels := map[string]string{
		"reporter":        "destination",
		"source_workload": from.workload(), "source_workload_namespace": s.options.Namespace, "source_principal": from.principal,
		"destination_principal": s.principal(), "connection_security_policy": "mutual_tls",
	}
	c := s.inbound().Cluster
	s.labelDestination(labels, c.Endpoints[0])
	s.labelService(labels, c)
	return labels
}

func (s *Sidecar) labelDestination(labels map[string]string, e config.Endpoint) {
	labels["destination_workload"] = e.Workload
	labels["destination_workload_namespace"] = s.options.Namespace
	labels["destination_app"], labels["destination_version"] = e.Labels["app"], e.Labels["version"]
	labels["destination_canonical_service"] = e.Labels["app"]
	labels["destination_canonical_revision"] = cmp.Or(e.Labels["version"], "latest")
	labels["destination_cluster"] = "Kubernetes"
}

func (s *Sidecar) labelService(labels map[string]string, c *config.Cluster) {
	labels["destination_service"], labels["destination_service_name"] = c.Host, c.Service
	labels["destination_service_namespace"] = s.options.Namespace
}

// istioMetric is a metric of Istio's own. Its name among Envoy's stats joins the
// labels by dots.
func (s *Sidecar) istioMetric(metricName string, labels map[string]string) *metric {
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
	return s.stats.put(&metric{name: name.String(), tagged: metricName, tags: labels})
}
