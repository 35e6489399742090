package embedded

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/live"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
)

const shopHost = "shop.example.com"

// front serves shop by TLS in a mode.
func front(t *testing.T, mode string) *rules.Object {
	return object(t, fmt.Sprintf(`{"kind":"Gateway","metadata":{"name":"front"},"spec":{"selector":{"istio":"ingressgateway"},"servers":[
		{"port":{"number":443,"name":"https","protocol":"HTTPS"},"hosts":["%s"],"tls":{"mode":"%s","credentialName":"shop"}}]}}`, shopHost, mode))
}

// outside are cohorts that call shop: one with the run's credential, and one without.
func outside() []mesh.Cohort {
	plan := loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: "https://" + shopHost + "/get"}, Connections: 2, Requests: 6}
	stranger := plan
	stranger.TLS = &loadgen.TLS{InsecureSkipVerify: true}
	unknowing := plan
	unknowing.TLS = &loadgen.TLS{SNI: shopHost}
	return []mesh.Cohort{
		{Name: "member", From: mesh.FromGateway, Plan: plan, Credential: "shop"},
		{Name: "stranger", From: mesh.FromGateway, Plan: stranger},
		{Name: "unknowing", From: mesh.FromGateway, Plan: unknowing},
	}
}

func TestAGatewayShowsTheCredentialOfTheRun(t *testing.T) {
	m := open(t, "httpbin", 1)
	cohorts := outside()
	if err := m.Prepare(t.Context(), cohorts); err != nil {
		t.Fatal(err)
	}
	before, err := m.Write(t.Context(), rules.Change{After: front(t, "SIMPLE")})
	if err != nil {
		t.Fatal(err)
	}
	route := object(t, `{"kind":"VirtualService","metadata":{"name":"shop"},"spec":{"hosts":["`+shopHost+`"],"gateways":["front"],"http":[{"route":[{"destination":{"host":"httpbin","port":{"number":8000}}}]}]}}`)
	if _, err := m.Write(t.Context(), rules.Change{After: route}); err != nil {
		t.Fatal(err)
	}
	expect := func(when string, want map[string]string) {
		t.Helper()
		results, err := m.Load(t.Context(), cohorts, mesh.Guard{}, begun, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range want {
			if got := results[name].Outcomes; len(got) != 1 || got[0].Count != 6 || got[0].Words() != want {
				t.Errorf("%s, %s: %v; want %s", when, name, got, want)
			}
		}
	}
	expect("SIMPLE", map[string]string{"member": "status 200", "stranger": "status 200", "unknowing": "error tls"})
	after, err := m.Write(t.Context(), rules.Change{Before: before, After: front(t, "MUTUAL")})
	if err != nil {
		t.Fatal(err)
	}
	expect("MUTUAL", map[string]string{"member": "status 200", "stranger": "error tls", "unknowing": "error tls"})

	proxies, err := m.Proxies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]rules.Change{
		"": {Before: before, After: after},
		"it does not end TLS for shop.example.com by the secret shop": {Before: after, After: before},
		"it still ends TLS for shop.example.com by the secret shop":   {Before: after},
	} {
		seen := live.Wait(t.Context(), proxies, nil, []live.Awaited{{Change: change}}, 100*time.Millisecond)
		if err := seen[0].Err; (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
	if err := m.Settle(t.Context(), "t1"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Load(t.Context(), cohorts[:1], mesh.Guard{}, begun, nil); err == nil || !strings.Contains(err.Error(), "the mesh was prepared without its secret shop") {
		t.Error(err)
	}
}

func TestAGatewayEndsTheTLSOfCalls(t *testing.T) {
	m := open(t, "grpc-echo", 1)
	member := mesh.Cohort{Name: "member", From: mesh.FromGateway, Credential: "shop", Plan: loadgen.Plan{
		GRPC: &loadgen.GRPC{Address: shopHost + ":443", Method: "proto.EchoTestService/Echo", Body: `{"message": "hello"}`}, TLS: &loadgen.TLS{},
		Connections: 2, Requests: 6, Checks: []loadgen.Check{{Name: "echoed", Body: "Echo=hello"}},
	}}
	if err := m.Prepare(t.Context(), []mesh.Cohort{member}); err != nil {
		t.Fatal(err)
	}
	route := object(t, `{"kind":"VirtualService","metadata":{"name":"shop"},"spec":{"hosts":["`+shopHost+`"],"gateways":["front"],"http":[{"route":[{"destination":{"host":"echo","port":{"number":7070}}}]}]}}`)
	for _, o := range []*rules.Object{front(t, "MUTUAL"), route} {
		if _, err := m.Write(t.Context(), rules.Change{After: o}); err != nil {
			t.Fatal(err)
		}
	}
	results, err := m.Load(t.Context(), []mesh.Cohort{member}, mesh.Guard{}, begun, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := results["member"]
	if len(got.Outcomes) != 1 || got.Outcomes[0].GRPC != loadgen.OK || len(got.Outcomes[0].Checks) != 1 || got.Sent != 6 {
		t.Errorf("%q, outcomes %+v", got.Failure, got.Outcomes)
	}
}

func TestWebSocketsEnterByAGateway(t *testing.T) {
	m := open(t, "httpbin", 1)
	talk := loadgen.Plan{
		HTTP: &loadgen.HTTP{URL: "wss://" + shopHost + "/websocket/echo", Messages: []string{"hello", "again"}}, Connections: 2, Requests: 6,
		Checks: []loadgen.Check{{Name: "echoed", Body: "hello\nagain"}},
	}
	stranger := talk
	stranger.TLS = &loadgen.TLS{InsecureSkipVerify: true}
	plain := talk
	plain.HTTP = &loadgen.HTTP{URL: "ws://" + shopHost + "/websocket/echo", Messages: talk.HTTP.Messages}
	cohorts := []mesh.Cohort{
		{Name: "member", From: mesh.FromGateway, Credential: "shop", Plan: talk},
		{Name: "stranger", From: mesh.FromGateway, Plan: stranger},
		{Name: "plain", From: mesh.FromGateway, Plan: plain},
	}
	if err := m.Prepare(t.Context(), cohorts); err != nil {
		t.Fatal(err)
	}
	http := object(t, `{"kind":"Gateway","metadata":{"name":"open"},"spec":{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":80,"name":"http","protocol":"HTTP"},"hosts":["`+shopHost+`"]}]}}`)
	route := object(t, `{"kind":"VirtualService","metadata":{"name":"shop"},"spec":{"hosts":["`+shopHost+`"],"gateways":["front","open"],"http":[{"route":[{"destination":{"host":"httpbin","port":{"number":8000}}}]}]}}`)
	for _, o := range []*rules.Object{front(t, "MUTUAL"), http, route} {
		if _, err := m.Write(t.Context(), rules.Change{After: o}); err != nil {
			t.Fatal(err)
		}
	}
	results, err := m.Load(t.Context(), cohorts, mesh.Guard{}, begun, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"member": "status 101", "plain": "status 101", "stranger": "error tls"} {
		got := results[name]
		if len(got.Outcomes) != 1 || got.Outcomes[0].Count != 6 || got.Outcomes[0].Words() != want || want == "status 101" && len(got.Outcomes[0].Checks) != 1 {
			t.Errorf("%s: %q, outcomes %+v; want %s", name, got.Failure, got.Outcomes, want)
		}
	}
}
