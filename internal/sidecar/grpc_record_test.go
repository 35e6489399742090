package sidecar

import (
	"fmt"
	"os"
	"slices"
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

func (c grpcCase) throughEnvoy(t *testing.T, program string) told {
	route := "max_grpc_timeout: 0s, timeout: 0s"
	if strings.Contains(c.route, "timeout:") && !strings.Contains(c.route, "retry") {
		route = ""
	}
	if c.route != "" {
		route = strings.TrimPrefix(route+", "+c.route, ", ")
	}
	const http2 = `typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {"@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http2_protocol_options: {}}}}, `
	e := startRecorded(t, program, "", c.filter, route, c.limits+http2, c.workload(t))
	conn, err := grpc.NewClient("passthrough:///"+e.address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	out := told{end: c.calls(t, healthpb.NewHealthClient(conn)), stats: map[string]int64{}, host: map[string]int64{}}
	sidecartest.Until(t, "the call is in the log", func() bool { return len(e.lines(t)) > 0 })
	line := strings.Fields(e.lines(t)[0])
	out.status, out.flags, out.details = line[0], line[1], line[2]
	for name, n := range e.stats(t, "cluster.web.") {
		if slices.Contains(comparedStats, name) {
			out.stats[name] = n
		}
	}
	out.host = e.host(t)
	return out
}
