package sidecar

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// What comes over the wire in the cases that were measured with Envoy.
func TestAnswersAreWordedAsEnvoys(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(time.Minute):
		case <-r.Context().Done():
		}
	}
	hangUp := func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }
	tests := []struct {
		name    string
		object  string // of the VirtualService of web; empty: none
		handler http.HandlerFunc
		address string // instead of a handler's
		url     string
		status  int
		body    string
		kind    string // content-type
		flags   string
	}{
		{name: "plain", handler: sidecartest.Answering("hello"), status: 200, body: "hello", kind: "text/plain; charset=utf-8", flags: "- via_upstream"},
		{name: "an abort", object: `{"hosts":["web"],"http":[{"fault":{"abort":{"httpStatus":500,"percentage":{"value":100}}},"route":[{"destination":{"host":"web"}}]}]}`,
			handler: sidecartest.Answering("hello"), status: 500, body: "fault filter abort", kind: "text/plain", flags: "FI fault_filter_abort"},
		{name: "a timeout", object: `{"hosts":["web"],"http":[{"timeout":"0.05s","route":[{"destination":{"host":"web"}}]}]}`,
			handler: slow, status: 504, body: "upstream request timeout", kind: "text/plain", flags: "UT response_timeout"},
		{name: "a subset that does not exist", object: `{"hosts":["web"],"http":[{"route":[{"destination":{"host":"web","subset":"v9"}}]}]}`,
			handler: sidecartest.Answering("hello"), status: 503, flags: "NC cluster_not_found"},
		{name: "no route matches", object: `{"hosts":["web"],"http":[{"match":[{"uri":{"exact":"/other"}}],"route":[{"destination":{"host":"web"}}]}]}`,
			handler: sidecartest.Answering("hello"), status: 404, flags: "NR route_not_found"},
		{name: "a service without endpoints", address: "none", status: 503, body: "no healthy upstream", kind: "text/plain", flags: "UH no_healthy_upstream"},
		{name: "an endpoint that refuses, tried three times", address: "unused", status: 503, kind: "text/plain",
			body:  "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: remote connection failure",
			flags: "URX,UF upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}"},
		{name: "an endpoint that hangs up", handler: hangUp, status: 503, kind: "text/plain",
			body:  "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
			flags: "UC upstream_reset_before_response_started{connection_termination}"},
		{name: "a host that no service has", handler: sidecartest.Answering("hello"), url: "http://elsewhere:8000/", status: 502, flags: "- direct_response"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			web := sidecartest.Service("web", 8000, false)
			switch {
			case tt.handler != nil:
				web.Ports[0].Endpoints = []config.Endpoint{sidecartest.Endpoint("web", "v1", sidecartest.Serve(t, tt.handler))}
			case tt.address == "unused":
				web.Ports[0].Endpoints = []config.Endpoint{sidecartest.Endpoint("web", "v1", sidecartest.Unused)}
			}
			var objects []*rules.Object
			if tt.object != "" {
				objects = append(objects, sidecartest.VirtualService(t, "web", tt.object))
			}
			m := startMesh(t, Options{}, []config.Service{web}, objects...)
			transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return m.Dial(ctx, network, "web:8000")
			}}
			defer transport.CloseIdleConnections()
			url := tt.url
			if url == "" {
				url = "http://web:8000/"
			}
			g, err := sidecartest.Get(&http.Client{Transport: transport}, url)
			if err != nil {
				t.Fatal(err)
			}
			if g.Status != tt.status || g.Body != tt.body || joinedValues(g.Header, "Content-Type") != tt.kind || g.Header.Get("Server") != "envoy" {
				t.Errorf("got %d %q %v", g.Status, g.Body, g.Header)
			}
			if _, ok := g.Header["X-Envoy-Upstream-Service-Time"]; ok != strings.HasSuffix(tt.flags, "via_upstream") {
				t.Errorf("x-envoy-upstream-service-time stands on answers of the upstream alone: %v", g.Header)
			}
			sidecartest.Until(t, "the access log has "+tt.flags, func() bool { return len(m.lines.all()) > 0 && m.lastFlags() == tt.flags })
		})
	}
}

