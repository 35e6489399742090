package sidecar

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// follow follows the log of a proxy as long as the test lasts.
func (m *mesh) follow(since time.Time) *bufio.Reader {
	m.t.Helper()
	log, err := m.FollowLog(m.t.(*testing.T).Context(), since)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { log.Close() })
	return bufio.NewReader(log)
}

// What stands in the lines of a real mesh, and here: in the order of Istio's
// default format.
func TestTheAccessLogIsEnvoys(t *testing.T) {
	const (
		begin   = `^\[2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] "GET /reviews/0\?x=1 HTTP/1\.1" `
		caller  = ` "-" "test/1" "my-id" "reviews:9080" `
		address = `127\.0\.0\.1:\d+`
		plain   = `outbound\|9080\|\|reviews\.default\.svc\.cluster\.local`
		ends    = " " + address + " " + address + " -"
	)
	route := func(rule string) *rules.Object {
		return sidecartest.VirtualService(t, "reviews", `{"hosts":["reviews"],"http":[{"name":"run-1",`+rule+`"route":[{"destination":{"host":"reviews"}}]}]}`)
	}
	tests := []struct {
		name    string
		address string // of the endpoint; empty: one that answers
		objects []*rules.Object
		want    string
	}{
		{name: "plain", want: `200 - via_upstream - "-" 0 5 \d+ \d+` + caller + `"` + address + `" ` + plain + " " + address + ends + ` default`},
		{name: "an abort", objects: []*rules.Object{route(`"fault":{"abort":{"httpStatus":500,"percentage":{"value":100}}},`)},
			want: `500 FI fault_filter_abort - "-" 0 18 \d+ -` + caller + `"-" ` + plain + " -" + ends + ` run-1`},
		{name: "a delay", objects: []*rules.Object{route(`"fault":{"delay":{"fixedDelay":"0.5s","percentage":{"value":100}}},`)},
			want: `200 DI via_upstream - "-" 0 5 (\d+) (\d+)` + caller + `"` + address + `" ` + plain + " " + address + ends + ` run-1`},
		{name: "no route", objects: []*rules.Object{route(`"match":[{"uri":{"exact":"/other"}}],`)},
			want: `404 NR route_not_found - "-" 0 0 \d+ -` + caller + `"-" - -` + ends + ` -`},
		{name: "no cluster", objects: []*rules.Object{sidecartest.VirtualService(t, "reviews", `{"hosts":["reviews"],"http":[{"route":[{"destination":{"host":"reviews","subset":"v9"}}]}]}`)},
			want: `503 NC cluster_not_found - "-" 0 0 \d+ -` + caller + `"-" - -` + ends + ` -`},
		{name: "an endpoint that refuses", address: sidecartest.Unused,
			want: `503 URX,UF upstream_reset_before_response_started\{remote_connection_failure\|delayed_connect_error:_Connection_refused\} - ` +
				`"delayed_connect_error:_Connection_refused" 0 121 \d+ -` + caller + `"` + address + `" ` + plain + " -" + ends + ` default`},
		{name: "no endpoint", address: "none", want: `503 UH no_healthy_upstream - "-" 0 19 \d+ -` + caller + `"-" ` + plain + " -" + ends + ` default`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reviews := sidecartest.Service("reviews", 9080, false)
			switch tt.address {
			case "none":
			case "":
				reviews.Ports[0].Endpoints = []config.Endpoint{sidecartest.Endpoint("reviews", "v1", sidecartest.Serve(t, sidecartest.Answering("hello")))}
			default:
				reviews.Ports[0].Endpoints = []config.Endpoint{sidecartest.Endpoint("reviews", "v1", tt.address)}
			}
			m := startMesh(t, Options{}, []config.Service{reviews}, tt.objects...)
			log := m.follow(time.Now())
			m.get("http://reviews:9080/reviews/0?x=1", "User-Agent", "test/1", "X-Request-Id", "my-id")
			got := sidecartest.Line(t, log)
			found := regexp.MustCompile(begin + tt.want + "\n$").FindStringSubmatch(got)
			if found == nil {
				t.Fatalf("got  %s want %s", got, begin+tt.want)
			}
			if len(found) > 1 { // how long it took, and how long the upstream did
				whole, _ := strconv.Atoi(found[1])
				upstream, _ := strconv.Atoi(found[2])
				if whole-upstream < 499 {
					t.Errorf("of a delay of 500 ms: %s", got)
				}
			}
		})
	}
}

