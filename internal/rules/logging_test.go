package rules

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"
	telemetry "istio.io/api/telemetry/v1alpha1"
	apitype "istio.io/api/type/v1beta1"
)

func telemetryObject(name string, spec *telemetry.Telemetry) *Object {
	return &Object{Ref: Ref{Telemetry, "book", name}, APIVersion: "telemetry.istio.io/v1", Spec: spec, ResourceVersion: "7"}
}

func providers(names ...string) *telemetry.AccessLogging {
	l := &telemetry.AccessLogging{}
	for _, name := range names {
		l.Providers = append(l.Providers, &telemetry.ProviderRef{Name: name})
	}
	return l
}

func TestAccessLogsAreSwitchedOnInTheTelemetryThatIstioFollows(t *testing.T) {
	change, err := LogAccess([]*Object{telemetryObject("root", &telemetry.Telemetry{})}, "other")
	if err != nil || change.Before != nil || change.After.Name != "meshchaos-access-log" || change.After.Namespace != "other" {
		t.Errorf("without one: %+v, %v", change, err)
	}
	off := providers("envoy", "otel")
	off.Disabled = wrapperspb.Bool(true)
	own := telemetryObject("own", &telemetry.Telemetry{
		Tracing:       []*telemetry.Tracing{{}},
		AccessLogging: []*telemetry.AccessLogging{off, {}},
	})
	before := own.Clone()
	change, err = LogAccess([]*Object{own}, "book")
	if err != nil {
		t.Fatal(err)
	}
	if !Equal(own, before) {
		t.Error("the object that was given is altered")
	}
	spec := change.After.Spec.(*telemetry.Telemetry)
	if change.Before != own || change.After.Ref != own.Ref || len(spec.Tracing) != 1 {
		t.Errorf("the change is %+v", change)
	}
	if len(spec.AccessLogging) != 2 || spec.AccessLogging[0].Providers[0].Name != "envoy" || spec.AccessLogging[0].Disabled != nil ||
		len(spec.AccessLogging[1].Providers) != 1 || spec.AccessLogging[1].Providers[0].Name != "otel" || !spec.AccessLogging[1].Disabled.GetValue() {
		t.Errorf("accessLogging is %v", spec.AccessLogging)
	}
}

func TestAccessLogsThatOthersHaveTheSayOverAreLeftAlone(t *testing.T) {
	some := &apitype.WorkloadSelector{MatchLabels: map[string]string{"app": "ratings"}}
	_, err := LogAccess([]*Object{telemetryObject("some", &telemetry.Telemetry{Selector: some, AccessLogging: []*telemetry.AccessLogging{providers("otel")}})}, "book")
	if err == nil || !strings.Contains(err.Error(), "Telemetry/book/some") {
		t.Errorf("a selector: %v", err)
	}
	if _, err := LogAccess([]*Object{telemetryObject("some", &telemetry.Telemetry{Selector: some, Tracing: []*telemetry.Tracing{{}}})}, "book"); err != nil {
		t.Errorf("a selector of tracing alone: %v", err)
	}
	_, err = LogAccess([]*Object{telemetryObject("a", &telemetry.Telemetry{}), telemetryObject("b", &telemetry.Telemetry{})}, "book")
	if err == nil || !strings.Contains(err.Error(), "undefined") {
		t.Errorf("two of them: %v", err)
	}
}
