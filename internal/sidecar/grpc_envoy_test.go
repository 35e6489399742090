package sidecar

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// grpcCase is a way in which a call can go, with its rule in Istio's words and in Envoy's.
type grpcCase struct {
	name   string
	rule   string // of a VirtualService's entry, beside its route
	policy string // of a DestinationRule
	filter string // of Envoy's chain
	route  string // of Envoy's route action, beside its cluster
	limits string // of Envoy's cluster
	server func() func(service string) error
	stream bool
	away   bool // nobody listens
	hangup bool // the workload takes the connection and closes it
	silent bool // it takes the connection, and says nothing
}

func always(err error) func() func(string) error {
	return func() func(string) error { return func(string) error { return err } }
}

// failing fails so many times, then it does what the other does.
func failing(times int64, err, then error) func() func(string) error {
	return func() func(string) error {
		var n atomic.Int64
		return func(string) error {
			if n.Add(1) <= times {
				return err
			}
			return then
		}
	}
}

const (
	istioRetries = `"retries": {"attempts": 2, "retryOn": "unavailable,cancelled", "backoff": "0.001s"}`
	envoyRetries = `retry_policy: {retry_on: "unavailable,cancelled", num_retries: 2, retry_back_off: {base_interval: 0.001s}}`
)

func istioAbort(kind string) string {
	return `"fault": {"abort": {` + kind + `, "percentage": {"value": 100}}}`
}

func envoyAbort(kind string) string {
	return `{name: envoy.filters.http.fault, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, ` +
		`abort: {` + kind + `, percentage: {numerator: 100}}}}, `
}

func grpcCases() []grpcCase {
	unavailable := status.Error(codes.Unavailable, "gone away: 3 %")
	cases := []grpcCase{
		{name: "answered", server: always(nil)},
		{name: "refused by the workload", server: always(status.Error(codes.NotFound, "no such thing"))},
		{name: "failed by the workload", server: always(status.Error(codes.Internal, "broken"))},
		{name: "a stream that ends well", stream: true, server: failing(3, nil, io.EOF)},
		{name: "a stream that fails", stream: true, server: failing(3, nil, unavailable)},
		{name: "aborted with a code", rule: istioAbort(`"grpcStatus": "UNAVAILABLE"`), filter: envoyAbort(`grpc_status: 14`)},
		{name: "aborted with another code", rule: istioAbort(`"grpcStatus": "RESOURCE_EXHAUSTED"`), filter: envoyAbort(`grpc_status: 8`)},
		{name: "aborted in spite of retries", rule: istioAbort(`"grpcStatus": "UNAVAILABLE"`) + ", " + istioRetries, filter: envoyAbort(`grpc_status: 14`), route: envoyRetries},
		{name: "retried", rule: istioRetries, route: envoyRetries, server: failing(1, unavailable, nil)},
		{name: "retried for another reason", rule: istioRetries, route: envoyRetries, server: failing(1, status.Error(codes.Aborted, "no"), nil)},
		{name: "retried in vain", rule: istioRetries, route: envoyRetries, server: always(unavailable)},
		{name: "a stream that fails is not retried", stream: true, rule: istioRetries, route: envoyRetries, server: failing(1, nil, unavailable)},
		{name: "nobody listens", away: true, rule: `"retries": {"attempts": 0}`},
		{name: "too many", policy: `{"connectionPool": {"http": {"http2MaxRequests": 1}}}`, limits: `circuit_breakers: {thresholds: [{max_requests: 1}]}, `, server: nil},
		{name: "late", silent: true, rule: `"timeout": "0.2s", "retries": {"attempts": 0}`, route: "timeout: 0.2s, max_grpc_timeout: 0.2s"},
		{name: "hung up on", hangup: true, rule: `"retries": {"attempts": 0}`},
	}
	for _, s := range []int{400, 401, 403, 404, 429, 500, 501, 502, 503, 504} {
		cases = append(cases, grpcCase{
			name: fmt.Sprintf("aborted with status %d", s),
			rule: istioAbort(fmt.Sprintf(`"httpStatus": %d`, s)), filter: envoyAbort(fmt.Sprintf(`http_status: %d`, s)),
		})
	}
	return cases
}

