package sidecar

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// envoyOf is the Envoy that test/cluster has fetched; empty: it has not.
func envoyOf() string {
	path := filepath.Join(cmp.Or(os.Getenv("MESHCHAOS_CLUSTER_CACHE"), "/var/cache/meshchaos-rig"), "bin", "envoy")
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// envoyRules are, in Envoy's words, those of BenchmarkHop.
const (
	envoyMatch = `{match: {prefix: "/", headers: [{name: end-user, string_match: {exact: jason}}]}, route: {cluster: web, timeout: 0s}}, `
	envoyFault = `{name: envoy.filters.http.fault, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, ` +
		`delay: {fixed_delay: 1s, percentage: {numerator: 0}}, abort: {http_status: 500, percentage: {numerator: 0}}}}, `
)

// startEnvoy starts an Envoy of two workers, as a sidecar has, on loopback before an
// endpoint, and returns its address. It ends with the benchmark.
func startEnvoy(b *testing.B, program, endpoint, routes, filters, timeout string) string {
	host, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		b.Fatal(err)
	}
	address := free(b)
	_, own, err := net.SplitHostPort(address)
	if err != nil {
		b.Fatal(err)
	}
	config := fmt.Sprintf(`static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: %s}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: bench
          route_config: {virtual_hosts: [{name: web, domains: ["*"], routes: [%s{match: {prefix: "/"}, route: {cluster: web, timeout: %s}}]}]}
          http_filters: [%s{name: envoy.filters.http.router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]
  clusters:
  - {name: web, load_assignment: {cluster_name: web, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %s, port_value: %s}}}}]}]}}
`, own, routes, timeout, filters, host, port)
	cmd := exec.Command(program, "--config-yaml", config, "--concurrency", "2", "--use-dynamic-base-id", "--log-level", "error")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	sidecartest.Until(b, "Envoy listens", func() bool {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
	return address
}