// A stream that is given up stands in the log when it ends, without a status.
func TestARequestThatIsGivenUpIsLoggedAtItsEnd(t *testing.T) {
	m := startMesh(t, Options{}, []config.Service{sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", sidecartest.Serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })))})
	log := m.follow(time.Now())
	m.client.Timeout = time.Second
	if g, err := sidecartest.Get(m.client, "http://web:8000/slow"); err == nil {
		t.Fatalf("it was answered: %v", g)
	}
	if got := sidecartest.Line(t, log); !regexp.MustCompile(`"GET /slow HTTP/1\.1" 0 DC downstream_remote_disconnect - "-" 0 0 [1-9]\d+ - `).MatchString(got) {
		t.Errorf("got %s", got)
	}
}

func TestTCPConnectionsAreLoggedWithTheirBytes(t *testing.T) {
	m := startMesh(t, Options{Name: "istio-ingressgateway", Gateway: true}, []config.Service{sidecartest.TCPEcho(t)}, echoGateway(t, 1, 0)...)
	log := m.follow(time.Now())
	lines(t, m.gateway(31400), "hello")
	const want = `\] "- - -" 0 - - - "-" 6 10 \d+ - "-" "-" "-" "-" "127\.0\.0\.1:\d+" outbound\|9000\|v1\|tcp-echo\.default\.svc\.cluster\.local 127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+ - -` + "\n$"
	if got := sidecartest.Line(t, log); !regexp.MustCompile(want).MatchString(got) {
		t.Errorf("got %s", got)
	}
}

func TestTheBytesOfBodiesAreLogged(t *testing.T) {
	m := startMesh(t, Options{}, []config.Service{sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", sidecartest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, strings.Repeat("x", 100_000))
	})))})
	log := m.follow(time.Now())
	resp, err := m.client.Post("http://web:8000/", "text/plain", strings.NewReader(strings.Repeat("y", 50_000)))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if got := sidecartest.Line(t, log); !strings.Contains(got, ` via_upstream - "-" 50000 100000 `) {
		t.Errorf("got %s", got)
	}
}

