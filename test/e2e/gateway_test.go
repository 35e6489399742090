//go:build e2e

package e2e_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"
	networking "istio.io/api/networking/v1alpha3"
	telemetry "istio.io/api/telemetry/v1alpha1"
	apitype "istio.io/api/type/v1beta1"

	"github.com/meshchaos/meshchaos/internal/evidence"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
)

// entered aborts requests at the gateway, whose log alone tells of which service
// they are.
const entered = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: entered}
spec:
  app: httpbin
  given:
    - apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: front}
      spec:
        hosts: [entered.example.com]
        gateways: [front]
        http: [{route: [{destination: {host: httpbin, port: {number: 8000}}}]}]
  apply:
    - apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: front}
      spec:
        hosts: [entered.example.com]
        gateways: [front]
        http: [{fault: {abort: {httpStatus: 503, percentage: {value: 100}}}, route: [{destination: {host: httpbin, port: {number: 8000}}}]}]
  load:
    outside: {get: "http://entered.example.com/get", from: gateway, connections: 1, requests: 6}
  expect:
    - outside.status[503] == outside.sent
    - faults(httpbin) == outside.sent
`

// Somebody has switched the gateway's access log off, in its own namespace. The
// run switches it on for as long as it lasts, in the Telemetry that is there.
func TestTheLogOfAGatewayIsOnForARunAlone(t *testing.T) {
	ctx := context.WithoutCancel(t.Context())
	keeper := openIstio(ctx, t, "keeper")
	t.Cleanup(func() {
		if err := keeper.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	gateways := gatewaysOf(t, keeper)
	place(t, keeper, &rules.Object{
		Ref: rules.Ref{Kind: rules.Gateway, Namespace: keeper.Info().Namespace, Name: "front"}, APIVersion: "networking.istio.io/v1",
		Spec: &networking.Gateway{Selector: rules.IngressGateway(), Servers: []*networking.Server{{
			Port: &networking.Port{Number: 80, Name: "http", Protocol: "HTTP"}, Hosts: []string{"entered.example.com"},
		}}},
	})
	off := place(t, keeper, &rules.Object{
		Ref:         rules.Ref{Kind: rules.Telemetry, Namespace: gateways[0].Namespace, Name: "theirs"},
		APIVersion:  "telemetry.istio.io/v1",
		Annotations: map[string]string{"why": "theirs"},
		Spec: &telemetry.Telemetry{
			Selector: &apitype.WorkloadSelector{MatchLabels: rules.IngressGateway()},
			AccessLogging: []*telemetry.AccessLogging{{
				Providers: []*telemetry.ProviderRef{{Name: rules.LogProvider}}, Disabled: wrapperspb.Bool(true),
			}},
		},
	})
	awaitOff(t, gateways)

	record, err := runScenario(t, readScenario(t, entered), "gateway", openIstio(t.Context(), t, "gateway"))
	if err != nil {
		t.Fatal(err)
	}
	if record.Verdict != report.Pass || !record.Restored {
		t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
		show(t, record)
	}
	if !slices.ContainsFunc(record.Changes, func(c report.Change) bool {
		return c.Object == off.String() && c.Action == "updated" && slices.Contains(c.LiveIn, gateways[0].Name) && c.Restored
	}) {
		t.Errorf("the Telemetry was not edited and put back: %+v", record.Changes)
	}
	for _, w := range record.Windows {
		if len(w.Calls) == 0 || slices.ContainsFunc(w.Calls, func(e report.Explained) bool { return e.Call == nil }) {
			t.Errorf("%s: not every request that entered is explained: %+v", w.Words(), w.Calls)
		}
	}
	objects, err := keeper.Objects(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if now := rules.Find(objects, off.Ref); !rules.Equal(off, now) {
		t.Errorf("it was %s, and is %v", off.Manifest, now)
	}
}

func gatewaysOf(t *testing.T, m mesh.Mesh) []mesh.Proxy {
	t.Helper()
	proxies, err := m.Proxies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	proxies = slices.DeleteFunc(proxies, func(p mesh.Proxy) bool { return !p.Gateway })
	if len(proxies) == 0 {
		t.Fatal("the mesh has no gateway")
	}
	return proxies
}

// awaitOff waits until one of the proxies logs nothing any more.
func awaitOff(t *testing.T, proxies []mesh.Proxy) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		off, _, err := new(evidence.Logging).Unlogged(ctx, proxies, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(off) > 0 {
			return
		}
	}
}
