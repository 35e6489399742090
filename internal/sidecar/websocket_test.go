package sidecar

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// tunnelCase is a way in which a WebSocket can go, with its rule in Istio's words and in
// Envoy's. What goes through it is plain text: no proxy reads that.
type tunnelCase struct {
	name   string
	rule   string // of a VirtualService's entry, beside its route
	policy string // of a DestinationRule
	filter string // of Envoy's chain
	route  string // of Envoy's route action, beside its cluster
	limits string // of Envoy's cluster
	away   bool   // nobody listens
	does   []string
	asks   string                     // headers beside those that open it, a line each
	early  string                     // that is sent with the request
	talk   func(*tunnelClient) string // once there is an answer; nil: ping, and the client ends it
	second bool                       // another one is tried while it is open
	again  bool                       // another one is tried when it has ended
}

// What a workload does with a request, and when it is to be tried again with the next.
const (
	opens     = "opens"     // it answers 101 and then echoes, until the other side ends
	greets    = "greets"    // it says hello at once
	ends      = "ends"      // it echoes once and ends
	resets    = "resets"    // as ends, with a reset
	refuses   = "refuses"   // 400
	fails     = "fails"     // 503
	ignores   = "ignores"   // 200
	redirects = "redirects" // 302
	silences  = "silences"  // nothing
	hangsUp   = "hangs up"
	breaks    = "breaks" // something that is no HTTP
)

const (
	istioRetries5xx = `"retries": {"attempts": 2, "retryOn": "5xx,reset", "backoff": "0.001s"}`
	envoyRetries5xx = `retry_policy: {retry_on: "5xx,reset", num_retries: 2, retry_back_off: {base_interval: 0.001s}}`
	istioPerTry     = `"retries": {"attempts": 1, "retryOn": "5xx,reset", "perTryTimeout": "0.5s", "backoff": "0.001s"}`
	envoyPerTry     = `retry_policy: {retry_on: "5xx,reset", num_retries: 1, per_try_timeout: 0.5s, retry_back_off: {base_interval: 0.001s}}`
	istioEjection   = `{"outlierDetection": {"consecutive5xxErrors": 1, "interval": "60s", "baseEjectionTime": "60s", "maxEjectionPercent": 100}}`
	envoyEjection   = `outlier_detection: {consecutive_5xx: 1, interval: 60s, base_ejection_time: 60s, max_ejection_percent: 100}, common_lb_config: {healthy_panic_threshold: {value: 0}}, `
	noRetries       = `"retries": {"attempts": 0}`
)

func envoyDelay(d string) string {
	return `{name: envoy.filters.http.fault, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, ` +
		`delay: {fixed_delay: ` + d + `, percentage: {numerator: 100}}}}, `
}

