//go:build e2e

package fidelity

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/test/fidelity/page"
)

// gateways are cases of the ingress gateway: their rules are for it alone, and the
// host of a call that names none is $web.example.com.
var gateways = []comparison{
	{Name: "what an edge says", HTTP: "{" + v1 + "}", Calls: []call{
		{}, {Path: "/a/../b?x=1"}, {Method: "POST", Body: "a body"}, {Method: "HEAD"}, {Do: "status=503"}, {Do: "status=404 header=Server:mine header=X-Envoy-Upstream-Service-Time:7"},
		{Headers: "X-Forwarded-For:203.0.113.7"}, {Headers: "X-Forwarded-For:203.0.113.7,198.51.100.1 X-Forwarded-Proto:https"}, {Headers: "X-Envoy-External-Address:192.0.2.1 X-Envoy-Internal:true"},
		{Headers: "X-Envoy-Retry-On:5xx X-Envoy-Max-Retries:1", Do: "status=503"}, {Headers: "X-Envoy-Upstream-Rq-Timeout-Ms:100", Do: "wait=1s"}, {Headers: "X-Forwarded-Host:mine X-Envoy-Original-Path:/mine X-Envoy-Original-Host:mine X-Envoy-Downstream-Service-Cluster:mine X-Envoy-Decorator-Operation:mine"},
	}},
	{Name: "which host", HTTP: "{" + v1 + "}", Calls: []call{
		{Host: "$web.example.com:80"}, {Host: "$web.example.com:8080"}, {Host: "$WEB.example.com"}, {Host: "$web.example.org"}, {Host: "x.$web.example.com"}, {Host: "$web"},
	}},
	{Name: "no route", HTTP: `{"match": [{"uri": {"exact": "/a"}}], ` + v1 + `}`, Calls: paths("/a", "/b", "/a?b")},
	{Name: "which entry", HTTP: `{"match": [{"headers": {"user": {"exact": "jason"}}}], ` + v2 + `}, {"match": [{"port": 80, "uri": {"prefix": "/port"}}], ` + v2 + `}, {"match": [{"port": 81}], ` + v2 + `}, {"match": [{"gateways": ["mesh"]}], ` + v2 + `}, {` + v1 + `}`,
		Calls: []call{{}, {Headers: "user:jason"}, {Path: "/port"}}},
	{Name: "weights", Drawn: true, Times: 300, Connections: 4, HTTP: `{"route": [{"weight": 70, "destination": {"host": "$web", "subset": "v1"}}, {"weight": 30, "destination": {"host": "$web", "subset": "v2"}}]}`, Calls: paths("/")},
	{Name: "a redirect", HTTP: `{"match": [{"uri": {"prefix": "/s"}}], "redirect": {"scheme": "https"}}, {"match": [{"uri": {"prefix": "/p"}}], "redirect": {"port": 8080, "uri": "/q", "redirectCode": 302}}, {"redirect": {"authority": "new.example.com"}}`, Calls: paths("/s?x=1", "/p", "/")},
	{Name: "a fault, a timeout, a rewrite, retries", HTTP: `{"match": [{"uri": {"prefix": "/fault"}}], "fault": {"abort": {"httpStatus": 418, "percentage": {"value": 100}}}, ` + v1 + `}, {"match": [{"uri": {"prefix": "/timeout"}}], "timeout": "0.2s", ` + v1 + `}, {"match": [{"uri": {"prefix": "/old"}}], "rewrite": {"uri": "/new", "authority": "elsewhere"}, ` + v1 + `}, {"retries": {"attempts": 2, "retryOn": "5xx"}, "mirror": {"host": "$web", "subset": "v2"}, ` + v1 + `}`,
		Calls: []call{{Path: "/fault"}, {Path: "/timeout", Do: "wait=1s"}, {Path: "/old/x"}, {Do: "status=503 times=1"}, {Do: "status=503"}}},
}

