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

	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// recordedEnvoy is an Envoy that is asked what it makes of something.
type recordedEnvoy struct{ address, admin, log string }

// startRecorded starts one before an endpoint, that of the cluster web, with fields of its
// connection manager, filters before its router, and fields of its route and its cluster,
// each in Envoy's words. It ends with the test.
func startRecorded(t *testing.T, program, manager, filters, route, cluster, endpoint string) recordedEnvoy {
	host, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	e := recordedEnvoy{address: free(t), admin: free(t), log: filepath.Join(t.TempDir(), "log")}
	_, own, _ := net.SplitHostPort(e.address)
	_, adminPort, _ := net.SplitHostPort(e.admin)
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
          %s
  clusters:
  - {name: web, %sconnect_timeout: 1s, load_assignment: {cluster_name: web, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %s, port_value: %s}}}}]}]}}
`, adminPort, own, e.log, route, filters, manager, cluster, host, port)
	cmd := exec.Command(program, "--config-yaml", text, "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error", "--file-flush-interval-msec", "20")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	sidecartest.Until(t, "Envoy listens", func() bool {
		conn, err := net.Dial("tcp", e.address)
		return err == nil && conn.Close() == nil
	})
	return e
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

// lines are those of its access log.
func (e recordedEnvoy) lines(t *testing.T) []string {
	text, err := os.ReadFile(e.log)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")[:strings.Count(string(text), "\n")]
}

// stats are the counters whose names begin so, by what follows.
func (e recordedEnvoy) stats(t *testing.T, prefixes ...string) map[string]int64 {
	var got struct {
		Stats []struct {
			Name  string
			Value json.Number
		}
	}
	adminJSON(t, "http://"+e.admin+"/stats?format=json", &got)
	out := map[string]int64{}
	for _, s := range got.Stats {
		for _, prefix := range prefixes {
			name, ok := strings.CutPrefix(s.Name, prefix)
			if n, _ := s.Value.Int64(); ok && n > 0 {
				out[name] = n
			}
		}
	}
	return out
}

// host is what it counts of its endpoint.
func (e recordedEnvoy) host(t *testing.T) map[string]int64 {
	var clusters struct {
		Statuses []struct {
			Name  string
			Hosts []struct {
				Stats []struct {
					Name  string
					Value string
				}
			} `json:"host_statuses"`
		} `json:"cluster_statuses"`
	}
	adminJSON(t, "http://"+e.admin+"/clusters?format=json", &clusters)
	out := map[string]int64{}
	for _, cl := range clusters.Statuses {
		for _, h := range cl.Hosts {
			for _, s := range h.Stats {
				if n := json.Number(s.Value); strings.HasPrefix(s.Name, "rq_") && s.Name != "rq_active" && n != "" {
					out[s.Name], _ = n.Int64()
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
