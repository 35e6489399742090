package sidecar

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// recordCases has the Envoy of test/cluster make the calls.
func recordCases(t *testing.T) {
	program := envoyOf()
	if program == "" {
		t.Fatal("there is no Envoy; test/cluster fetches one")
	}
	var lines strings.Builder
	for _, c := range grpcCases() {
		t.Run("in Envoy: "+c.name, func(t *testing.T) {
			fmt.Fprintf(&lines, "%s: %s\n", c.name, c.throughEnvoy(t, program))
		})
	}
	if err := os.WriteFile(recorded, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// free is an address on which nothing listens yet.
func free(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (c grpcCase) throughEnvoy(t *testing.T, program string) told {
	host, port, err := net.SplitHostPort(c.workload(t))
	if err != nil {
		t.Fatal(err)
	}
	address, admin := free(t), free(t)
	_, own, _ := net.SplitHostPort(address)
	_, adminPort, _ := net.SplitHostPort(admin)
	log := filepath.Join(t.TempDir(), "log")
	route := "max_grpc_timeout: 0s, timeout: 0s"
	if strings.Contains(c.route, "timeout:") && !strings.Contains(c.route, "retry") {
		route = ""
	}
	if c.route != "" {
		route = strings.TrimPrefix(route+", "+c.route, ", ")
	}
	text := fmt.Sprintf(`admin: {address: {socket_address: {address: 127.0.0.1, port_value: %s}}}
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: %s}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: x
          access_log: [{name: file, typed_config: {"@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, path: %q, log_format: {text_format_source: {inline_string: "%%RESPONSE_CODE%% %%RESPONSE_FLAGS%% %%RESPONSE_CODE_DETAILS%% %%PROTOCOL%% %%GRPC_STATUS_NUMBER%% %%BYTES_RECEIVED%% %%BYTES_SENT%%\n"}}}}]
          route_config: {virtual_hosts: [{name: web, domains: ["*"], routes: [{match: {prefix: "/"}, route: {cluster: web, %s}}]}]}
          http_filters: [%s{name: envoy.filters.http.router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]
  clusters:
  - {name: web, %sconnect_timeout: 1s, typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {"@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http2_protocol_options: {}}}}, load_assignment: {cluster_name: web, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %s, port_value: %s}}}}]}]}}
`, adminPort, own, log, route, c.filter, c.limits, host, port)
	cmd := exec.Command(program, "--config-yaml", text, "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error", "--file-flush-interval-msec", "20")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	sidecartest.Until(t, "Envoy listens", func() bool {
		conn, err := net.Dial("tcp", address)
		return err == nil && conn.Close() == nil
	})
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	out := told{end: c.calls(t, healthpb.NewHealthClient(conn)), stats: map[string]int64{}, host: map[string]int64{}}
	var line []string
	sidecartest.Until(t, "the call is in the log", func() bool {
		text, err := os.ReadFile(log)
		line = strings.Fields(string(text))
		return err == nil && len(line) > 0
	})
	out.status, out.flags, out.details = line[0], line[1], line[2]
	var stats struct {
		Stats []struct {
			Name  string
			Value json.Number
		}
	}
	adminJSON(t, "http://"+admin+"/stats?format=json&filter=cluster.web", &stats)
	for _, s := range stats.Stats {
		for _, name := range comparedStats {
			if s.Name == "cluster.web."+name {
				if n, _ := s.Value.Int64(); n > 0 {
					out.stats[name] = n
				}
			}
		}
	}
	var clusters struct {
		Statuses []struct {
			Hosts []struct {
				Stats []struct {
					Name  string
					Value string
				}
			} `json:"host_statuses"`
		} `json:"cluster_statuses"`
	}
	adminJSON(t, "http://"+admin+"/clusters?format=json", &clusters)
	for _, cl := range clusters.Statuses {
		for _, h := range cl.Hosts {
			for _, s := range h.Stats {
				if n := (json.Number)(s.Value); strings.HasPrefix(s.Name, "rq_") && s.Name != "rq_active" && n != "" {
					out.host[s.Name], _ = n.Int64()
				}
			}
		}
	}
	return out
}

func adminJSON(t *testing.T, url string, into any) {
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
}
