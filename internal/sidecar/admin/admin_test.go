package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// at follows keys and indices into JSON.
func at(t *testing.T, text string, path ...any) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, step := range path {
		switch step := step.(type) {
		case string:
			value = value.(map[string]any)[step]
		case int:
			list, _ := value.([]any)
			if step >= len(list) {
				t.Fatalf("there is no %v in %s", path, text)
			}
			value = list[step]
		}
	}
	return value
}

// want compares a part of JSON with JSON.
func want(t *testing.T, text, wanted string, path ...any) {
	t.Helper()
	if diff := cmp.Diff(at(t, wanted), at(t, text, path...)); diff != "" {
		t.Errorf("%v (-want +got):\n%s", path, diff)
	}
}

// The shapes are those of Envoy 1.40 under Istio 1.31.
func TestTheAdminInterfaceHasEnvoysShapes(t *testing.T) {
	services := []config.Service{sidecartest.Reviews(t), sidecartest.TCPEcho(t)}
	m := startMesh(t, sidecar.Options{}, services,
		sidecartest.DestinationRule(t, "tcp-echo", `{"host":"tcp-echo","trafficPolicy":{"loadBalancer":{"consistentHash":{"httpHeaderName":"x-user"}}}}`),
		sidecartest.DestinationRule(t, "reviews", `{"host":"reviews","trafficPolicy":{
			"connectionPool":{"tcp":{"maxConnections":7,"connectTimeout":"3s"},"http":{"http1MaxPendingRequests":8,"http2MaxRequests":9,"maxRetries":4,"maxRequestsPerConnection":2}},
			"outlierDetection":{"consecutive5xxErrors":6,"interval":"2s","baseEjectionTime":"11s","maxEjectionPercent":60,"minHealthPercent":5}},
			"subsets":[{"name":"v1","labels":{"version":"v1"}},{"name":"v2","labels":{"version":"v2"},"trafficPolicy":{"connectionPool":{"http":{"http1MaxPendingRequests":3}},"outlierDetection":{"consecutiveGatewayErrors":2}}}]}`),
		sidecartest.VirtualService(t, "reviews", `{"hosts":["reviews"],"http":[
			{"name":"jason.run-1","match":[{"headers":{"end-user":{"exact":"jason"}}},{"uri":{"prefix":"/slow"}}],"fault":{"delay":{"fixedDelay":"0.05s","percentage":{"value":0.5}}},"route":[{"destination":{"host":"reviews","subset":"v2"}}]},
			{"name":"run-1","route":[{"destination":{"host":"reviews","subset":"v1"},"weight":90},{"destination":{"host":"reviews","subset":"v2"},"weight":10}]}]}`))

	routes := m.adminGet("/config_dump?resource=dynamic_route_configs&name_regex=9080")
	host := []any{"configs", 0, "route_config", "virtual_hosts", 0}
	want(t, routes, `"type.googleapis.com/envoy.admin.v3.RoutesConfigDump.DynamicRouteConfig"`, "configs", 0, "@type")
	want(t, routes, `"reviews.default.svc.cluster.local:9080"`, append(host, "name")...)
	want(t, routes, `["reviews.default.svc.cluster.local","reviews.default.svc.cluster.local.","reviews","reviews.default","reviews.default.svc"]`, append(host, "domains")...)
	want(t, routes, `"jason.run-1"`, append(host, "routes", 1, "name")...)
	want(t, routes, `{"prefix":"/","case_sensitive":true,"headers":[{"name":"end-user","string_match":{"exact":"jason"}}]}`, append(host, "routes", 0, "match")...)
	want(t, routes, `{"filter_metadata":{"istio":{"config":"/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews"}}}`, append(host, "routes", 0, "metadata")...)
	want(t, routes, `{"@type":"type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault","delay":{"fixed_delay":"0.050s","percentage":{"numerator":5000,"denominator":"MILLION"}}}`,
		append(host, "routes", 0, "typed_per_filter_config", "envoy.filters.http.fault")...)
	want(t, routes, `"outbound|9080|v2|reviews.default.svc.cluster.local"`, append(host, "routes", 1, "route", "cluster")...)
	want(t, routes, `{"clusters":[{"name":"outbound|9080|v1|reviews.default.svc.cluster.local","weight":90},{"name":"outbound|9080|v2|reviews.default.svc.cluster.local","weight":10}]}`,
		append(host, "routes", 2, "route", "weighted_clusters")...)

	clusters := m.adminGet(`/config_dump?resource=dynamic_active_clusters&name_regex=outbound.9080.v..reviews.*&mask=cluster.circuit_breakers,cluster.outlier_detection,cluster.typed_extension_protocol_options,cluster.common_lb_config`)
	want(t, clusters, `{"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster",
		"circuit_breakers":{"thresholds":[{"max_connections":7,"max_pending_requests":8,"max_requests":9,"max_retries":4}]},
		"common_lb_config":{"healthy_panic_threshold":{"value":5}},
		"outlier_detection":{"consecutive_5xx":6,"enforcing_consecutive_5xx":100,"interval":"2s","base_ejection_time":"11s","max_ejection_percent":60,"enforcing_success_rate":0},
		"typed_extension_protocol_options":{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions":{"@type":"type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
			"common_http_protocol_options":{"max_requests_per_connection":2},"explicit_http_config":{"http_protocol_options":{}}}}}`, "configs", 0, "cluster")
	want(t, clusters, `{"thresholds":[{"max_connections":4294967295,"max_pending_requests":3,"max_requests":4294967295,"max_retries":4294967295}]}`, "configs", 1, "cluster", "circuit_breakers")
	want(t, clusters, `{"consecutive_gateway_failure":2,"enforcing_consecutive_gateway_failure":100,"interval":"10s","base_ejection_time":"30s","max_ejection_percent":10,"enforcing_success_rate":0}`,
		"configs", 1, "cluster", "outlier_detection")

	ring := m.adminGet(`/config_dump?resource=dynamic_active_clusters&name_regex=outbound.9000.*&mask=cluster.lb_policy,cluster.ring_hash_lb_config`)
	want(t, ring, `{"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster","lb_policy":"RING_HASH","ring_hash_lb_config":{"minimum_ring_size":"1024"}}`, "configs", 0, "cluster")

	listeners := m.adminGet("/config_dump?resource=dynamic_listeners&name_regex=.*_9000")
	want(t, listeners, `{"socket_address":{"address":"tcp-echo.default.svc.cluster.local","port_value":9000}}`, "configs", 0, "active_state", "listener", "address")
	want(t, listeners, `"outbound|9000||tcp-echo.default.svc.cluster.local"`, "configs", 0, "active_state", "listener", "filter_chains", 0, "filters", 0, "typed_config", "cluster")

	want(t, m.adminGet("/config_dump?resource=dynamic_route_configs&name_regex=908"), `{}`)
	if n := len(at(t, m.adminGet("/config_dump"), "configs").([]any)); n != 3 {
		t.Errorf("the whole dump has %d parts", n)
	}
	want(t, m.adminGet("/server_info"), `"LIVE"`, "state")
	if got := m.adminGet("/ready"); got != "LIVE\n" {
		t.Errorf("/ready: %q", got)
	}
	resp, err := http.Get("http://" + m.admin.Address() + "/config_dump?resource=static_clusters")
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown resource: %s", resp.Status)
	}
}

