package sidecar

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// webStat is the name of a stat of the cluster of web, whose port is named grpc.
func webStat(name string) string { return sidecartest.ClusterStat("outbound|7070||web", name) }

func TestCallsOfOneConnectionShareOneToTheHost(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	m := startMesh(t, Options{}, []config.Service{grpcService(sidecartest.Endpoint("web", "v1", serveGRPC(t, func(string) error {
		arrived <- struct{}{}
		<-leave
		return nil
	})))})
	c := m.health(t)
	const many = 50
	var calls sync.WaitGroup
	for range many {
		calls.Go(func() {
			if got := codeOf(t.Context(), c, ""); got != "OK" {
				t.Errorf("a call ended with %q", got)
			}
		})
	}
	for range many {
		<-arrived
	}
	if n := m.stat(webStat("upstream_rq_active")); n != many {
		t.Errorf("%d calls are under way, want %d", n, many)
	}
	close(leave)
	calls.Wait()
	if n := m.stat(webStat("upstream_cx_http2_total")); n != 1 {
		t.Errorf("the proxy made %d connections for calls of one, want 1", n)
	}
}

func TestAConnectionCarriesSoManyCallsAndNoMore(t *testing.T) {
	services := []config.Service{grpcService(sidecartest.Endpoint("web", "v1", serveGRPC(t, fine)))}
	m := startMesh(t, Options{}, services, sidecartest.DestinationRule(t, "web", `{"host": "web", "trafficPolicy": {"connectionPool": {"http": {"maxRequestsPerConnection": 3}}}}`))
	c := m.health(t)
	for range 9 {
		if got := codeOf(t.Context(), c, ""); got != "OK" {
			t.Fatalf("a call ended with %q", got)
		}
	}
	for name, want := range map[string]int64{"upstream_cx_total": 3, "upstream_cx_max_requests": 3, "upstream_rq_total": 9} {
		if n := m.stat(webStat(name)); n != want {
			t.Errorf("%s is %d, want %d", name, n, want)
		}
	}
	sidecartest.Until(t, "all connections are closed", func() bool { return m.stat(webStat("upstream_cx_active")) == 0 })
}

func TestAConnectionThatIsLostIsMadeAnew(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var conns []net.Conn
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
		_, _ = w.Write([]byte{0, 0, 0, 0, 2, 8, 1}) // SERVING
	}))
	server.Listener.Close()
	server.Listener = l
	server.Config.Protocols = unencryptedHTTP2()
	server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		mu.Lock()
		defer mu.Unlock()
		conns = append(conns, c)
		return ctx
	}
	server.Start()
	t.Cleanup(server.Close)
	m := startMesh(t, Options{}, []config.Service{grpcService(sidecartest.Endpoint("web", "v1", l.Addr().String()))})
	c := m.health(t)
	for range 2 {
		if got := codeOf(t.Context(), c, ""); got != "OK" {
			t.Fatalf("a call ended with %q", got)
		}
		mu.Lock()
		conns[len(conns)-1].Close()
		mu.Unlock()
		sidecartest.Until(t, "the proxy has noticed", func() bool { return m.stat(webStat("upstream_cx_active")) == 0 })
	}
	if n := m.stat(webStat("upstream_cx_destroy_remote")); n != 2 {
		t.Errorf("the other side closed %d connections, want 2", n)
	}
}

func TestCallsAreCountedAsSuch(t *testing.T) {
	p := newGRPCPair(t, func(service string) error {
		if service == "none" {
			return status.Error(codes.NotFound, "no such service")
		}
		return nil
	})
	c := p.caller.health(t)
	for _, service := range []string{"", "none"} {
		codeOf(t.Context(), c, service)
	}
	for _, proxy := range []*mesh{p.caller, p.called.mesh} {
		seen := map[string]int64{}
		sidecartest.Until(t, "both calls have ended", func() bool {
			for _, s := range proxy.Stats() {
				if s.Tagged == "istio_requests_total" {
					seen[s.Tags["request_protocol"]+" "+s.Tags["response_code"]+" "+s.Tags["grpc_response_status"]] = s.Value
				}
			}
			return len(seen) == 2
		})
		if seen["grpc 200 0"] != 1 || seen["grpc 200 5"] != 1 {
			t.Errorf("the proxy of %s counted %v", proxy.options.Name, seen)
		}
		if line := string(proxy.KeptLog()); !strings.Contains(line, `"POST /grpc.health.v1.Health/Check HTTP/2" 200 - via_upstream`) {
			t.Errorf("the log of %s is\n%s", proxy.options.Name, line)
		}
	}
}

func TestACallThatIsGivenUpIsReset(t *testing.T) {
	ended := make(chan struct{})
	s := sidecartest.Endpoint("web", "v1", serveH2(t, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(ended)
	}))
	m := startMesh(t, Options{}, []config.Service{grpcService(s)})
	ctx, cancel := context.WithCancel(t.Context())
	w, err := m.health(t).Watch(ctx, &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	sidecartest.Until(t, "the host has the call", func() bool { return m.stat(webStat("upstream_rq_active")) == 1 })
	cancel()
	if _, err := w.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("the call ended with %v", err)
	}
	<-ended
	sidecartest.Until(t, "the call is in the log", func() bool { return len(m.lines.all()) == 1 })
	if got := m.lastFlags(); got != "DR http2.remote_reset" {
		t.Errorf("the log has %q", got)
	}
	if n := m.stat(webStat("upstream_cx_active")); n != 1 {
		t.Errorf("there are %d connections to the host, want the one that was there", n)
	}
}