// One request has one id, however many attempts it takes: the one that its
// caller gave it, else one of the proxy's.
func TestARequestKeepsItsIDOverItsAttempts(t *testing.T) {
	type attempt struct{ id, number string }
	seen := make(chan attempt, 1)
	good := sidecartest.Serve(t, func(_ http.ResponseWriter, r *http.Request) {
		seen <- attempt{r.Header.Get("X-Request-Id"), r.Header.Get("X-Envoy-Attempt-Count")}
	})
	m := startMesh(t, Options{}, []config.Service{sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", sidecartest.Unused), sidecartest.Endpoint("web", "v2", good))},
		sidecartest.DestinationRule(t, "web", `{"host":"web","trafficPolicy":{"loadBalancer":{"simple":"ROUND_ROBIN"}}}`))
	log := m.follow(time.Now())
	retried := 0
	for range 4 {
		for _, header := range [][]string{nil, {"X-Request-Id", "mine"}} {
			m.get("http://web:8000/", header...)
			upstream, logged := <-seen, sidecartest.Line(t, log)
			if !strings.Contains(logged, ` "`+upstream.id+`" "web:8000" `) || len(header) > 0 && upstream.id != "mine" || len(header) == 0 && len(upstream.id) != 36 {
				t.Errorf("the upstream saw %+v, the log has %s", upstream, logged)
			}
			if upstream.number != "1" {
				retried++
			}
		}
	}
	if retried == 0 {
		t.Error("no request took a second attempt")
	}
}

func TestALateReaderGetsTheKeptLinesFromThenOn(t *testing.T) {
	m := startMesh(t, Options{}, []config.Service{sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", sidecartest.Serve(t, sidecartest.Answering("hello"))))})
	log := m.follow(time.Time{})
	m.get("http://web:8000/before")
	sidecartest.Line(t, log)
	since := time.Now()
	m.get("http://web:8000/after")
	sidecartest.Line(t, log)
	late := m.follow(since)
	m.get("http://web:8000/later")
	for _, want := range []string{"/after", "/later"} {
		if got := sidecartest.Line(t, late); !strings.Contains(got, "GET "+want+" ") {
			t.Errorf("got %s want %s", got, want)
		}
	}
	for range accessLogSize {
		m.lines.add(accessLogEntry{})
	}
	if f, err := m.FollowLog(t.Context(), since); err == nil {
		f.Close()
		t.Error("lines that are not kept any more are left out silently")
	}
}

// A reader learns why its log ends, and has read what was written before.
func TestAFollowedLogEndsWithAReason(t *testing.T) {
	ends := map[string]struct {
		end  func(m *Sidecar, log io.Closer, cancel func()) error
		want error
	}{
		"the reader's context": {func(_ *Sidecar, _ io.Closer, cancel func()) error { cancel(); return nil }, context.Canceled},
		"the reader":           {func(_ *Sidecar, log io.Closer, _ func()) error { return log.Close() }, io.ErrClosedPipe},
		"the proxy":            {func(m *Sidecar, _ io.Closer, _ func()) error { return m.Close() }, io.ErrUnexpectedEOF},
	}
	for name, tt := range ends {
		m := startMesh(t, Options{}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		log, err := m.FollowLog(ctx, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		m.lines.add(accessLogEntry{route: "last"})
		if err := tt.end(m.Sidecar, log, cancel); err != nil {
			t.Error(err)
		}
		got, err := io.ReadAll(log)
		if !errors.Is(err, tt.want) || !strings.HasSuffix(string(got), "last\n") {
			t.Errorf("%s ended it: %v after %q", name, err, got)
		}
		cancel()
		sidecartest.Until(t, "nobody follows", func() bool {
			m.lines.mu.Lock()
			defer m.lines.mu.Unlock()
			return len(m.lines.followers) == 0 || name == "the proxy"
		})
	}
}

func TestASlowReaderIsToldWhatItMissed(t *testing.T) {
	m := startMesh(t, Options{}, nil)
	log := m.follow(time.Now())
	for range followedSize + 1 {
		m.lines.add(accessLogEntry{})
	}
	var read int
	for ; ; read++ {
		if _, err := log.ReadString('\n'); err != nil {
			if read != followedSize || !strings.Contains(err.Error(), "lines are lost") {
				t.Errorf("after %d lines: %v", read, err)
			}
			return
		}
	}
}

func TestTheGatewayGivesEachRequestAnIDOfItsOwn(t *testing.T) {
	seen := make(chan string, 1)
	web := sidecartest.Serve(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Get("X-Request-Id") })
	m := startMesh(t, Options{Name: "istio-ingressgateway", Gateway: true}, []config.Service{sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", web))},
		sidecartest.Gateway(t, "front", `{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":80,"name":"http","protocol":"HTTP"},"hosts":["*"]}]}`),
		sidecartest.VirtualService(t, "front", `{"hosts":["*"],"gateways":["front"],"http":[{"route":[{"destination":{"host":"web","port":{"number":8000}}}]}]}`))
	address, err := m.GatewayAddress(80)
	if err != nil {
		t.Fatal(err)
	}
	m.client = &http.Client{}
	defer m.client.CloseIdleConnections()
	log := m.follow(time.Now())
	m.get("http://"+address+"/", "X-Request-Id", "mine")
	upstream, logged := <-seen, sidecartest.Line(t, log)
	if len(upstream) != 36 || !strings.Contains(logged, ` "`+upstream+`" `) {
		t.Errorf("the upstream saw %s, the log has %s", upstream, logged)
	}
}
