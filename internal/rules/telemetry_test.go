package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const telemetryJSON = `{"apiVersion":"telemetry.istio.io/v1","kind":"Telemetry","metadata":{"name":"log","namespace":"book"},` +
	`"spec":{"selector":{"matchLabels":{"app":"ratings"}},"accessLogging":[{"providers":[{"name":"envoy"}],"filter":{"expression":"response.code >= 400"}}],` +
	`"metrics":[{"reportingInterval":"5s","overrides":[{"match":{"metric":"REQUEST_COUNT"},"disabled":true}]}],"tracing":[{"randomSamplingPercentage":0.5}]}}`

func TestATelemetryIsReadWrittenAndComparedAsTheOthersAre(t *testing.T) {
	o, err := Decode([]byte(telemetryJSON))
	if err != nil {
		t.Fatal(err)
	}
	text, err := o.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(text)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if diff := Diff(o, back); diff != nil || len(Hosts(o)) > 0 || len(Check([]*Object{o})) > 0 {
		t.Errorf("differs by %v; hosts %v, problems %v; want none", diff, Hosts(o), Check([]*Object{o}))
	}
	other, err := Decode([]byte(strings.Replace(telemetryJSON, ">= 400", ">= 500", 1)))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`spec.accessLogging[0].filter.expression is "response.code >= 500", and should be "response.code >= 400"`}
	if diff := cmp.Diff(want, Diff(o, other)); diff != "" {
		t.Error(diff)
	}
	_, err = Decode([]byte(strings.Replace(telemetryJSON, `"providers"`, `"provider"`, 1)))
	if err == nil || err.Error() != `spec.accessLogging[0].provider: unknown key; did you mean providers?` {
		t.Errorf("error %v; want that the key is unknown", err)
	}
	_, err = Decode([]byte(strings.Replace(telemetryJSON, "telemetry.istio.io/v1", "networking.istio.io/v1", 1)))
	if err == nil || !strings.Contains(err.Error(), "apiVersion: \"networking.istio.io/v1\" is not one of telemetry.istio.io/v1") {
		t.Errorf("error %v; want that the API is another kind's", err)
	}
}

func TestAScenarioMayWriteNoTelemetry(t *testing.T) {
	_, err := DecodeFile([]byte(telemetryJSON))
	if err == nil || !strings.HasPrefix(err.Error(), "kind: a scenario may write no Telemetry") {
		t.Errorf("error %v; want that it is refused, with the reason", err)
	}
}

func TestTelemetryIsWrittenFirst(t *testing.T) {
	var all []Change
	for _, kind := range []string{VirtualService, Gateway, Telemetry, DestinationRule} {
		all = append(all, Change{After: &Object{Ref: Ref{Kind: kind}}})
	}
	slices.SortFunc(all, InWritingOrder)
	var kinds []string
	for _, change := range all {
		kinds = append(kinds, change.Ref().Kind)
	}
	if diff := cmp.Diff([]string{Telemetry, Gateway, DestinationRule, VirtualService}, kinds); diff != "" {
		t.Error(diff)
	}
}
