package runner_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	telemetry "istio.io/api/telemetry/v1alpha1"
	apitype "istio.io/api/type/v1beta1"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/meshtest"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
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
      kind: Gateway
      metadata: {name: front}
      spec:
        selector: {istio: ingressgateway}
        servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: [shop.example.com]}]
    - apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: front}
      spec:
        hosts: [shop.example.com]
        gateways: [front]
        http: [{route: [{destination: {host: httpbin}}]}]
  apply:
    - apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: front}
      spec:
        hosts: [shop.example.com]
        gateways: [front]
        http: [{fault: {abort: {httpStatus: 503, percentage: {value: 100}}}, route: [{destination: {host: httpbin}}]}]
  load:
    outside: {get: "http://shop.example.com:8080/get", from: gateway, connections: 1, requests: 6}
  expect:
    - outside.status[503] == outside.sent
    - faults(httpbin) == outside.sent
`

func runEntered(t *testing.T, m mesh.Mesh, text string, o runner.Options) *report.Record {
	t.Helper()
	o.ID = "test"
	record, err := runner.Run(t.Context(), m, read(t, text), o)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// ofGateway places a Telemetry in the gateway's namespace, of the gateway.
func ofGateway(t *testing.T, m mesh.Mesh, name string) {
	t.Helper()
	_, err := m.Write(t.Context(), rules.Change{After: &rules.Object{
		Ref: rules.Ref{Kind: rules.Telemetry, Namespace: "istio-system", Name: name}, APIVersion: "telemetry.istio.io/v1", Labels: map[string]string{"team": "front"},
		Spec: &telemetry.Telemetry{Selector: &apitype.WorkloadSelector{MatchLabels: rules.IngressGateway()}},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheLogOfAGatewayIsOnForARunThatConcernsIt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		place  []string // Telemetries that are there
		object string
		action string
	}{
		"none is there": {object: "Telemetry/istio-system/meshchaos-access-log", action: "created"},
		"theirs":        {place: []string{"theirs"}, object: "Telemetry/istio-system/theirs", action: "updated"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := unlogged(t, "httpbin")
			for _, name := range test.place {
				ofGateway(t, m, name)
			}
			before := meshtest.InForce(t, m)
			record := runEntered(t, m, entered, runner.Options{})
			if record.Verdict != report.Pass || !record.Restored {
				t.Errorf("verdict %s, restored %v, warnings %q, problems %q, %+v", record.Verdict, record.Restored, record.Warnings, record.Against(), record.Expectations)
			}
			if !slices.ContainsFunc(telemetries(record), func(c report.Change) bool {
				return c.Object == test.object && c.Action == test.action && c.Restored
			}) {
				t.Errorf("changes of logs %+v", telemetries(record))
			}
			after := meshtest.InForce(t, m)
			if len(after) != len(before) {
				t.Errorf("in force: %v", after)
			}
			for ref, text := range after {
				if before[ref] != text {
					t.Errorf("%s is now %s", ref, text)
				}
			}
		})
	}
}

func TestWhereTheLogOfAGatewayStaysOffNothingShowsWhetherAFaultBit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		place   []string
		options runner.Options
		bend    func(mesh.Mesh) mesh.Mesh
		warning string
	}{
		"forbidden":        {options: runner.Options{NoAccessLog: true}},
		"the mesh refuses": {bend: func(m mesh.Mesh) mesh.Mesh { return closedTo{m} }, warning: "in the namespace istio-system the access logs stay off, and the evidence has to come from elsewhere: telemetries is forbidden"},
		"two of them":      {place: []string{"a", "b"}, warning: "Telemetry/istio-system/a and Telemetry/istio-system/b both select its pods"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := unlogged(t, "httpbin")
			for _, name := range test.place {
				ofGateway(t, m, name)
			}
			if test.bend != nil {
				m = test.bend(m)
			}
			record := runEntered(t, m, entered, test.options)
			if record.Verdict != report.Inconclusive || !record.Restored {
				t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
			}
			if test.warning != "" && !strings.Contains(strings.Join(record.Warnings, "\n"), test.warning) {
				t.Errorf("warnings %q", record.Warnings)
			}
			for _, c := range telemetries(record) {
				if strings.Contains(c.Object, "istio-system") {
					t.Errorf("%+v", c)
				}
			}
			if problems := strings.Join(record.Against(), "\n"); !strings.Contains(problems, "nothing shows whether it bit") {
				t.Errorf("problems %s", problems)
			}
		})
	}
}

// closedTo is a mesh that takes no Telemetry in the gateway's namespace.
type closedTo struct{ mesh.Mesh }

func (c closedTo) Admit(ctx context.Context, objects []*rules.Object) error {
	for _, o := range objects {
		if o.Namespace == "istio-system" {
			return errors.New("telemetries is forbidden")
		}
	}
	return c.Mesh.Admit(ctx, objects)
}

func TestARunThatConcernsNoGatewayWritesNothingThere(t *testing.T) {
	t.Parallel()
	record := runWith(t, unlogged(t, "bookinfo"), runner.Options{})
	if changes := telemetries(record); len(changes) != 1 || strings.Contains(changes[0].Object, "istio-system") {
		t.Errorf("changes of logs %+v", changes)
	}
}

// What others do to Telemetries of the gateway's namespace is theirs, unless the
// run has one there.
func TestOnlyARunThatLogsAtTheGatewayMindsOtherTelemetriesThere(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text  string
		minds bool
	}{
		"no gateway": {inside, false},
		"a gateway":  {entered, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := unlogged(t, "httpbin")
			meddled := false
			record := runEntered(t, m, test.text, runner.Options{Observe: func(e runner.Event) {
				if meddled || e.Phase != "load under the rule" {
					return
				}
				meddled = true
				ofGateway(t, m, "theirs")
			}})
			if said := strings.Contains(strings.Join(record.Against(), "\n"), "Telemetry/istio-system/theirs was created by somebody else"); !meddled || said != test.minds {
				t.Errorf("meddled %v, verdict %s, problems %q", meddled, record.Verdict, record.Against())
			}
		})
	}
}

// inside delays what the load workload calls itself.
const inside = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: inside}
spec:
  app: httpbin
  apply:
    - fault: {service: httpbin, delay: 20ms}
  load:
    client: {get: "http://httpbin:8000/get", connections: 1, requests: 6}
  expect:
    - client.min >= 20ms
    - client.status[200] == client.sent
`
