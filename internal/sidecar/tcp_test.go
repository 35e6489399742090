package sidecar

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

const echoRoute = `[{"match":[{"port":31400}],"route":[{"destination":{"host":"tcp-echo","port":{"number":9000},"subset":"v1"},"weight":%d},
	{"destination":{"host":"tcp-echo","port":{"number":9000},"subset":"v2"},"weight":%d}]}]`

func echoGateway(t testing.TB, v1, v2 int) []*rules.Object {
	return []*rules.Object{
		sidecartest.Subsets(t, "tcp-echo"),
		sidecartest.Gateway(t, "tcp-echo-gateway", `{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":31400,"name":"tcp","protocol":"TCP"},"hosts":["*"]}]}`),
		sidecartest.VirtualService(t, "tcp-echo", `{"hosts":["*"],"gateways":["tcp-echo-gateway"],"tcp":`+fmt.Sprintf(echoRoute, v1, v2)+`}`),
	}
}

// lines writes lines on one connection and returns what came back.
func lines(t testing.TB, c net.Conn, each ...string) string {
	t.Helper()
	defer c.Close()
	if _, err := io.WriteString(c, strings.Join(each, "\n")+"\n"); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	back, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(back)
}

func (m *mesh) gateway(port int) net.Conn {
	m.t.Helper()
	address, err := m.GatewayAddress(port)
	if err != nil {
		m.t.Fatal(err)
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		m.t.Fatal(err)
	}
	return c
}

func TestTheGatewayDrawsAVersionForEachConnection(t *testing.T) {
	m := startMesh(t, Options{Name: "istio-ingressgateway", Gateway: true, Seed: 3}, []config.Service{sidecartest.TCPEcho(t)}, echoGateway(t, 80, 20)...)
	versions := map[string]int{}
	for range 200 {
		switch got := lines(t, m.gateway(31400), "hello", "again"); got {
		case "one hello\none again\n":
			versions["v1"]++
		case "two hello\ntwo again\n":
			versions["v2"]++
		default:
			t.Fatalf("one connection got %q", got)
		}
	}
	if versions["v2"] < 10 || versions["v2"] > 80 {
		t.Errorf("the connections went to %v", versions)
	}
	for version, n := range versions {
		if got := m.stat(sidecartest.ClusterStat("outbound|9000|"+version+"|tcp-echo", "upstream_cx_total")); got != int64(n) {
			t.Errorf("the proxy counted %d connections to %s, the client saw %d", got, version, n)
		}
	}
	sidecartest.Until(t, "none is open", func() bool {
		return m.stat(sidecartest.ClusterStat("outbound|9000|v1|tcp-echo", "upstream_cx_active")) == 0
	})
}

func TestAGatewaysPortRefusesUntilItsObjectsAreThere(t *testing.T) {
	m := startMesh(t, Options{Name: "istio-ingressgateway", Gateway: true}, []config.Service{sidecartest.TCPEcho(t), sidecartest.Reviews(t)})
	refuses := func(port int) bool {
		address, err := m.GatewayAddress(port)
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	}
	if !refuses(31400) {
		t.Error("without a Gateway the port is open")
	}
	objects := echoGateway(t, 1, 0)
	m.push(objects[:2]...)
	if !refuses(31400) {
		t.Error("a TCP port to which no VirtualService leads is open")
	}
	m.push(objects...)
	held := m.gateway(31400)
	if _, err := io.WriteString(held, "before\n"); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, len("one before\n"))
	if _, err := io.ReadFull(held, answer); err != nil {
		t.Fatal(err)
	}
	m.push()
	if !refuses(31400) {
		t.Error("after the Gateway went the port is open")
	}
	if got := lines(t, held, "hello"); got != "one hello\n" {
		t.Errorf("a connection from before got %q", got)
	}
}