// workload is where the case's workload is.
func (c grpcCase) workload(t *testing.T) string {
	switch {
	case c.away:
		return sidecartest.Unused
	case c.hangup, c.silent:
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					_, _ = io.ReadFull(conn, make([]byte, 100)) // the preface, and of the call
					if c.silent {
						_, _ = io.Copy(io.Discard, conn)
					}
					conn.Close()
				}()
			}
		}()
		return l.Addr().String()
	case c.server != nil:
		return serveGRPC(t, c.server())
	}
	return serveGRPC(t, fine)
}

// calls makes the case's calls and says how they ended.
func (c grpcCase) calls(t *testing.T, client healthpb.HealthClient) string {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	switch {
	case c.name == "too many":
		held, err := client.Watch(ctx, &healthpb.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := held.Recv(); err != nil {
			t.Fatal(err)
		}
	case c.stream:
		s, err := client.Watch(ctx, &healthpb.HealthCheckRequest{})
		n := 0
		for err == nil {
			_, err = s.Recv()
			n++
		}
		return fmt.Sprintf("%d: %v", n-1, err)
	}
	return codeOf(ctx, client, "")
}

// told is what can be told of a call afterwards.
type told struct {
	end, status, flags, details string
	stats, host                 map[string]int64
}

func (t told) String() string {
	counts := func(of map[string]int64) string {
		return strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(of), "map["), "]")
	}
	logged := strings.TrimSpace(t.status + " " + t.flags + " " + t.details)
	return strings.TrimSpace(fmt.Sprintf("%s; %s; %s; %s", t.end, logged, counts(t.stats), counts(t.host)))
}

// comparedStats are those of a cluster that are held against Envoy's.
var comparedStats = []string{
	"upstream_rq_total", "upstream_rq_completed", "upstream_rq_200", "upstream_rq_2xx", "upstream_rq_503", "upstream_rq_504", "upstream_rq_5xx",
	"retry.upstream_rq_200", "upstream_rq_retry", "upstream_rq_retry_success", "upstream_rq_retry_limit_exceeded",
	"upstream_rq_pending_overflow", "upstream_rq_active_overflow", "upstream_rq_timeout", "upstream_cx_http2_total", "upstream_cx_connect_fail",
}

// recorded is what Envoy 1.40 made of the cases, one a line.
const recorded = "testdata/grpc-envoy.txt"

var recordGRPC = flag.Bool("record", false, "have Envoy make the calls of gRPC and record how they go")

func TestCallsOfGRPCGoAsInEnvoy(t *testing.T) {
	if *recordGRPC {
		recordCases(t)
	}
	text, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	envoy := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, how, _ := strings.Cut(strings.TrimSpace(line), ": ")
		envoy[name] = how
	}
	for _, c := range grpcCases() {
		t.Run(c.name, func(t *testing.T) {
			if got := c.throughSidecar(t).String(); got != envoy[c.name] {
				t.Errorf("Envoy: %s\nhere:  %s", envoy[c.name], got)
			}
		})
	}
}

func (c grpcCase) throughSidecar(t *testing.T) told {
	rule := `"route": [{"destination": {"host": "web"}}]`
	if c.rule != "" {
		rule += ", " + c.rule
	}
	objects := sidecartest.VirtualService(t, "web", `{"hosts": ["web"], "http": [{`+rule+`}]}`)
	services := grpcService(sidecartest.Endpoint("web", "v1", c.workload(t)))
	m := startMesh(t, Options{}, []config.Service{services}, objects)
	if c.policy != "" {
		m.push(objects, sidecartest.DestinationRule(t, "web", `{"host": "web", "trafficPolicy": `+c.policy+`}`))
	}
	out := told{end: c.calls(t, m.health(t)), stats: map[string]int64{}, host: map[string]int64{}}
	sidecartest.Until(t, "the call is in the log", func() bool { return len(m.lines.all()) > 0 })
	e := m.lines.all()[0]
	out.status, out.flags, out.details = fmt.Sprint(e.status), e.flags, e.details
	for _, s := range m.Stats() {
		for _, name := range comparedStats {
			if s.Name == "cluster.outbound|7070||web.default.svc.cluster.local;."+name && s.Value > 0 {
				out.stats[name] = s.Value
			}
		}
	}
	for _, cl := range m.Snapshot().Clusters {
		for _, h := range cl.Hosts {
			out.host = nonzero(map[string]int64{"rq_success": h.RqSuccess, "rq_error": h.RqError, "rq_total": h.RqTotal, "rq_timeout": h.RqTimeout})
		}
	}
	return out
}

func nonzero(m map[string]int64) map[string]int64 {
	for k, v := range m {
		if v == 0 {
			delete(m, k)
		}
	}
	return m
}