func tunnelCases() []tunnelCase {
	return []tunnelCase{
		{name: "the client ends it", does: []string{opens}},
		{name: "the workload ends it", does: []string{ends}, talk: (*tunnelClient).toItsEnd},
		{name: "the workload resets it", does: []string{resets}, talk: (*tunnelClient).provoke},
		{name: "the client ends its half", does: []string{opens}, talk: (*tunnelClient).half},
		{name: "the workload ends it and is ejected", does: []string{ends, opens}, talk: (*tunnelClient).toItsEnd, again: true, rule: noRetries, policy: istioEjection, limits: envoyEjection},
		{name: "the client ends it and nobody is ejected", does: []string{opens, opens}, again: true, rule: noRetries, policy: istioEjection, limits: envoyEjection},
		{name: "the client resets it", does: []string{opens}, talk: (*tunnelClient).abort},
		{name: "the workload says something at once", does: []string{greets}},
		{name: "the client says something at once", does: []string{ends}, early: "early", talk: (*tunnelClient).rest},
		{name: "other words for it", does: []string{opens}, asks: "Connection: keep-alive, upgrade\nUpgrade: WebSocket"},
		{name: "refused", does: []string{refuses}, talk: (*tunnelClient).rest},
		{name: "with a body", does: []string{refuses}, asks: "Connection: Upgrade\nUpgrade: websocket\nContent-Length: 4", early: "body", talk: (*tunnelClient).rest},
		{name: "redirected by the workload", does: []string{redirects}, talk: (*tunnelClient).rest},
		{name: "failed", does: []string{fails}, rule: noRetries, talk: (*tunnelClient).rest},
		{name: "taken for a plain request", does: []string{ignores}, talk: (*tunnelClient).rest},
		{name: "hung up on", does: []string{hangsUp}, rule: noRetries, talk: (*tunnelClient).rest},
		{name: "answered by garbage", does: []string{breaks}, rule: noRetries, talk: (*tunnelClient).rest},
		{name: "nobody listens", away: true, rule: noRetries, talk: (*tunnelClient).rest},
		{name: "aborted", does: []string{opens}, rule: istioAbort(`"httpStatus": 503`), filter: envoyAbort(`http_status: 503`), talk: (*tunnelClient).rest},
		{name: "delayed", does: []string{opens}, rule: `"fault": {"delay": {"fixedDelay": "0.05s", "percentage": {"value": 100}}}`, filter: envoyDelay("0.05s")},
		{name: "retried", does: []string{fails, opens}, rule: istioRetries5xx, route: envoyRetries5xx},
		{name: "retried in vain", does: []string{fails, fails, fails}, rule: istioRetries5xx, route: envoyRetries5xx, talk: (*tunnelClient).rest},
		{name: "retried after it was hung up on", does: []string{hangsUp, opens}, rule: istioRetries5xx, route: envoyRetries5xx},
		{name: "retried with what came early", does: []string{fails, ends}, early: "early", rule: istioRetries5xx, route: envoyRetries5xx, talk: (*tunnelClient).rest},
		{name: "not retried once it is open", does: []string{resets, opens}, rule: istioRetries5xx, route: envoyRetries5xx, talk: (*tunnelClient).provoke},
		{name: "late", does: []string{silences}, rule: noRetries + `, "timeout": "0.2s"`, route: "timeout: 0.2s", talk: (*tunnelClient).rest},
		{name: "open for longer than the timeout", does: []string{opens, silences}, second: true, rule: noRetries + `, "timeout": "0.5s"`, route: "timeout: 0.5s"},
		{name: "an attempt is late", does: []string{silences, opens}, rule: istioPerTry, route: envoyPerTry},
		{name: "open for longer than an attempt may take", does: []string{opens, silences, silences}, second: true, rule: istioPerTry, route: envoyPerTry},
		{name: "too many requests", does: []string{opens, opens}, second: true, policy: `{"connectionPool": {"http": {"http2MaxRequests": 1}}}`, limits: `circuit_breakers: {thresholds: [{max_requests: 1}]}, `},
	}
}

// tunnelWorkload does with one request after the other what a case says.
type tunnelWorkload struct {
	address string
	mu      sync.Mutex
	does    []string
	seen    []string
	got     strings.Builder // through those that it opened
}

// Write implements io.Writer: it notes what came.
func (w *tunnelWorkload) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.got.Write(p)
}

func (c tunnelCase) serve(t *testing.T) *tunnelWorkload {
	if c.away {
		return &tunnelWorkload{address: sidecartest.Unused}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &tunnelWorkload{address: l.Addr().String(), does: c.does}
	var running sync.WaitGroup
	t.Cleanup(func() { l.Close(); running.Wait() })
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { w.take(conn.(*net.TCPConn)) })
		}
	})
	return w
}

// take serves a connection.
func (w *tunnelWorkload) take(conn *net.TCPConn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if !w.answer(conn, r, req) {
			return
		}
	}
}

// answer says whether another request may come.
func (w *tunnelWorkload) answer(conn *net.TCPConn, r *bufio.Reader, req *http.Request) bool {
	w.mu.Lock()
	do := "too often"
	if len(w.does) > 0 {
		do, w.does = w.does[0], w.does[1:]
	}
	w.seen = append(w.seen, headersOf(req.Header, "Connection", "Upgrade", "Sec-Websocket-Key", "Content-Length", "Te")+strings.Join(req.TransferEncoding, ","))
	w.mu.Unlock()
	const opened = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: yes\r\n\r\n"
	switch do {
	case opens:
		fmt.Fprint(conn, opened)
		_, _ = io.Copy(io.MultiWriter(conn, w), r)
	case greets:
		fmt.Fprint(conn, opened+"hello")
		_, _ = io.Copy(conn, r)
	case ends, resets:
		fmt.Fprint(conn, opened)
		said := make([]byte, 4)
		_, _ = io.ReadFull(r, said)
		_, _ = conn.Write(said)
		if do == resets {
			_, _ = io.ReadFull(r, said) // so that it has come before
			_ = conn.SetLinger(0)
		}
	case refuses:
		fmt.Fprint(conn, "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nno")
		return true
	case fails:
		fmt.Fprint(conn, "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy")
		return true
	case ignores:
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nplain")
		return true
	case redirects:
		fmt.Fprint(conn, "HTTP/1.1 302 Found\r\nlocation: /there\r\ncontent-length: 5\r\n\r\nthere")
		return true
	case silences:
		_, _ = io.Copy(io.Discard, r)
	case breaks:
		fmt.Fprint(conn, "garbage\r\n\r\n")
	}
	return false
}