func TestTheGatewayRoutesHTTPByItsHosts(t *testing.T) {
	m := startMesh(t, Options{Name: "istio-ingressgateway", Gateway: true}, []config.Service{sidecartest.Reviews(t)}, sidecartest.Subsets(t, "reviews"),
		sidecartest.Gateway(t, "front", `{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":80,"name":"http","protocol":"HTTP"},"hosts":["*.example.com"]}]}`),
		sidecartest.VirtualService(t, "a", `{"hosts":["a.example.com","b.elsewhere.org"],"gateways":["front"],"http":[{"route":[{"destination":{"host":"reviews","subset":"v2","port":{"number":9080}}}]}]}`),
		sidecartest.VirtualService(t, "reviews", `{"hosts":["reviews"],"http":[{"route":[{"destination":{"host":"reviews","subset":"v1"}}]}]}`))
	address, err := m.GatewayAddress(80)
	if err != nil {
		t.Fatal(err)
	}
	m.client = &http.Client{}
	defer m.client.CloseIdleConnections()
	for host, want := range map[string]string{"a.example.com": "200 v2", "a.example.com:8080": "200 v2", "b.elsewhere.org": "404 ", "reviews": "404 "} {
		g := m.get("http://"+address+"/", "Host", host)
		if got := fmt.Sprint(g.Status, " ", g.Body); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}

func TestDialingFailsAsInAMesh(t *testing.T) {
	m := startMesh(t, Options{}, []config.Service{sidecartest.Reviews(t), sidecartest.TCPEcho(t)})
	var dns *net.DNSError
	if _, err := m.Dial(t.Context(), "tcp", "elsewhere:9080"); !errors.As(err, &dns) || !dns.IsNotFound {
		t.Errorf("an unknown name: %v", err)
	}
	if _, err := m.Dial(t.Context(), "tcp", "reviews:9999"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("an unknown port: %v", err)
	}
	c, err := m.Dial(t.Context(), "tcp", "tcp-echo:9000")
	if err != nil {
		t.Fatal(err)
	}
	if got := lines(t, c, "hello"); got != "one hello\n" && got != "two hello\n" {
		t.Errorf("got %q", got)
	}
}

func TestMaxConnectionsRefusesAFurtherTCPConnection(t *testing.T) {
	m := startMesh(t, Options{}, []config.Service{sidecartest.Service("tcp-echo", 9000, true, sidecartest.Endpoint("tcp-echo", "v1", sidecartest.Echo(t, "one")))},
		sidecartest.DestinationRule(t, "tcp-echo", `{"host":"tcp-echo","trafficPolicy":{"connectionPool":{"tcp":{"maxConnections":1}}}}`))
	dial := func() net.Conn {
		c, err := m.Dial(t.Context(), "tcp", "tcp-echo:9000")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	stat := func(name string) int64 { return m.stat(sidecartest.ClusterStat("outbound|9000||tcp-echo", name)) }
	held := dial()
	sidecartest.Until(t, "the first is connected", func() bool { return stat("upstream_cx_active") == 1 })
	refused := dial()
	defer refused.Close()
	if err := refused.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(refused); err != nil || len(got) > 0 {
		t.Errorf("the second got %q %v", got, err)
	}
	if n := stat("upstream_cx_overflow"); n != 1 {
		t.Errorf("upstream_cx_overflow is %d", n)
	}
	if got := lines(t, held, "hello"); got != "one hello\n" {
		t.Errorf("the first got %q", got)
	}
	sidecartest.Until(t, "the first has ended", func() bool { return stat("upstream_cx_active") == 0 })
	if got := lines(t, dial(), "hello"); got != "one hello\n" {
		t.Errorf("the next got %q", got)
	}
	sidecartest.Until(t, "the next has ended", func() bool {
		return stat("upstream_cx_destroy_remote")+stat("upstream_cx_destroy_local") == 2
	})
	if remote, local := stat("upstream_cx_destroy_remote"), stat("upstream_cx_destroy_local"); remote != 2 || local != 0 {
		t.Errorf("the host ended %d, the proxy %d", remote, local)
	}
}

func TestAConnectionThatFailsIsCountedAsItFailed(t *testing.T) {
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused.Close()
	m := startMesh(t, Options{}, []config.Service{sidecartest.Service("tcp-echo", 9000, true, sidecartest.Endpoint("tcp-echo", "v1", refused.Addr().String()))})
	c, err := m.Dial(t.Context(), "tcp", "tcp-echo:9000")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); err != nil || len(got) > 0 {
		t.Errorf("got %q %v", got, err)
	}
	for _, name := range []string{"upstream_cx_connect_fail", "upstream_cx_destroy_remote", "upstream_rq_pending_failure_eject"} {
		if n := m.stat(sidecartest.ClusterStat("outbound|9000||tcp-echo", name)); n != 1 {
			t.Errorf("%s is %d", name, n)
		}
	}
}

func TestTooManyThatWaitForAConnectionAreFailedAttempts(t *testing.T) {
	m := startMesh(t, Options{}, []config.Service{sidecartest.Service("tcp-echo", 9000, true, sidecartest.Endpoint("tcp-echo", "v1", sidecartest.Echo(t, "one")))},
		sidecartest.DestinationRule(t, "tcp-echo", `{"host":"tcp-echo","trafficPolicy":{"connectionPool":{"http":{"http1MaxPendingRequests":1}}}}`))
	cluster := m.state.Load().clusters["outbound|9000||tcp-echo.default.svc.cluster.local"]
	cluster.pending.inc() // as one does that waits
	c, err := m.Dial(t.Context(), "tcp", "tcp-echo:9000")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); err != nil || len(got) > 0 {
		t.Errorf("got %q %v", got, err)
	}
	sidecartest.Until(t, "it is logged", func() bool { return len(m.KeptLog()) > 0 })
	if log := string(m.KeptLog()); !strings.Contains(log, `"- - -" 0 URX - - "-" 0 0 `) || !strings.Contains(log, ` "-" outbound|9000||`) {
		t.Errorf("it logs %s", log)
	}
	if n := m.stat(sidecartest.ClusterStat("outbound|9000||tcp-echo", "upstream_rq_pending_overflow")); n != 1 {
		t.Errorf("upstream_rq_pending_overflow is %d", n)
	}
}

