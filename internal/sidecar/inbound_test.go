package sidecar

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// Between two proxies there is mutual TLS, and who has no identity of the mesh
// gets nothing through.
func TestProxiesOfOneMeshTrustEachOtherAndNobodyElse(t *testing.T) {
	newCA := func() *CA {
		ca, err := NewCA()
		if err != nil {
			t.Fatal(err)
		}
		return ca
	}
	ca := newCA()
	web := serve(t, ca, sidecartest.Serve(t, sidecartest.Answering("hello")), false)
	for name, tt := range map[string]struct {
		ca   *CA
		want int
	}{"the same mesh": {ca, http.StatusOK}, "another mesh": {newCA(), http.StatusServiceUnavailable}} {
		m := startMesh(t, Options{Name: "client", CA: tt.ca}, web.services)
		if g := m.get("http://web:8000/"); g.Status != tt.want {
			t.Errorf("%s: %d %q", name, g.Status, g.Body)
		}
	}
	c, err := tls.Dial("tcp", web.address, &tls.Config{InsecureSkipVerify: true})
	if err == nil {
		// The client of TLS 1.3 learns with its first read that it was refused.
		_, err = c.Read(make([]byte, 1))
		c.Close()
	}
	if err == nil {
		t.Error("a client without a certificate was let in")
	}
}

// inboundStat is a stat of the proxy's cluster of its own workload.
func (s served) inboundStat(name string) int64 {
	return s.stat("cluster." + s.inbound().Cluster.Name + ";." + name)
}

// The lines are those of a real mesh.
func TestBothProxiesLogACall(t *testing.T) {
	p := newPair(t, sidecartest.Answering("hello"))
	p.caller.get("http://web:8000/a%61?x=1", "User-Agent", "test/1", "X-Request-Id", "my-id")
	const (
		begin   = `^\[[^]]+\] "GET /aa\?x=1 HTTP/1\.1" 200 - via_upstream - "-" 0 5 \d+ \d+ "-" "test/1" "my-id" "web:8000" `
		address = `127\.0\.0\.1:\d+`
	)
	cluster := regexp.QuoteMeta("inbound|" + strings.TrimPrefix(p.called.address, "127.0.0.1:") + "||")
	endpoint := regexp.QuoteMeta(p.called.address)
	for who, want := range map[*mesh]string{
		p.caller:      begin + `"` + endpoint + `" outbound\|8000\|\|web\.default\.svc\.cluster\.local ` + address + " " + address + " " + address + ` - default\n$`,
		p.called.mesh: begin + `"` + endpoint + `" ` + cluster + " " + address + " " + endpoint + " " + address + ` outbound_\.8000_\._\.web\.default\.svc\.cluster\.local default\n$`,
	} {
		if line := string(who.KeptLog()); !regexp.MustCompile(want).MatchString(line) {
			t.Errorf("the proxy of %s logs %q, want %s", who.options.Name, line, want)
		}
	}
	for name, want := range map[string]int64{"upstream_rq_total": 1, "upstream_rq_200": 1, "upstream_rq_pending_total": 1} {
		if got := p.called.inboundStat(name); got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
	if got := p.called.stat("http.inbound_0.0.0.0_" + strings.TrimPrefix(p.called.address, "127.0.0.1:") + ";.downstream_rq_2xx"); got != 1 {
		t.Errorf("the listener counted %d answers", got)
	}
}

func TestTheCalledProxyTellsItsWorkloadWhoCalls(t *testing.T) {
	seen := make(chan http.Header, 1)
	p := newPair(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header },
		sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"timeout":"5s","route":[{"destination":{"host":"web"}}]}]}`))
	p.caller.get("http://web:8000/", forwardedCert, "By=me", "X-Forwarded-Proto", "https", "X-Envoy-Max-Retries", "7", requestID, "mine")
	got := <-seen
	const identity = `^By=spiffe://cluster\.local/ns/default/sa/web-v1;Hash=[0-9a-f]{64};Subject="";URI=spiffe://cluster\.local/ns/default/sa/client$`
	if cert := joinedValues(got, forwardedCert); !regexp.MustCompile(identity).MatchString(cert) {
		t.Errorf("it is told %q", cert)
	}
	for name, want := range map[string]string{
		attemptCount: "1", requestID: "mine", "X-Forwarded-Proto": "https",
		"X-Envoy-Expected-Rq-Timeout-Ms": "", // The caller's proxy sets it, and the called one trusts nobody's.
		"X-Envoy-Max-Retries":            "",
		"X-Forwarded-For":                "",
	} {
		if value := joinedValues(got, name); value != want {
			t.Errorf("%s is %q, want %q", name, value, want)
		}
	}
}