// serveH2 is a server of HTTP/2 without TLS whose address is an endpoint's.
func serveH2(t testing.TB, h http.HandlerFunc) string {
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = unencryptedHTTP2()
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// h2 is a client of HTTP/2 without TLS, through the proxy.
func (m *mesh) h2() *http.Client {
	transport := &http.Transport{DialContext: m.Dial, Protocols: unencryptedHTTP2(), DisableCompression: true}
	m.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// TestThePortSaysWhatAHostIsSpokenTo: of a client it does not matter what it speaks.
func TestThePortSaysWhatAHostIsSpokenTo(t *testing.T) {
	proto := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }
	plain := sidecartest.Service("plain", 8000, false, sidecartest.Endpoint("plain", "v1", sidecartest.Serve(t, proto)))
	m := startMesh(t, Options{}, []config.Service{plain, grpcService(sidecartest.Endpoint("web", "v1", serveH2(t, proto)))})
	for client, c := range map[string]*http.Client{"HTTP/1.1": m.client, "HTTP/2.0": m.h2()} {
		for url, want := range map[string]string{"http://plain:8000/": "HTTP/1.1", "http://web:7070/": "HTTP/2.0"} {
			g, err := sidecartest.Get(c, url)
			if err != nil {
				t.Fatal(err)
			}
			if g.Body != want {
				t.Errorf("a client of %s reached %s by %s, want %s", client, url, g.Body, want)
			}
		}
	}
}

// TestACallMayTakeAsLongAsItsCallerSays, as far as its route allows it; the host is told.
func TestACallMayTakeAsLongAsItsCallerSays(t *testing.T) {
	told := make(chan string, 1)
	endpoint := sidecartest.Endpoint("web", "v1", serveH2(t, func(_ http.ResponseWriter, r *http.Request) {
		told <- r.Header.Get("Grpc-Timeout")
		<-r.Context().Done()
	}))
	const short = "500m"
	for _, tt := range []struct{ route, said, told string }{
		{"3600s", short, short}, {"0.5s", "10S", short}, {"10s", short, short}, {"0.5s", "", short}, {"0.5s", "junk", short},
	} {
		rule := `{"hosts": ["web"], "http": [{"route": [{"destination": {"host": "web"}}], "timeout": "` + tt.route + `"}]}`
		m := startMesh(t, Options{}, []config.Service{grpcService(endpoint)}, sidecartest.VirtualService(t, "web", rule))
		r, err := http.NewRequest(http.MethodPost, "http://web:7070/x.Y/Z", strings.NewReader("\x00\x00\x00\x00\x00"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/grpc+proto")
		if tt.said != "" {
			r.Header.Set("Grpc-Timeout", tt.said)
		}
		began := time.Now()
		response, err := m.h2().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		code, text := response.Header.Get("Grpc-Status"), response.Header.Get("Grpc-Message")
		if code != "14" || text != "upstream request timeout" || time.Since(began) < 500*time.Millisecond {
			t.Errorf("a route of %s and a caller of %q: it ended with %q %q after %s", tt.route, tt.said, code, text, time.Since(began))
		}
		if got := <-told; got != tt.told {
			t.Errorf("a route of %s and a caller of %q: the host was told %q, want %q", tt.route, tt.said, got, tt.told)
		}
	}
}

func TestGRPCTimeoutsAreReadAndWritten(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1H": time.Hour, "2M": 2 * time.Minute, "3S": 3 * time.Second, "4m": 4 * time.Millisecond, "5u": time.Millisecond, "1000001n": 2 * time.Millisecond,
		"": 0, "5": 0, "m": 0, "-1S": 0, "123456789S": 0, "1x": 0,
	} {
		if got := readGRPCTimeout(text); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	for ms, want := range map[int64]string{1: "1m", 99_999_999: "99999999m", 100_000_000: "100000S", 100_000_000_000: "1666666M"} {
		if got := grpcDuration(ms); got != want {
			t.Errorf("%d ms is written %q, want %q", ms, got, want)
		}
	}
}

// TestOutlierDetectionKnowsCodes that come at once; those behind messages it does not see.
func TestOutlierDetectionKnowsCodes(t *testing.T) {
	unavailable := func(string) error { return status.Error(codes.Unavailable, "gone") }
	m := startMesh(t, Options{}, []config.Service{grpcService(sidecartest.Endpoint("web", "v1", serveGRPC(t, unavailable)))},
		sidecartest.VirtualService(t, "web", `{"hosts": ["web"], "http": [{"route": [{"destination": {"host": "web"}}], "retries": {"attempts": 0}}]}`),
		sidecartest.DestinationRule(t, "web", `{"host": "web", "trafficPolicy": {"outlierDetection": {"consecutive5xxErrors": 3, "interval": "60s", "baseEjectionTime": "60s", "maxEjectionPercent": 100}}}`))
	c := m.health(t)
	for range 3 {
		codeOf(t.Context(), c, "")
	}
	if n := m.stat(webStat("outlier_detection.ejections_enforced_consecutive_5xx")); n != 1 {
		t.Errorf("%d ejections, want 1", n)
	}
	sidecartest.Until(t, "the workers know", func() bool { return codeOf(t.Context(), c, "") == "Unavailable: no healthy upstream" })
}