func TestHostsAreCountedAsEnvoyCountsThem(t *testing.T) {
	h := sidecartest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bad" {
			w.WriteHeader(500)
		}
	})
	m := startMesh(t, sidecar.Options{}, []config.Service{sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", h))},
		sidecartest.DestinationRule(t, "web", `{"host":"web","trafficPolicy":{"outlierDetection":{"consecutive5xxErrors":2,"maxEjectionPercent":100}}}`))
	for _, path := range []string{"/", "/", "/bad", "/bad", "/ejected"} {
		m.get("http://web:8000" + path)
	}
	address, port := splitAddress(h)
	status := m.adminGet("/clusters?format=json")
	want(t, status, fmt.Sprintf(`{"address":{"socket_address":{"address":"%s","port_value":%d}},"weight":1,"locality":{},
		"health_status":{"eds_health_status":"HEALTHY","failed_outlier_check":true},
		"stats":[{"name":"cx_connect_fail"},{"name":"cx_total","value":"1"},{"name":"rq_error","value":"2"},{"name":"rq_success","value":"2"},{"name":"rq_timeout"},
			{"name":"rq_total","value":"4"},{"type":"GAUGE","name":"cx_active"},{"type":"GAUGE","name":"rq_active"}]}`, address, port), "cluster_statuses", 0, "host_statuses", 0)
	want(t, status, `{"thresholds":[{"max_connections":4294967295,"max_pending_requests":4294967295,"max_requests":4294967295,"max_retries":4294967295},
		{"priority":"HIGH","max_connections":1024,"max_pending_requests":1024,"max_requests":1024,"max_retries":3}]}`, "cluster_statuses", 0, "circuit_breakers")
	text := m.adminGet("/clusters")
	for _, line := range []string{"default_priority::max_connections::4294967295", h + "::rq_total::4", h + "::health_flags::/failed_outlier_check"} {
		if !strings.Contains(text, "outbound|8000||web.default.svc.cluster.local::"+line+"\n") {
			t.Errorf("there is no %s in\n%s", line, text)
		}
	}
}