// saw is what came, in words.
func (w *tunnelWorkload) saw() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf(" <%s>", strings.Join(w.seen, "> <"))
}

// headersOf are some headers in words.
func headersOf(h http.Header, names ...string) string {
	var out strings.Builder
	for _, name := range names {
		if values := h.Values(name); len(values) > 0 {
			fmt.Fprintf(&out, "%s=%s ", strings.ToLower(name), strings.Join(values, "|"))
		}
	}
	return strings.TrimSpace(out.String())
}

// tunnelClient is the client's end.
type tunnelClient struct {
	conn *net.TCPConn
	r    *bufio.Reader
}

// call opens a WebSocket and says what came of it; ended waits until a proxy knows that it
// has ended.
func (c tunnelCase) call(t *testing.T, dial func() (net.Conn, error), ended func()) string {
	client, how := c.open(t, dial)
	if c.second {
		other, than := c.open(t, dial)
		other.conn.Close()
		how += " / " + than
	}
	talk := c.talk
	if talk == nil {
		talk = (*tunnelClient).ping
	}
	how += ": " + talk(client)
	client.conn.Close()
	if c.again {
		ended()
		other, than := c.open(t, dial)
		other.conn.Close()
		how += " / " + than
	}
	return how
}

// tried is how many WebSockets the case tries to open.
func (c tunnelCase) tried() int {
	if c.second || c.again {
		return 2
	}
	return 1
}

func (c tunnelCase) open(t *testing.T, dial func() (net.Conn, error)) (*tunnelClient, string) {
	conn, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	asks := c.asks
	if asks == "" {
		asks = "Connection: Upgrade\nUpgrade: websocket"
	}
	fmt.Fprintf(conn, "GET /talk HTTP/1.1\r\nHost: web:8000\r\nSec-WebSocket-Key: k\r\n%s\r\n\r\n%s", strings.ReplaceAll(asks, "\n", "\r\n"), c.early)
	client := &tunnelClient{conn: conn.(*net.TCPConn), r: bufio.NewReader(conn)}
	resp, err := http.ReadResponse(client.r, &http.Request{Method: http.MethodGet}) //nolint:bodyclose // It is read whole, or there is none.
	if err != nil {
		return client, err.Error()
	}
	how := resp.Status + " " + headersOf(resp.Header, "Connection", "Upgrade", "Sec-Websocket-Accept", "Content-Length", "Server", "X-B")
	if resp.Close {
		how += " close"
	}
	if resp.Header.Get(upstreamServiceTime) != "" {
		how += " service time"
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		body, err := io.ReadAll(resp.Body)
		how += fmt.Sprintf(" %q %v", body, err)
	}
	return client, how
}

// said sends something and reads as much of what comes.
func (c *tunnelClient) said(text string) string {
	fmt.Fprint(c.conn, text)
	return c.heard(len(text))
}

func (c *tunnelClient) heard(size int) string {
	got := make([]byte, size)
	n, err := io.ReadFull(c.r, got)
	return fmt.Sprintf("%q %s", got[:n], inWords(err))
}

func (c *tunnelClient) ping() string {
	got := c.said("ping")
	if strings.HasPrefix(got, `"hell"`) { // It was told before it was asked.
		got += " " + c.heard(len("o")+len("ping"))
	}
	return got
}

func (c *tunnelClient) rest() string {
	got, err := io.ReadAll(c.r)
	return fmt.Sprintf("%q %v", got, inWords(err))
}

// inWords is the end of a connection in words that do not depend on which system call met it.
func inWords(err error) string {
	if err == nil {
		return "well"
	}
	if strings.Contains(err.Error(), "reset") {
		return "reset"
	}
	return err.Error()
}

func (c *tunnelClient) toItsEnd() string {
	fmt.Fprint(c.conn, "ping")
	return c.rest()
}

// provoke says more once it was answered.
func (c *tunnelClient) provoke() string {
	got := c.said("ping")
	fmt.Fprint(c.conn, "more")
	return got + " " + c.rest()
}

func (c *tunnelClient) half() string {
	got := c.said("ping")
	_ = c.conn.CloseWrite()
	return got + " " + c.rest()
}

func (c *tunnelClient) abort() string {
	got := c.said("ping")
	_ = c.conn.SetLinger(0)
	return got
}

