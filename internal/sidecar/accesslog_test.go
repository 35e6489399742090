package sidecar

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	telemetry "istio.io/api/telemetry/v1alpha1"

	"github.com/meshchaos/meshchaos/internal/rules"
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

func line(t testing.TB, log *bufio.Reader) string {
	t.Helper()
	text, err := log.ReadString('\n')
	if err != nil {
		t.Fatalf("%v after %q", err, text)
	}
	return text
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
		return virtualServiceOf(t, "reviews", `{"hosts":["reviews"],"http":[{"name":"run-1",`+rule+`"route":[{"destination":{"host":"reviews"}}]}]}`)
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
		{name: "a delay", objects: []*rules.Object{route(`"fault":{"delay":{"fixedDelay":"0.1s","percentage":{"value":100}}},`)},
			want: `200 DI via_upstream - "-" 0 5 1\d\d \d\d?` + caller + `"` + address + `" ` + plain + " " + address + ends + ` run-1`},
		{name: "no route", objects: []*rules.Object{route(`"match":[{"uri":{"exact":"/other"}}],`)},
			want: `404 NR route_not_found - "-" 0 0 \d+ -` + caller + `"-" - -` + ends + ` -`},
		{name: "no cluster", objects: []*rules.Object{virtualServiceOf(t, "reviews", `{"hosts":["reviews"],"http":[{"route":[{"destination":{"host":"reviews","subset":"v9"}}]}]}`)},
			want: `503 NC cluster_not_found - "-" 0 0 \d+ -` + caller + `"-" - -` + ends + ` -`},
		{name: "an endpoint that refuses", address: unused(t),
			want: `503 UF,URX upstream_reset_before_response_started\{remote_connection_failure\|delayed_connect_error:_Connection_refused\} - ` +
				`"delayed_connect_error:_Connection_refused" 0 190 \d+ -` + caller + `"` + address + `" ` + plain + " -" + ends + ` default`},
		{name: "no endpoint", address: "none", want: `503 UH no_healthy_upstream - "-" 0 19 \d+ -` + caller + `"-" ` + plain + " -" + ends + ` default`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reviews := service("reviews", 9080, false)
			switch tt.address {
			case "none":
			case "":
				reviews.Ports[0].Endpoints = []Endpoint{endpoint("reviews", "v1", serve(t, answering("hello")))}
			default:
				reviews.Ports[0].Endpoints = []Endpoint{endpoint("reviews", "v1", tt.address)}
			}
			m := startMesh(t, Options{}, []Service{reviews}, tt.objects...)
			log := m.follow(time.Now())
			m.get("http://reviews:9080/reviews/0?x=1", "User-Agent", "test/1", "X-Request-Id", "my-id")
			if got := line(t, log); !regexp.MustCompile(begin + tt.want + "\n$").MatchString(got) {
				t.Errorf("got  %s want %s", got, begin+tt.want)
			}
		})
	}
}

// A stream that is given up stands in the log when it ends, without a status.
func TestARequestThatIsGivenUpIsLoggedAtItsEnd(t *testing.T) {
	m := startMesh(t, Options{}, []Service{service("web", 8000, false, endpoint("web", "v1", serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })))})
	log := m.follow(time.Now())
	m.client.Timeout = 120 * time.Millisecond
	if g, err := get(m.client, "http://web:8000/slow"); err == nil {
		t.Fatalf("it was answered: %v", g)
	}
	if got := line(t, log); !regexp.MustCompile(`"GET /slow HTTP/1\.1" 0 DC downstream_remote_disconnect - "-" 0 0 1\d\d - `).MatchString(got) {
		t.Errorf("got %s", got)
	}
}

func TestTCPConnectionsAreLoggedWithTheirBytes(t *testing.T) {
	m := startMesh(t, Options{Name: "istio-ingressgateway", Gateway: true}, []Service{tcpEcho(t)}, echoGateway(t, 1, 0)...)
	log := m.follow(time.Now())
	lines(t, m.gateway(31400), "hello")
	const want = `\] "- - -" 0 - - - "-" 6 10 \d+ - "-" "-" "-" "-" "127\.0\.0\.1:\d+" outbound\|9000\|v1\|tcp-echo\.default\.svc\.cluster\.local 127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+ - -` + "\n$"
	if got := line(t, log); !regexp.MustCompile(want).MatchString(got) {
		t.Errorf("got %s", got)
	}
}

