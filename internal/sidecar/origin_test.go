package sidecar

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// What Envoy 1.40 made of these headers, configured as Istio 1.31 configures a
// sidecar and a gateway. None of the gateway's peers is on loopback there, where
// Envoy would name itself instead.
func TestWhereARequestComesFromIsSaidAsEnvoySaysIt(t *testing.T) {
	attached := sidecartest.VirtualService(t, "web", `{"hosts":["*"],"gateways":["front"],"http":[{"route":[{"destination":{"host":"web"}}]}]}`)
	front := sidecartest.Gateway(t, "front", `{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":80,"protocol":"HTTP","name":"http"},"hosts":["*"]}]}`)
	got := make(chan seen, 2)
	services := web(t, notingRequests("v1", got))
	sidecar := startMesh(t, Options{}, services)
	gateway := startMesh(t, Options{Name: "istio-ingressgateway", Gateway: true}, services, front, attached)
	address, err := gateway.GatewayAddress(80)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	gateway.client = &http.Client{Transport: transport}
	const ofSidecar = "http://web:8000/"
	ofGateway := "http://" + address + "/"
	lies := []string{"X-Forwarded-For", "203.0.113.7, 198.51.100.9", "X-Forwarded-Proto", "https", "X-Envoy-External-Address", "192.0.2.1",
		"X-Envoy-Downstream-Service-Cluster", "mine", "X-Envoy-Decorator-Operation", "mine", "X-Forwarded-Client-Cert", "By=me", "X-Forwarded-Host", "mine", originalPath, "/mine", originalHost, "mine"}
	for name, tt := range map[string]struct {
		m       *mesh
		url     string
		headers []string
		want    map[string]string
		from    string // in the access log
	}{
		"sidecar":         {sidecar, ofSidecar, nil, map[string]string{forwardedFor: "", forwardedProto: "http", externalAddress: ""}, `127\.0\.0\.1:[1-9]\d*`},
		"gateway":         {gateway, ofGateway, nil, map[string]string{forwardedFor: "127.0.0.1", forwardedProto: "http", externalAddress: "127.0.0.1"}, `127\.0\.0\.1:[1-9]\d*`},
		"lies to sidecar": {sidecar, ofSidecar, lies, map[string]string{forwardedFor: "203.0.113.7, 198.51.100.9", forwardedProto: "https", externalAddress: "192.0.2.1", "X-Envoy-Downstream-Service-Cluster": "mine", originalPath: "/mine", originalHost: "mine"}, `198\.51\.100\.9:0`},
		"lies to gateway": {gateway, ofGateway, lies, map[string]string{forwardedFor: "203.0.113.7, 198.51.100.9,127.0.0.1", forwardedProto: "http", externalAddress: "127.0.0.1", "X-Envoy-Downstream-Service-Cluster": "", originalPath: "", originalHost: ""}, `127\.0\.0\.1:[1-9]\d*`},
		"no address":      {sidecar, ofSidecar, []string{"X-Forwarded-For", "unknown"}, map[string]string{forwardedFor: "unknown"}, `127\.0\.0\.1:[1-9]\d*`},
	} {
		logged := len(tt.m.lines.all())
		tt.m.get(tt.url, tt.headers...)
		r := <-got
		for header, want := range tt.want {
			if v := r.Header.Get(header); v != want {
				t.Errorf("%s: %s is %q, want %q", name, header, v, want)
			}
		}
		for _, header := range []string{"X-Envoy-Decorator-Operation", "X-Forwarded-Client-Cert", "X-Envoy-Internal"} {
			if v := r.Header.Get(header); v != "" {
				t.Errorf("%s: %s is %q", name, header, v)
			}
		}
		if len(tt.headers) == len(lies) && r.Header.Get("X-Forwarded-Host") != "mine" {
			t.Errorf("%s: X-Forwarded-Host is %q", name, r.Header.Get("X-Forwarded-Host"))
		}
		sidecartest.Until(t, "the access log has the request", func() bool { return len(tt.m.lines.all()) > logged })
		if e := tt.m.lines.all()[logged]; !regexp.MustCompile("^" + tt.from + "$").MatchString(e.downstreamRemote) {
			t.Errorf("%s: the log says that it comes from %s", name, e.downstreamRemote)
		}
	}
	if g := gateway.get(ofGateway); g.Header.Get("Server") != "istio-envoy" {
		t.Errorf("the gateway is called %q", g.Header.Get("Server"))
	}
}

// Istio gives its proxies no tracer until it is told of one: what comes goes on, and
// nothing is begun.
func TestHeadersOfTracingGoOnAsTheyCome(t *testing.T) {
	got := make(chan seen, 1)
	m := startMesh(t, Options{}, web(t, notingRequests("v1", got)))
	headers := map[string]string{
		"Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Tracestate": "a=b", "B3": "1",
		"X-B3-Traceid": "80f198ee56343ba864fe8b2a57d3eff7", "X-B3-Spanid": "e457b5a2e4d86bd1", "X-B3-Parentspanid": "05e3ac9a4f6e3b90", "X-B3-Sampled": "1", "X-B3-Flags": "1",
	}
	var sent []string
	for name, value := range headers {
		sent = append(sent, name, value)
	}
	m.get("http://web:8000/", sent...)
	with := <-got
	m.get("http://web:8000/")
	without := <-got
	for name, value := range headers {
		if v := with.Header.Get(name); v != value {
			t.Errorf("%s became %q", name, v)
		}
		if v := without.Header.Get(name); v != "" {
			t.Errorf("%s began as %q", name, v)
		}
	}
}

// What Envoy 1.40 made of these.
func TestAnIDSaysThatItsRequestIsSampled(t *testing.T) {
	for id, want := range map[string]string{
		"00000000-0000-4000-8000-000000000000":   "00000000-0000-9000-8000-000000000000",
		"00000063-0000-4000-8000-000000000000":   "00000063-0000-9000-8000-000000000000",
		"00000064-0000-4000-8000-000000000000":   "00000064-0000-4000-8000-000000000000",
		"00002710-0000-4000-8000-000000000000":   "00002710-0000-9000-8000-000000000000",
		"00000000-0000-a000-8000-000000000000":   "00000000-0000-a000-8000-000000000000",
		"FFFFFFFF-0000-9000-8000-000000000000":   "FFFFFFFF-0000-9000-8000-000000000000",
		"00000000x0000x4000x8000x000000000000":   "00000000x0000x9000x8000x000000000000",
		"0000000z-0000-4000-8000-000000000000":   "0000000z-0000-4000-8000-000000000000",
		"00000000":                               "00000000",
		"00000000-0000-4000-8000-00000000000011": "00000000-0000-4000-8000-00000000000011",
		"mine":                                   "mine",
	} {
		if got := sampled(id, false); got != want {
			t.Errorf("%s became %s, want %s", id, got, want)
		}
	}
	if got, want := sampled("10000000-0000-4000-8000-000000000000", true), "10000000-0000-b000-8000-000000000000"; got != want {
		t.Errorf("of a client's trace: %s, want %s", got, want)
	}
}