// comparedOfTunnels says whether a counter is held against Envoy's.
func comparedOfTunnels(name string) bool {
	return slices.Contains(comparedStats, name) || slices.Contains([]string{
		"upstream_rq_101", "upstream_rq_1xx", "upstream_rq_400", "upstream_rq_4xx", "upstream_rq_502", "retry.upstream_rq_503", "retry.upstream_rq_5xx",
		"upstream_cx_total", "upstream_cx_http1_total", "upstream_cx_destroy", "upstream_cx_destroy_local", "upstream_cx_destroy_remote",
		"upstream_rq_per_try_timeout", "upstream_rq_pending_total", "upstream_rq_pending_failure_eject", "upstream_rq_cancelled",
		"upstream_cx_active", "upstream_rq_active", "upstream_rq_tx_reset", "upstream_rq_rx_reset",
		"downstream_rq_total", "downstream_rq_completed", "downstream_rq_1xx", "downstream_rq_2xx", "downstream_rq_4xx", "downstream_rq_5xx", "downstream_rq_rx_reset",
		"downstream_rq_active", "downstream_cx_upgrades_total", "downstream_cx_upgrades_active", "outlier_detection.ejections_enforced_consecutive_5xx",
	}, name)
}

// recordedTunnels is what Envoy 1.40 made of the cases, one a line.
const recordedTunnels = "testdata/websocket-envoy.txt"

var recordWebSockets = flag.Bool("record-websockets", false, "have Envoy carry WebSockets and record how they go")

func TestWebSocketsGoAsInEnvoy(t *testing.T) {
	if *recordWebSockets {
		recordTunnels(t)
	}
	text, err := os.ReadFile(recordedTunnels)
	if err != nil {
		t.Fatal(err)
	}
	envoy := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, how, _ := strings.Cut(strings.TrimSpace(line), ": ")
		envoy[name] = how
	}
	for _, c := range tunnelCases() {
		t.Run(c.name, func(t *testing.T) {
			if got := c.throughSidecar(t).String(); got != envoy[c.name] {
				t.Errorf("Envoy: %s\nhere:  %s", envoy[c.name], got)
			}
		})
	}
}