func TestTheUpstreamSeesTheHeadersThatEnvoyAdds(t *testing.T) {
	var seen http.Header
	m := startMesh(t, Options{}, []config.Service{sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", sidecartest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
	})))})
	m.get("http://web:8000/?q=1", "X-Request-Id", "mine")
	for name, want := range map[string]string{
		"X-Request-Id": "mine", "X-Envoy-Attempt-Count": "1",
	} {
		if !regexp.MustCompile("^" + want + "$").MatchString(seen.Get(name)) {
			t.Errorf("%s is %q, want %s", name, seen.Get(name), want)
		}
	}
	m.get("http://web:8000/")
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[49][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(seen.Get("X-Request-Id")) {
		t.Errorf("X-Request-Id is %q", seen.Get("X-Request-Id"))
	}
}

func TestBodiesPassBothWaysAndConnectionsAreReused(t *testing.T) {
	m := startMesh(t, Options{}, []config.Service{sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", sidecartest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		var sum int
		buffer := make([]byte, 1<<16)
		for {
			n, err := r.Body.Read(buffer)
			sum += n
			if err != nil {
				break
			}
		}
		fmt.Fprintf(w, "%d %v %s", sum, r.TransferEncoding, strings.Repeat("x", 100_000))
	})))})
	for i, body := range []*strings.Reader{strings.NewReader(strings.Repeat("y", 1_000_000)), strings.NewReader("")} {
		resp, err := m.client.Post("http://web:8000/", "text/plain", struct{ *strings.Reader }{body})
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if want := []string{"1000000 [chunked] xx", "0 [chunked] xx"}[i]; !strings.HasPrefix(string(text), want) {
			t.Errorf("the upstream saw %.20q, want %q", text, want)
		}
	}
	for range 3 {
		if g := m.get("http://web:8000/"); len(g.Body) != len("0 [] ")+100_000 {
			t.Errorf("got a body of %d", len(g.Body))
		}
	}
	if n := m.stat(sidecartest.ClusterStat("outbound|8000||web", "upstream_cx_total")); n != 1 {
		t.Errorf("%d connections to the upstream", n)
	}
}

// What has no body says nothing of when the connection ends.
func TestAnAnswerWithoutABodyLeavesTheConnection(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusNoContent, http.StatusNotModified} {
		m := startMesh(t, Options{}, web(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		for range 2 {
			resp, err := m.client.Head("http://web:8000/")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		if n := m.stat(sidecartest.ClusterStat("outbound|8000||web", "upstream_cx_total")); n != 1 {
			t.Errorf("%d connections were made for two of %d", n, status)
		}
	}
}

// When the client goes, so does the request, wherever it is.
func TestAClientThatGoesAwayCancelsItsRequest(t *testing.T) {
	arrived, gone := make(chan bool, 1), make(chan bool, 1)
	upstream := func(w http.ResponseWriter, r *http.Request) {
		arrived <- true
		<-r.Context().Done()
		gone <- true
	}
	services := []config.Service{sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", sidecartest.Serve(t, upstream)))}
	m := startMesh(t, Options{}, services)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://web:8000/", nil)
	if resp, err := m.client.Do(req); err == nil {
		resp.Body.Close()
		t.Fatal("the request was answered")
	}
	<-gone
	sidecartest.Until(t, "the proxy has noted it", func() bool { return len(m.lines.all()) == 1 && m.lastFlags() == "DC downstream_remote_disconnect" })

	m.push(sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"fault":{"delay":{"fixedDelay":"60s","percentage":{"value":100}}},"route":[{"destination":{"host":"web"}}]}]}`))
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	req, _ = http.NewRequestWithContext(ctx, http.MethodGet, "http://web:8000/", nil)
	ended := make(chan error, 1)
	go func() {
		resp, err := m.client.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		ended <- err
	}()
	active := func() int64 { return m.stat("http.outbound_0.0.0.0_8000;.fault.active_faults") }
	sidecartest.Until(t, "the request is delayed", func() bool { return active() == 1 })
	cancel()
	if err := <-ended; err == nil {
		t.Fatal("the delayed request was answered")
	}
	sidecartest.Until(t, "the delay has been logged", func() bool { return len(m.lines.all()) == 2 && m.lastFlags() == "DI,DC downstream_remote_disconnect" })
	sidecartest.Until(t, "no fault is active", func() bool { return active() == 0 })
}