func TestTheBytesOfBodiesAreLogged(t *testing.T) {
	m := startMesh(t, Options{}, []Service{service("web", 8000, false, endpoint("web", "v1", serve(t, func(w http.ResponseWriter, r *http.Request) {
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
	if got := line(t, log); !strings.Contains(got, ` via_upstream - "-" 50000 100000 `) {
		t.Errorf("got %s", got)
	}
}

// One request has one id, however many attempts it takes: the one that its
// caller gave it, else one of the proxy's.
func TestARequestKeepsItsIDOverItsAttempts(t *testing.T) {
	type attempt struct{ id, number string }
	seen := make(chan attempt, 1)
	good := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		seen <- attempt{r.Header.Get("X-Request-Id"), r.Header.Get("X-Envoy-Attempt-Count")}
	})
	m := startMesh(t, Options{}, []Service{service("web", 8000, false, endpoint("web", "v1", unused(t)), endpoint("web", "v2", good))},
		destinationRuleOf(t, "web", `{"host":"web","trafficPolicy":{"loadBalancer":{"simple":"ROUND_ROBIN"}}}`))
	log := m.follow(time.Now())
	retried := 0
	for range 4 {
		for _, header := range [][]string{nil, {"X-Request-Id", "mine"}} {
			m.get("http://web:8000/", header...)
			upstream, logged := <-seen, line(t, log)
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
	m := startMesh(t, Options{}, []Service{service("web", 8000, false, endpoint("web", "v1", serve(t, answering("hello"))))})
	log := m.follow(time.Time{})
	m.get("http://web:8000/before")
	line(t, log)
	since := time.Now()
	m.get("http://web:8000/after")
	line(t, log)
	late := m.follow(since)
	m.get("http://web:8000/later")
	for _, want := range []string{"/after", "/later"} {
		if got := line(t, late); !strings.Contains(got, "GET "+want+" ") {
			t.Errorf("got %s want %s", got, want)
		}
	}
	for range accessLogSize {
		m.log.add(accessLogEntry{})
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
		m.log.add(accessLogEntry{route: "last"})
		if err := tt.end(m.Sidecar, log, cancel); err != nil {
			t.Error(err)
		}
		got, err := io.ReadAll(log)
		if !errors.Is(err, tt.want) || !strings.HasSuffix(string(got), "last\n") {
			t.Errorf("%s ended it: %v after %q", name, err, got)
		}
		cancel()
		until(t, "nobody follows", func() bool {
			m.log.mu.Lock()
			defer m.log.mu.Unlock()
			return len(m.log.followers) == 0 || name == "the proxy"
		})
	}
}

func TestASlowReaderIsToldWhatItMissed(t *testing.T) {
	m := startMesh(t, Options{}, nil)
	log := m.follow(time.Now())
	for range followedSize + 1 {
		m.log.add(accessLogEntry{})
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

// The admin interface has the log too, and the dump says that there is one, as
// Istio's does.
func TestATelemetryObjectTurnsTheAccessLogOn(t *testing.T) {
	on := &rules.Object{Ref: rules.Ref{Kind: rules.Telemetry, Namespace: "default", Name: "logs"}, Spec: spec(t, &telemetry.Telemetry{}, `{"accessLogging":[{"providers":[{"name":"envoy"}]}]}`)}
	shared := Mesh{Services: []Service{service("web", 8000, false, endpoint("web", "v1", serve(t, answering("hello")))), tcpEcho(t)}, NoAccessLog: true}
	m := startMesh(t, Options{}, shared.Services)
	for _, tt := range []struct {
		objects []*rules.Object
		want    int
	}{{nil, 0}, {[]*rules.Object{on}, 1}, {nil, 1}} {
		config, err := Compile(shared, tt.objects)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Push(config); err != nil {
			t.Fatal(err)
		}
		m.get("http://web:8000/")
		if got := strings.Count(m.adminGet("/access_log"), "GET / "); got != tt.want {
			t.Errorf("with %v: %d lines", tt.objects, got)
		}
		dump := m.adminGet("/config_dump?resource=dynamic_listeners")
		for i, filter := range []string{"http_connection_manager", "tcp_proxy"} {
			listener := []any{"configs", i, "active_state", "listener"}
			manager := slices.Concat(listener, []any{"filter_chains", 0, "filters", 0})
			if name := at(t, dump, slices.Concat(manager, []any{"name"})...); name != "envoy.filters.network."+filter {
				t.Fatalf("filter %v", name)
			}
			if len(tt.objects) == 0 {
				if log := at(t, dump, slices.Concat(manager, []any{"typed_config", "access_log"})...); log != nil {
					t.Errorf("an access log: %v", log)
				}
				continue
			}
			log := slices.Concat(manager, []any{"typed_config", "access_log", 0})
			want(t, dump, `"envoy.access_loggers.file"`, slices.Concat(log, []any{"name"})...)
			want(t, dump, `"/dev/stdout"`, slices.Concat(log, []any{"typed_config", "path"})...)
			if format := at(t, dump, slices.Concat(log, []any{"typed_config", "log_format", "text_format_source", "inline_string"})...); format != accessLogFormat {
				t.Errorf("the format is %q", format)
			}
			want(t, dump, `{"response_flag_filter":{"flags":["NR"]}}`, slices.Concat(listener, []any{"access_log", 0, "filter"})...)
		}
	}
}

func TestTelemetryBeyondTheAccessLogIsRefused(t *testing.T) {
	for text, path := range map[string]string{
		`{"selector":{"matchLabels":{"app":"web"}},"accessLogging":[{"providers":[{"name":"envoy"}]}]}`: "spec.selector",
		`{"accessLogging":[{"disabled":true}]}`:                                                         "spec.accessLogging[0].disabled",
		`{"accessLogging":[{"filter":{"expression":"response.code >= 400"}}]}`:                          "spec.accessLogging[0].filter",
		`{"accessLogging":[{"providers":[{"name":"otel"}]}]}`:                                           "spec.accessLogging[0].providers[0].name",
		`{"tracing":[{"randomSamplingPercentage":100}]}`:                                                "spec.tracing",
	} {
		_, err := Compile(Mesh{}, []*rules.Object{{Ref: rules.Ref{Kind: rules.Telemetry, Namespace: "default", Name: "x"}, Spec: spec(t, &telemetry.Telemetry{}, text)}})
		var unsupported *UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Path != path {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// The admin interface's own page goes on as lines come.
func TestTheAdminInterfaceFollowsTheLog(t *testing.T) {
	m := startMesh(t, Options{}, []Service{service("web", 8000, false, endpoint("web", "v1", serve(t, answering("hello"))))})
	resp, err := http.Get("http://" + m.AdminAddress() + "/access_log?follow")
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	log := bufio.NewReader(resp.Body)
	for _, path := range []string{"/one", "/two"} {
		m.get("http://web:8000" + path)
		if got := line(t, log); !strings.Contains(got, "GET "+path+" ") {
			t.Errorf("got %s want %s", got, path)
		}
	}
}