func (c tunnelCase) throughSidecar(t *testing.T) told {
	rule := `"route": [{"destination": {"host": "web"}}]`
	if c.rule != "" {
		rule += ", " + c.rule
	}
	objects := sidecartest.VirtualService(t, "web", `{"hosts": ["web"], "http": [{`+rule+`}]}`)
	w := c.serve(t)
	m := startMesh(t, Options{}, []config.Service{sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", w.address))}, objects)
	if c.policy != "" {
		m.push(objects, sidecartest.DestinationRule(t, "web", `{"host": "web", "trafficPolicy": `+c.policy+`}`))
	}
	logged := func(n int) func() bool { return func() bool { return len(m.lines.all()) == n } }
	end := c.call(t, func() (net.Conn, error) { return m.Dial(t.Context(), "tcp", "web:8000") }, func() {
		sidecartest.Until(t, "the first is in the log", logged(1))
	})
	out := told{end: end + w.saw(), stats: map[string]int64{}, host: map[string]int64{}}
	sidecartest.Until(t, "they are in the log", logged(c.tried()))
	sidecartest.Until(t, "they have ended", func() bool { return m.stat("http.outbound_0.0.0.0_8000;.downstream_rq_active") == 0 })
	for _, e := range m.lines.all() {
		out.details += fmt.Sprintf(" [%d %s %s %d %d]", e.status, e.flags, e.details, e.received, e.sent)
	}
	for _, s := range m.Stats() {
		for _, prefix := range []string{"cluster.outbound|8000||web.default.svc.cluster.local;.", "http.outbound_0.0.0.0_8000;."} {
			if name, ok := strings.CutPrefix(s.Name, prefix); ok && comparedOfTunnels(name) && s.Value > 0 {
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

// newTunnelPair is a caller's proxy and that of a workload, which does one thing after the
// other with what comes.
func newTunnelPair(t *testing.T, does ...string) (pair, func() (net.Conn, error)) {
	p := newPairOf(t, tunnelCase{does: does}.serve(t).address, false)
	return p, func() (net.Conn, error) { return p.caller.Dial(t.Context(), "tcp", "web:8000") }
}

// Whoever ends it, both proxies say so, once it has ended, and count it once.
func TestBothProxiesLogAWebSocket(t *testing.T) {
	for name, test := range map[string]struct {
		does string
		talk func(*tunnelClient) string
		want string
	}{
		"the client ends it":   {opens, (*tunnelClient).ping, "101 DC downstream_remote_disconnect 4 4"},
		"the workload ends it": {ends, (*tunnelClient).toItsEnd, "101 UC upstream_reset_after_response_started{connection_termination} 4 4"},
	} {
		t.Run(name, func(t *testing.T) {
			p, dial := newTunnelPair(t, test.does)
			c := tunnelCase{talk: test.talk}
			client, how := c.open(t, dial)
			if !strings.HasPrefix(how, "101 ") {
				t.Fatal(how)
			}
			for who, cluster := range map[*mesh]string{p.caller: "outbound|8000||web.default.svc.cluster.local", p.called.mesh: p.called.inbound().Cluster.Name} {
				if open := who.stat("cluster." + cluster + ";.upstream_rq_active"); open != 1 || len(who.lines.all()) != 0 {
					t.Errorf("%s: %d are open, and logged is %q", cluster, open, who.KeptLog())
				}
			}
			test.talk(client)
			client.conn.Close()
			for who, cluster := range map[*mesh]string{p.caller: "outbound|8000||web.default.svc.cluster.local", p.called.mesh: p.called.inbound().Cluster.Name} {
				sidecartest.Until(t, "it is in the log of "+cluster, func() bool { return len(who.lines.all()) == 1 })
				e := who.lines.all()[0]
				if got := fmt.Sprintf("%d %s %s %d %d", e.status, e.flags, e.details, e.received, e.sent); got != test.want || e.cluster != cluster || e.serviceTime != "" {
					t.Errorf("%s logs %s, %q", e.cluster, got, e.serviceTime)
				}
				if n := who.stat("cluster." + cluster + ";.upstream_rq_101"); n != 1 {
					t.Errorf("%s counted %d", cluster, n)
				}
			}
		})
	}
}

// A mirror is asked for a WebSocket too, and gets what the client sends through its own.
func TestAMirrorGetsWhatGoesThroughAWebSocket(t *testing.T) {
	v1, v2 := tunnelCase{does: []string{opens}}.serve(t), tunnelCase{does: []string{opens}}.serve(t)
	services := []config.Service{sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", v1.address), sidecartest.Endpoint("web", "v2", v2.address))}
	m := startMesh(t, Options{}, services, sidecartest.Subsets(t, "web"),
		sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{`+toV2+`,"route":[{"destination":{"host":"web","subset":"v1"}}]}]}`))
	client, how := tunnelCase{}.open(t, func() (net.Conn, error) { return m.Dial(t.Context(), "tcp", "web:8000") })
	if said := client.said("ping") + client.said("pong"); !strings.HasPrefix(how, "101 ") || said != `"ping" well"pong" well` {
		t.Fatal(how, said)
	}
	client.conn.Close()
	sidecartest.Until(t, "the mirror has all of it", func() bool {
		v2.mu.Lock()
		defer v2.mu.Unlock()
		return v2.got.String() == "pingpong"
	})
	sidecartest.Until(t, "the mirror's has ended too", func() bool {
		return m.stat(sidecartest.ClusterStat("outbound|8000|v2|web", "upstream_rq_active")) == 0
	})
	if v1.saw() != v2.saw() || v1.got.String() != v2.got.String() {
		t.Errorf("v1 saw%s %q, v2%s %q", v1.saw(), &v1.got, v2.saw(), &v2.got)
	}
}

// Who closes a proxy ends the WebSockets that are open.
func TestClosingAProxyEndsItsWebSockets(t *testing.T) {
	p, dial := newTunnelPair(t, opens)
	client, how := tunnelCase{}.open(t, dial)
	if said := client.ping(); said != `"ping" well` {
		t.Fatal(how, said)
	}
	if err := p.caller.Close(); err != nil {
		t.Fatal(err)
	}
	if rest := client.rest(); rest != `"" well` && rest != `"" reset` {
		t.Error(rest)
	}
}

// Over HTTP/2 none is asked for: the host gets a plain request, and what it answers opens
// none.
func TestNoWebSocketIsAskedForOverHTTP2(t *testing.T) {
	seen := make(chan http.Header, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Protocols: unencryptedHTTP2(), Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header })}
	go func() { _ = server.Serve(l) }() // Until it is closed.
	t.Cleanup(func() { server.Close() })
	m := startMesh(t, Options{}, []config.Service{grpcService(sidecartest.Endpoint("web", "v1", l.Addr().String()))})
	_, how := tunnelCase{}.open(t, func() (net.Conn, error) { return m.Dial(t.Context(), "tcp", "web:7070") })
	if got := headersOf(<-seen, "Connection", "Upgrade"); got != "" || !strings.HasPrefix(how, "200 OK") {
		t.Errorf("it got %q and the client %q", got, how)
	}
}