// What a caller's proxy lets through overflows at the called one's, which has the
// limits of the service and none of those of a subset. To the caller that is an
// error of the endpoint, which ejects it.
func TestTheCalledProxyHasTheConnectionPoolOfItsService(t *testing.T) {
	release := make(chan struct{})
	objects := []*rules.Object{
		sidecartest.DestinationRule(t, "web", `{"host":"web",
			"trafficPolicy":{"connectionPool":{"tcp":{"maxConnections":1},"http":{"http1MaxPendingRequests":1}}},
			"subsets":[{"name":"v1","labels":{"version":"v1"},"trafficPolicy":{"connectionPool":{"tcp":{"maxConnections":100}},
				"outlierDetection":{"consecutiveGatewayErrors":1,"interval":"1s","baseEjectionTime":"60s","maxEjectionPercent":100}}}]}`),
		sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"route":[{"destination":{"host":"web","subset":"v1"}}]}]}`),
	}
	p := newPair(t, func(w http.ResponseWriter, _ *http.Request) {
		<-release
		fmt.Fprint(w, "hello")
	}, objects...)
	const calls = 12
	answers := make(chan sidecartest.Answer, calls)
	for range calls {
		go func() {
			g, err := sidecartest.Get(p.caller.newClient(), "http://web:8000/")
			if err != nil {
				t.Error(err)
			}
			answers <- g
		}()
	}
	// One connection of each worker, and one request that waits, or as many as
	// there are workers if both look at once.
	for n := range calls - 2*Workers {
		if g := <-answers; g.Status != http.StatusServiceUnavailable {
			t.Fatalf("call %d while the workload is busy: %d %q", n, g.Status, g.Body)
		}
	}
	close(release)
	for range 2 * Workers {
		<-answers
	}
	overflows := p.called.inboundStat("upstream_rq_pending_overflow")
	if overflows < 1 || p.called.inboundStat("upstream_rq_503") != overflows {
		t.Errorf("it turned %d requests away, and answered %d with 503", overflows, p.called.inboundStat("upstream_rq_503"))
	}
	if n := strings.Count(string(p.called.KeptLog()), `" 503 UO upstream_reset_before_response_started{overflow} - "-" 0 81 `); int64(n) != overflows {
		t.Errorf("%d lines say so: %s", n, p.called.KeptLog())
	}
	if log := string(p.caller.KeptLog()); strings.Contains(log, "UO") || !strings.Contains(log, `" 503 - via_upstream - "-" 0 81 `) {
		t.Errorf("the caller's proxy logs %s", log)
	}
	if got := p.caller.stat(sidecartest.ClusterStat("outbound|8000|v1|web", "outlier_detection.ejections_enforced_total")); got != 1 {
		t.Errorf("the caller ejected %d endpoints", got)
	}
}

