package rules

import (
	"maps"
	"slices"
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

// selecting is a Telemetry for the pods with the labels.
func selecting(name string, labels map[string]string, logging ...*telemetry.AccessLogging) *Object {
	return telemetryObject(name, &telemetry.Telemetry{Selector: &apitype.WorkloadSelector{MatchLabels: labels}, AccessLogging: logging})
}

func TestAGatewayLogsByATelemetryOfItsPodsAlone(t *testing.T) {
	blue, green := map[string]string{"istio": "ingressgateway", "colour": "blue"}, map[string]string{"istio": "ingressgateway", "colour": "green"}
	off := providers("envoy", "otel")
	off.Disabled = wrapperspb.Bool(true)
	byName := telemetryObject("by-name", &telemetry.Telemetry{TargetRefs: []*apitype.PolicyTargetReference{{Kind: "Gateway", Name: "g"}}})
	for name, test := range map[string]struct {
		objects []*Object
		pods    []map[string]string
		edited  string   // empty: one is created
		logs    []string // the first provider of each entry
		err     string
	}{
		"none is there":             {nil, []map[string]string{blue}, "", []string{"envoy"}, ""},
		"one of other pods":         {[]*Object{selecting("other", map[string]string{"app": "x"}, providers("otel"))}, []map[string]string{blue}, "", []string{"envoy"}, ""},
		"one by name":               {[]*Object{byName}, []map[string]string{blue}, "", []string{"envoy"}, ""},
		"one of the namespace":      {[]*Object{telemetryObject("wide", &telemetry.Telemetry{AccessLogging: []*telemetry.AccessLogging{providers("otel")}})}, []map[string]string{blue}, "", []string{"envoy", "otel"}, ""},
		"one of them":               {[]*Object{selecting("own", IngressGateway(), off)}, []map[string]string{blue, green}, "own", []string{"envoy", "otel"}, ""},
		"one of them about no logs": {[]*Object{selecting("own", map[string]string{"colour": "blue"})}, []map[string]string{blue}, "own", []string{"envoy"}, ""},
		"one of some of them":       {[]*Object{selecting("own", map[string]string{"colour": "blue"})}, []map[string]string{blue, green}, "", nil, "Telemetry/book/own selects some of its pods and not others"},
		"two of them":               {[]*Object{selecting("a", IngressGateway()), selecting("b", blue)}, []map[string]string{blue}, "", nil, "Telemetry/book/a and Telemetry/book/b both select its pods"},
	} {
		t.Run(name, func(t *testing.T) {
			change, err := LogGateway(test.objects, "book", test.pods)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v; want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			spec := change.After.Spec.(*telemetry.Telemetry)
			var logs []string
			for _, l := range spec.AccessLogging {
				logs = append(logs, l.Providers[0].Name)
			}
			if !slices.Equal(logs, test.logs) || spec.AccessLogging[0].GetDisabled().GetValue() {
				t.Errorf("it logs %v; want %v", spec.AccessLogging, test.logs)
			}
			switch {
			case test.edited == "" && (change.Before != nil || change.After.Namespace != "book" || !maps.Equal(spec.Selector.MatchLabels, IngressGateway())):
				t.Errorf("%+v; want a new one of the gateway", change)
			case test.edited != "" && (change.Before == nil || change.After.Name != test.edited || !Selects(spec.Selector.GetMatchLabels(), blue)):
				t.Errorf("%+v; want %s edited", change, test.edited)
			}
		})
	}
}
