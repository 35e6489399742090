package envoy_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/envoy/envoytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStatsAreNamedWithoutTheSemicolonAndTextIsLeftOut(t *testing.T) {
	stats, err := envoytest.Serve(t, "client", "load").Stats(t.Context(),
		`^cluster\.outbound\|8000\|v[12]\|web\..*;?\.(upstream_rq_total|version_text)$`)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]uint64{
		"cluster.outbound|8000|v1|web.shop.svc.cluster.local.upstream_rq_total": 196,
		"cluster.outbound|8000|v2|web.shop.svc.cluster.local.upstream_rq_total": 29,
	}
	if diff := cmp.Diff(want, stats); diff != "" {
		t.Error(diff)
	}
}

func TestAStatOfAnUnusedClusterIsAbsentRatherThanZero(t *testing.T) {
	stats, err := envoytest.Serve(t, "client", "load").Stats(t.Context(), `^cluster\.outbound\|8088.*`)
	if err != nil {
		t.Fatal(err)
	}
	const cluster = "cluster.outbound|8088||unused.shop.svc.cluster.local."
	if _, ok := stats[cluster+"upstream_rq_pending_overflow"]; ok {
		t.Error("Envoy creates it with the cluster's first use")
	}
	if n, ok := stats[cluster+"circuit_breakers.default.rq_pending_open"]; !ok || n != 0 {
		t.Error("Envoy keeps the stats that it creates with the cluster")
	}
}