func TestACallThatIsGivenUpEndsAtTheWorkload(t *testing.T) {
	gone := make(chan struct{})
	p := newPair(t, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(gone)
	}, sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"timeout":"1s","route":[{"destination":{"host":"web"}}]}]}`))
	if g := p.caller.get("http://web:8000/"); g.Status != http.StatusGatewayTimeout {
		t.Errorf("got %d", g.Status)
	}
	<-gone
	sidecartest.Until(t, "the called proxy has logged it", func() bool { return len(p.called.KeptLog()) > 0 })
	if log := string(p.called.KeptLog()); !strings.Contains(log, ` 0 DC downstream_remote_disconnect - "-" 0 0 `) {
		t.Errorf("it logs %s", log)
	}
}

func TestAWorkloadThatHangsUpIsAnAnswerOfItsProxy(t *testing.T) {
	p := newPair(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	g := p.caller.get("http://web:8000/")
	if g.Status != http.StatusServiceUnavailable || g.Body != "upstream connect error or disconnect/reset before headers. reset reason: connection termination" {
		t.Errorf("got %d %q", g.Status, g.Body)
	}
	if got := p.caller.lastFlags(); got != "- via_upstream" {
		t.Errorf("the caller's proxy logs %s", got)
	}
	if got := p.called.lastFlags(); got != "UC upstream_reset_before_response_started{connection_termination}" {
		t.Errorf("the called one %s", got)
	}
}

func TestOpaqueConnectionsHaveALineAndALimitOfTheirOwn(t *testing.T) {
	p := newPairOf(t, sidecartest.Echo(t, "one"), true,
		sidecartest.DestinationRule(t, "web", `{"host":"web","trafficPolicy":{"connectionPool":{"tcp":{"maxConnections":1}}},
			"subsets":[{"name":"v1","labels":{"version":"v1"},"trafficPolicy":{"connectionPool":{"tcp":{"maxConnections":9}}}}]}`),
		sidecartest.VirtualService(t, "web", `{"hosts":["web"],"tcp":[{"route":[{"destination":{"host":"web","subset":"v1"}}]}]}`))
	dial := func() net.Conn {
		c, err := p.caller.Dial(t.Context(), "tcp", "web:8000")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	first := dial()
	if _, err := first.Write([]byte("hello\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	second := dial()
	if _, err := second.Read(make([]byte, 1)); err == nil {
		t.Error("a second connection was let through")
	}
	first.Close()
	sidecartest.Until(t, "both are logged", func() bool { return strings.Count(string(p.called.KeptLog()), "\n") == 2 })
	log := string(p.called.KeptLog())
	for _, want := range []string{
		`"- - -" 0 UO - - "-" 0 0 `,
		`"- - -" 0 - - - "-" 6 10 `,
		" outbound_.8000_.v1_.web.default.svc.cluster.local -\n",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("there is no %q in %s", want, log)
		}
	}
	sidecartest.Until(t, "the caller's proxy has logged both", func() bool { return strings.Count(string(p.caller.KeptLog()), "\n") == 2 })
	if log := string(p.caller.KeptLog()); !strings.Contains(log, `"- - -" 0 UF,URX - - `) || !strings.Contains(log, `"- - -" 0 - - - "-" 6 10 `) {
		t.Errorf("the caller's proxy logs %s", log)
	}
	if fails := p.caller.stat(sidecartest.ClusterStat("outbound|8000|v1|web", "upstream_cx_connect_fail")); fails != 1 {
		t.Errorf("the caller's proxy counts %d that failed", fails)
	}
	opened := map[string]string{}
	for _, s := range p.called.Stats() {
		if s.Tagged == "istio_tcp_connections_opened_total" {
			opened[s.Tags["response_flags"]] = s.Tags["source_workload"]
		}
	}
	if opened["-"] != "client" || opened["UO"] != "unknown" {
		t.Errorf("it counts connections of %v", opened)
	}
}

func TestTheCalledProxyCountsACallAsItsDestination(t *testing.T) {
	p := newPair(t, sidecartest.Answering("hello"))
	p.caller.get("http://web:8000/")
	for _, s := range p.called.Stats() {
		if s.Tagged != "istio_requests_total" {
			continue
		}
		for label, want := range map[string]string{
			"reporter": "destination", "source_workload": "client", "destination_workload": "web-v1", "destination_version": "v1",
			"destination_service": "web.default.svc.cluster.local", "response_code": "200", "response_flags": "-",
		} {
			if s.Tags[label] != want {
				t.Errorf("%s is %q, want %q", label, s.Tags[label], want)
			}
		}
		return
	}
	t.Error("there is none")
}

// A new configuration takes nothing from requests under way.
func TestTheCalledProxyTakesNewLimitsAsItRuns(t *testing.T) {
	begun, release := make(chan struct{}, 2), make(chan struct{})
	p := newPair(t, func(w http.ResponseWriter, _ *http.Request) {
		begun <- struct{}{}
		<-release
		fmt.Fprint(w, "hello")
	})
	answer := make(chan sidecartest.Answer, 1)
	go func() {
		g, err := sidecartest.Get(p.caller.newClient(), "http://web:8000/")
		if err != nil {
			t.Error(err)
		}
		answer <- g
	}()
	<-begun
	p.called.push(sidecartest.DestinationRule(t, "web", `{"host":"web","trafficPolicy":{"connectionPool":{"http":{"http2MaxRequests":7}}}}`))
	if got := p.called.inbound().Cluster.Policy.Thresholds.MaxRequests; got != 7 {
		t.Errorf("it allows %d requests", got)
	}
	close(release)
	if g := <-answer; g.Status != http.StatusOK {
		t.Errorf("the request from before got %d %q", g.Status, g.Body)
	}
	if g := p.caller.get("http://web:8000/"); g.Status != http.StatusOK {
		t.Errorf("the next one got %d %q", g.Status, g.Body)
	}
}