func TestStatsAreFilteredAndHavePrometheusNames(t *testing.T) {
	m := startMesh(t, sidecar.Options{Name: "productpage-v1", App: "productpage", Version: "v1", Namespace: "default"}, []config.Service{sidecartest.Reviews(t)},
		sidecartest.VirtualService(t, "reviews", `{"hosts":["reviews"],"http":[{"match":[{"uri":{"prefix":"/abort"}}],"fault":{"abort":{"httpStatus":503,"percentage":{"value":100}}},"route":[{"destination":{"host":"reviews"}}]},
			{"route":[{"destination":{"host":"reviews"}}]}]}`))
	// Envoy makes a cluster's and a listener's stats before they count anything.
	for _, name := range []string{sidecartest.ClusterStat("outbound|9080||reviews", "upstream_rq_pending_overflow"), "http.outbound_0.0.0.0_9080;.fault.delays_injected"} {
		if n := m.stat(name); n != 0 {
			t.Errorf("%s is %d", name, n)
		}
	}
	m.get("http://reviews:9080/")
	m.get("http://reviews:9080/abort")
	sidecartest.Until(t, "both requests are counted", func() bool { return m.stat("http.outbound_0.0.0.0_9080;.downstream_rq_completed") == 2 })
	if got := m.adminGet("/stats?filter=rq_2xx$&usedonly"); got != "cluster.outbound|9080||reviews.default.svc.cluster.local;.upstream_rq_2xx: 1\nhttp.outbound_0.0.0.0_9080;.downstream_rq_2xx: 1\n" {
		t.Errorf("filtered: %s", got)
	}
	text := m.adminGet("/stats/prometheus")
	for _, line := range []string{
		`envoy_cluster_upstream_rq_pending_overflow{cluster_name="outbound|9080||reviews.default.svc.cluster.local"} 0`,
		`envoy_cluster_upstream_rq{cluster_name="outbound|9080||reviews.default.svc.cluster.local",response_code="200"} 1`,
		`envoy_cluster_upstream_rq{cluster_name="outbound|9080||reviews.default.svc.cluster.local",response_code_class="2xx"} 1`,
		`envoy_http_fault_aborts_injected{http_conn_manager_prefix="outbound_0.0.0.0_9080"} 1`,
		`# TYPE envoy_cluster_upstream_cx_active gauge`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("there is no %s", line)
		}
	}
	for _, labels := range [][]string{
		{`source_workload="productpage-v1"`, `source_version="v1"`, `destination_service="reviews.default.svc.cluster.local"`, `destination_service_name="reviews"`, `response_code="200"`, `response_flags="-"`, `reporter="source"`},
		{`destination_service="reviews.default.svc.cluster.local"`, `destination_version="unknown"`, `response_code="503"`, `response_flags="FI"`},
	} {
		found := false
		for line := range strings.Lines(text) {
			all := strings.HasPrefix(line, "istio_requests_total{") && strings.HasSuffix(line, " 1\n")
			for _, label := range labels {
				all = all && strings.Contains(line, label)
			}
			found = found || all
		}
		if !found {
			t.Errorf("no istio_requests_total has %v", labels)
		}
	}
}

// A change of a DestinationRule makes the clusters of its service anew, with
// hosts that count from 0; stats of the cluster go on. Others stay as they are.
func TestOnlyClustersThatChangeBeginAnew(t *testing.T) {
	services := []config.Service{sidecartest.Reviews(t), sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", sidecartest.Serve(t, sidecartest.Answering("web"))))}
	m := startMesh(t, sidecar.Options{}, services)
	m.get("http://reviews:9080/")
	m.get("http://web:8000/")
	updated := func(i int) any {
		return at(t, m.adminGet("/config_dump?resource=dynamic_active_clusters&mask=last_updated"), "configs", i, "last_updated")
	}
	requests := func(cluster string) (n int) {
		for line := range strings.Lines(m.adminGet("/clusters")) {
			if strings.HasPrefix(line, cluster) && strings.Contains(line, "::rq_total::") {
				one, err := strconv.Atoi(strings.TrimSpace(line[strings.LastIndex(line, ":")+1:]))
				if err != nil {
					t.Fatal(err)
				}
				n += one
			}
		}
		return n
	}
	before := []any{updated(0), updated(1)}
	sidecartest.Until(t, "the clock has moved on", func() bool { return lastUpdated(time.Now()) > before[1].(string) })
	m.push(sidecartest.VirtualService(t, "reviews", `{"hosts":["reviews"],"http":[{"name":"x","route":[{"destination":{"host":"reviews"}}]}]}`))
	if updated(0) != before[0] || requests("outbound|9080||reviews") != 1 {
		t.Error("a VirtualService made a cluster anew")
	}
	m.push(sidecartest.DestinationRule(t, "reviews", `{"host":"reviews","trafficPolicy":{"connectionPool":{"tcp":{"maxConnections":9}}}}`))
	if updated(0) == before[0] || requests("outbound|9080||reviews") != 0 {
		t.Error("a DestinationRule did not make its cluster anew")
	}
	if updated(1) != before[1] || requests("outbound|8000||web") != 1 {
		t.Error("a DestinationRule made another service's cluster anew")
	}
	if n := m.stat(sidecartest.ClusterStat("outbound|9080||reviews", "upstream_rq_total")); n != 1 {
		t.Errorf("the cluster's stats began anew: %d", n)
	}
}