func TestClusters(t *testing.T) {
	clusters, err := envoytest.Serve(t, "client", "ejected").Clusters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []envoy.Cluster{{
		Name: envoy.ClusterName{Direction: envoy.Outbound, Port: 8000, Host: "other.shop.svc.cluster.local"},
		Thresholds: envoy.Thresholds{
			MaxConnections: 1, MaxPendingRequests: 1, MaxRequests: envoy.NoLimit, MaxRetries: envoy.NoLimit,
		},
		Hosts: []envoy.Host{{Address: "10.244.0.12:8080", Requests: 12, Errors: 1, Conns: 12, Ejected: true}},
	}}
	var got []envoy.Cluster
	for _, c := range clusters {
		if c.Name.Direction == envoy.Outbound {
			got = append(got, c)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// An endpoint may be out for other reasons than outlier detection.
func TestAnEndpointThatIsUnfitIsNoEjectedOne(t *testing.T) {
	for health, want := range map[string]envoy.Host{
		`{"eds_health_status":"HEALTHY"}`:   {},
		`{}`:                                {},
		`{"eds_health_status":"UNHEALTHY"}`: {Unfit: true},
		`{"eds_health_status":"DRAINING","failed_outlier_check":true}`:      {Unfit: true, Ejected: true},
		`{"eds_health_status":"HEALTHY","failed_active_health_check":true}`: {Unfit: true},
		`{"eds_health_status":"HEALTHY","pending_dynamic_removal":true}`:    {Unfit: true},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"cluster_statuses":[{"name":"outbound|80||web.shop","host_statuses":[{"address":{"socket_address":{"address":"10.0.0.1","port_value":80}},"health_status":%s}]}]}`, health)
		}))
		clusters, err := (&envoy.Admin{Client: server.Client(), Base: server.URL}).Clusters(t.Context())
		server.Close()
		if err != nil {
			t.Fatal(err)
		}
		want.Address = "10.0.0.1:80"
		if diff := cmp.Diff([]envoy.Host{want}, clusters[0].Hosts); diff != "" {
			t.Errorf("%s: %s", health, diff)
		}
	}
}

func TestClusterNames(t *testing.T) {
	for name, want := range map[string]envoy.ClusterName{
		"outbound|9080|v2|reviews.default.svc.cluster.local": {Direction: "outbound", Port: 9080, Subset: "v2", Host: "reviews.default.svc.cluster.local"},
		"inbound|8080||":                 {Direction: "inbound", Port: 8080},
		"PassthroughCluster":             {},
		"outbound|http||reviews.default": {},
		"sideways|80||reviews.default":   {},
	} {
		got, ok := envoy.ParseClusterName(name)
		if got != want || ok != (want != envoy.ClusterName{}) {
			t.Errorf("%s: got %+v, %v", name, got, ok)
		}
		if ok && got.String() != name {
			t.Errorf("%s is put together as %s", name, got)
		}
	}
}

func TestRoutes(t *testing.T) {
	hosts, err := envoytest.Serve(t, "client", "rules").VirtualHosts(t.Context(), "8000")
	if err != nil {
		t.Fatal(err)
	}
	want := []envoy.Route{
		{Name: "jason.meshchaos-r1"},
		{Name: "jason.meshchaos-r1"}, // one for each match
		{Name: "abort.meshchaos-r1"},
		{Name: "meshchaos-r1"},
	}
	for _, host := range hosts {
		if host.Name == "web.shop.svc.cluster.local:8000" {
			if diff := cmp.Diff(want, host.Routes); diff != "" {
				t.Error(diff)
			}
			return
		}
	}
	t.Error("there is no virtual host of web")
}

func TestOnlyActiveListenersAreReturned(t *testing.T) {
	gateway := envoytest.Serve(t, "gateway", "rules")
	want := []envoy.Listener{{Name: "0.0.0.0_31400", TCP: [][]envoy.Weighted{{
		{Cluster: "outbound|9000|v1|echo.shop.svc.cluster.local", Weight: 80},
		{Cluster: "outbound|9000|v2|echo.shop.svc.cluster.local", Weight: 20},
	}}}}
	got, err := gateway.Listeners(t.Context(), ".*_31400")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	gateway.Show("undone") // the listener is draining
	got, err = gateway.Listeners(t.Context(), ".*_31400")
	if len(got) > 0 || err != nil {
		t.Error(got, err)
	}
}

func TestClusterConfigs(t *testing.T) {
	configs, err := envoytest.Serve(t, "client", "rules").ClusterConfigs(t.Context(), `outbound\|8000\|.*\|web\..*`)
	if err != nil {
		t.Fatal(err)
	}
	rule := envoy.ClusterPolicy{
		Thresholds:               envoy.Thresholds{MaxConnections: 7, MaxPendingRequests: 8, MaxRequests: 9, MaxRetries: 4},
		MaxRequestsPerConnection: 2,
		Outlier:                  envoy.OutlierDetection{Consecutive5xx: 6, Interval: 2 * time.Second, BaseEjectionTime: 11 * time.Second, MaxEjectionPercent: 60},
		PanicThreshold:           50, Balancer: envoy.RoundRobin, // what Envoy does where a cluster says nothing, as the capture does
	}
	gatewayErrors := envoy.DefaultOutlierDetection
	gatewayErrors.ConsecutiveGatewayFailure = 2
	want := map[string]envoy.ClusterPolicy{"": rule, "v1": rule, "v2": {
		Thresholds: envoy.Thresholds{MaxConnections: envoy.NoLimit, MaxPendingRequests: 3, MaxRequests: envoy.NoLimit, MaxRetries: envoy.NoLimit},
		Outlier:    gatewayErrors, PanicThreshold: 50, Balancer: envoy.RoundRobin,
	}}
	got := map[string]envoy.ClusterPolicy{}
	for _, c := range configs {
		got[c.Name.Subset] = c.ClusterPolicy
		if c.LastUpdated == "" {
			t.Errorf("%s has no time of its last update", c.Name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestClusterConfigsTellEachPolicyOfASubset(t *testing.T) {
	client := envoytest.Serve(t, "client", "policies")
	configs, err := client.ClusterConfigsWithTLS(t.Context(), `outbound\|8000\|.*`)
	if err != nil {
		t.Fatal(err)
	}
	base := envoy.ClusterPolicy{
		Thresholds: envoytest.Unlimited(), Outlier: envoy.DefaultOutlierDetection, PanicThreshold: 40, Balancer: envoy.RoundRobin,
		ConnectTimeout: 3 * time.Second, IdleTimeout: 61 * time.Second, MaxConnectionDuration: time.Minute,
		Keepalive: envoy.Keepalive{Probes: 3, Time: time.Minute, Interval: 5 * time.Second}, TLS: envoy.AutoTLS,
	}
	base.Thresholds.MaxConnections = 5
	want := map[string]envoy.ClusterPolicy{}
	for subset, change := range map[string]func(*envoy.ClusterPolicy){
		"": nil, "v1": nil, "meshchaos-c797c023-1-0": nil,
		"rand": func(p *envoy.ClusterPolicy) { p.Balancer, p.TLS = envoy.Random, envoy.PlainText },
		"pass": func(p *envoy.ClusterPolicy) { p.Balancer, p.TLS = envoy.ClusterProvided, envoy.TLS },
		"ring": func(p *envoy.ClusterPolicy) { p.Balancer, p.TLS = envoy.RingHash, envoy.TLS },
		"warm": func(p *envoy.ClusterPolicy) { p.Balancer = envoy.LeastRequest },
		"rb": func(p *envoy.ClusterPolicy) {
			p.Thresholds, p.ConnectTimeout, p.MaxConnectionDuration, p.Keepalive = envoytest.Unlimited(), 10*time.Second, 0, envoy.Keepalive{}
			p.IdleTimeout = 9 * time.Second
		},
		"proxyp": nil,
		"out": func(p *envoy.ClusterPolicy) {
			p.Outlier.ConsecutiveLocalOriginFailure, p.Outlier.MaxEjectionPercent, p.PanicThreshold = 4, 100, 0
		},
	} {
		p := base
		if change != nil {
			change(&p)
		}
		want[subset] = p
	}
	got := map[string]envoy.ClusterPolicy{}
	for _, c := range configs {
		got[c.Name.Subset] = c.ClusterPolicy
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	without, err := client.ClusterConfigs(t.Context(), `outbound\|8000\|rand\|.*`)
	if err != nil || len(without) != 1 || without[0].TLS != "" {
		t.Errorf("%+v, error %v; want one, without TLS", without, err)
	}
	if warming, err := client.Warming(t.Context(), ""); err != nil || len(warming) > 0 {
		t.Errorf("warming %v, error %v", warming, err)
	}
}

// serve answers every path with one body.
func serve(t *testing.T, status int, body string) *envoy.Admin {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return &envoy.Admin{Client: server.Client(), Base: server.URL}
}

func TestRequestsReadsIstiosMetrics(t *testing.T) {
	got, err := serve(t, http.StatusOK, `# TYPE istio_requests_total counter
istio_requests_total{reporter="source",destination_service="ratings.shop.svc.cluster.local",destination_service_name="ratings",destination_version="v1",response_code="0",response_flags="DI,DC"} 7
# TYPE istio_tcp_connections_opened_total counter
istio_tcp_connections_opened_total{reporter="destination",destination_service="echo.shop.svc.cluster.local",response_flags="UO"} 3
# TYPE envoy_server_uptime gauge
envoy_server_uptime{} 5
`).Requests(t.Context())
	want := []envoy.Requests{
		{Reporter: "source", Host: "ratings.shop.svc.cluster.local", Flags: "DI,DC", Count: 7},
		{TCP: true, Reporter: "destination", Host: "echo.shop.svc.cluster.local", Flags: "UO", Count: 3},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Fatal(diff, err)
	}
	if !got[0].Flagged("DI") || got[0].Flagged("D") || got[0].Flagged("FI") {
		t.Error("the flags are not told apart")
	}
}

func TestAnswersThatAreNotAnEnvoysAreErrors(t *testing.T) {
	reads := map[string]func(*envoy.Admin, context.Context) error{
		"stats":    func(a *envoy.Admin, ctx context.Context) error { _, err := a.Stats(ctx, "."); return err },
		"clusters": func(a *envoy.Admin, ctx context.Context) error { _, err := a.Clusters(ctx); return err },
		"routes":   func(a *envoy.Admin, ctx context.Context) error { _, err := a.VirtualHosts(ctx, ""); return err },
		"requests": func(a *envoy.Admin, ctx context.Context) error { _, err := a.Requests(ctx); return err },
	}
	for name, read := range reads {
		if err := read(serve(t, http.StatusOK, "<html>"), t.Context()); err == nil || !strings.Contains(err.Error(), "decoding /") && !strings.Contains(err.Error(), "decoding dynamic") {
			t.Errorf("%s of HTML: %v", name, err)
		}
		if err := read(serve(t, http.StatusServiceUnavailable, ""), t.Context()); err == nil || !strings.Contains(err.Error(), "503") {
			t.Errorf("%s of a 503: %v", name, err)
		}
	}
}
