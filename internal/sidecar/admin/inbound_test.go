package admin

import (
	"net"
	"net/http"
	"slices"
	"testing"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// What a proxy has for its own workload, as Envoy's reader reads it.
func TestTheInboundSideIsInTheDump(t *testing.T) {
	inbound, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	service := sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", inbound.Addr().String()))
	options := sidecar.Options{Name: "web-v1", App: "web", Version: "v1", Namespace: "default", Inbound: inbound, Workload: sidecartest.Unused}
	m := startMesh(t, options, []config.Service{service}, sidecartest.DestinationRule(t, "web", `{"host":"web","trafficPolicy":{
		"connectionPool":{"tcp":{"maxConnections":1},"http":{"http1MaxPendingRequests":2,"maxRequestsPerConnection":3}},
		"outlierDetection":{"consecutiveGatewayErrors":1},"loadBalancer":{"simple":"RANDOM"}}}`))
	admin := &envoy.Admin{Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, Base: "http://" + m.admin.Address()}
	port := inbound.Addr().(*net.TCPAddr).Port
	name := envoy.ClusterName{Direction: envoy.Inbound, Port: port}

	configs, err := admin.ClusterConfigs(t.Context(), `inbound\|.*`)
	if err != nil || len(configs) != 1 || configs[0].Name != name {
		t.Fatalf("its clusters are %v, error %v", configs, err)
	}
	limits := envoy.Thresholds{MaxConnections: 1, MaxPendingRequests: 2, MaxRequests: envoy.NoLimit, MaxRetries: envoy.NoLimit}
	if got := configs[0]; got.Thresholds != limits || got.MaxRequestsPerConnection != 3 || got.Outlier != (envoy.OutlierDetection{}) || got.Balancer != envoy.ClusterProvided {
		t.Errorf("the cluster's policy is %+v", got.ClusterPolicy)
	}
	clusters, err := admin.Clusters(t.Context())
	own := slices.IndexFunc(clusters, func(c envoy.Cluster) bool { return c.Name == name })
	if err != nil || own < 0 || clusters[own].Thresholds != limits || len(clusters[own].Hosts) != 1 {
		t.Errorf("/clusters has %+v, error %v", clusters, err)
	}

	listener := m.adminGet("/config_dump?resource=dynamic_listeners&name_regex=virtualInbound")
	route := []any{"configs", 0, "active_state", "listener", "filter_chains", 0, "filters", 0, "typed_config", "route_config", "virtual_hosts", 0, "routes", 0}
	for text, below := range map[string][]any{
		`"` + name.String() + `"`: {"route", "cluster"}, `"reset-before-request"`: {"route", "retry_policy", "retry_on"}, `"default"`: {"name"},
	} {
		want(t, listener, text, slices.Concat(route, below)...)
	}
	logs, err := admin.AccessLogs(t.Context(), "virtualInbound")
	if err != nil || len(logs) != 1 || !logs[0].Whole() {
		t.Errorf("it logs %+v, error %v", logs, err)
	}
}