func TestTheEmbeddedGatewayAnswersAsEnvoyDoes(t *testing.T) {
	c := startCluster(t)
	address := c.gatewayAddress(t)
	var trials []*trial
	for i := range gateways {
		trials = append(trials, c.prepare(t, &gateways[i], fmt.Sprintf("edge%02d", i)))
	}
	for _, tr := range append(slices.Clone(trials), c.prepare(t, &comparison{HTTP: `{"headers": {"response": {"set": {"live": "yes"}}}, ` + v1 + `}`}, sentinelService)) {
		for _, manifest := range append(tr.atGateway(t), tr.entry()) {
			if err := c.apply(manifest); err != nil {
				t.Fatal(err)
			}
		}
	}
	direct := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	await(t, "the gateway has the rules", 2*time.Minute, func() error {
		for range 10 {
			o := call{Host: sentinelService + ".example.com"}.send(&http.Client{Transport: &http.Transport{DialContext: direct, DisableKeepAlives: true}, Timeout: 5 * time.Second}, sentinelService, 0, "sentinel")
			if !slices.Contains(o.headers, "Live: yes") {
				return errors.New(o.String())
			}
		}
		return nil
	})
	for _, tr := range trials {
		tr.comparison = tr.toHosts()
		tr.drive(t, embeddedSide, tr.startGateway(t))
		tr.drive(t, envoySide, direct)
	}
	awaitSettled(t, trials)
	for _, tr := range trials {
		t.Run(tr.Name, tr.hold)
	}
	if err := documentGateway(trials); err != nil {
		t.Error(err)
	}
}

// gatewayAddress is where the cluster's ingress gateway takes HTTP.
func (c *cluster) gatewayAddress(t testing.TB) string {
	t.Helper()
	service, err := c.kube.CoreV1().Services(config.GatewayNamespace).Get(t.Context(), "istio-ingressgateway", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort(service.Spec.ClusterIP, "80")
}

// atGateway are the rules of the case, for the gateway alone.
func (tr *trial) atGateway(t testing.TB) []map[string]any {
	t.Helper()
	host := tr.service + ".example.com"
	all := tr.manifests(t)
	for _, manifest := range all {
		if spec := manifest["spec"].(map[string]any); manifest["kind"] == rules.VirtualService {
			spec["hosts"], spec["gateways"] = []any{host}, []any{tr.service}
		}
	}
	gateway := asManifest(t, rules.Gateway, tr.service, fmt.Sprintf(`{"selector": {"istio": "ingressgateway"}, "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": [%q]}]}`, host))
	gateway["apiVersion"] = "networking.istio.io/v1"
	gateway["metadata"].(map[string]any)["namespace"] = namespace
	return append(all, gateway)
}

// toHosts are the case's calls with the host that each is for.
func (tr *trial) toHosts() *comparison {
	c := *tr.comparison
	c.Calls = slices.Clone(c.Calls)
	for i := range c.Calls {
		if c.Calls[i].Host == "" {
			c.Calls[i].Host = "$web.example.com"
		}
		c.Calls[i].Host = strings.NewReplacer("$web", tr.service, "$WEB", strings.ToUpper(tr.service)).Replace(c.Calls[i].Host)
	}
	return &c
}

// startGateway starts the embedded gateway with the case's rules.
func (tr *trial) startGateway(t testing.TB) dialer {
	t.Helper()
	cfg, err := tr.compileObjects(t, tr.atGateway(t))
	if err != nil {
		t.Fatalf("%s: %v", tr.Name, err)
	}
	tr.proxy, err = sidecar.Start(sidecar.Options{Name: "gateway", App: "istio-ingressgateway", Namespace: namespace, Gateway: true, Seed: 1}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.proxy.Close(); err != nil {
			t.Errorf("%s: %v", tr.Name, err)
		}
	})
	address, err := tr.proxy.GatewayAddress(80)
	if err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
}

// documentGateway writes what was compared at the gateway to the page.
func documentGateway(trials []*trial) error {
	var text strings.Builder
	for _, tr := range trials {
		result := "alike"
		switch {
		case len(tr.differences()) > 0:
			result = "**differs**"
		case tr.Drawn:
			result = "alike, as shares"
		}
		fmt.Fprintf(&text, "| %s | %d | %s |\n", tr.Name, len(tr.outcomes[envoySide]), result)
	}
	return page.Write("Calls at the ingress gateway", `It compares status, headers and body of each answer, and what the workloads saw; not the access log and counters of the gateway, which others use as well.

| case | calls | |
|---|---|---|
`+text.String())
}