// Both workers may ask whether there is room before either has taken it.
func TestAPoolWithoutAConnectionGetsOneBeyondTheLimit(t *testing.T) {
	m := startMesh(t, Options{}, []config.Service{sidecartest.Service("tcp-echo", 9000, true, sidecartest.Endpoint("tcp-echo", "v1", sidecartest.Echo(t, "one")))},
		sidecartest.DestinationRule(t, "tcp-echo", `{"host":"tcp-echo","trafficPolicy":{"connectionPool":{"tcp":{"maxConnections":1}}}}`))
	h := m.state.Load().clusters["outbound|9000||tcp-echo.default.svc.cluster.local"].hosts[0]
	overflows := func() int64 {
		return m.stat(sidecartest.ClusterStat("outbound|9000||tcp-echo", "upstream_cx_overflow"))
	}
	create := func(worker int) <-chan struct{} {
		made := make(chan struct{})
		go func() {
			m.workers[worker].Lock()
			defer m.workers[worker].Unlock()
			h.tcp[worker].create()
			close(made)
		}()
		return made
	}
	<-create(0)
	<-create(1)
	if n := overflows(); n != 1 || h.cxActive.Load() != 2 {
		t.Errorf("%d overflows, %d connections", n, h.cxActive.Load())
	}
	third := create(1)
	sidecartest.Until(t, "a third has asked", func() bool { return overflows() == 2 })
	h.tcp[0].forget(byHost)
	select {
	case <-third:
		t.Error("the end of another worker's let it in")
	default:
	}
	h.tcp[1].forget(byHost)
	<-third
	if n := overflows(); n != 2 || h.cxActive.Load() != 1 {
		t.Errorf("in the end %d overflows, %d connections", n, h.cxActive.Load())
	}
}
