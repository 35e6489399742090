package rules

import (
	"testing"

	networking "istio.io/api/networking/v1alpha3"
	telemetry "istio.io/api/telemetry/v1alpha1"
)

func TestWhatMayAlterHowProxiesLog(t *testing.T) {
	tcp := &Object{Spec: &networking.VirtualService{Tcp: []*networking.TCPRoute{{}}}}
	http := &Object{Spec: &networking.VirtualService{Http: []*networking.HTTPRoute{{}}}}
	for _, one := range []struct {
		name   string
		change Change
		want   bool
	}{
		{"http entries", Change{After: http}, false},
		{"a policy", Change{Before: &Object{Spec: &networking.DestinationRule{}}}, false},
		{"tcp entries that go", Change{Before: tcp, After: http}, true},
		{"tls entries", Change{After: &Object{Spec: &networking.VirtualService{Tls: []*networking.TLSRoute{{}}}}}, true},
		{"a gateway", Change{After: &Object{Spec: &networking.Gateway{}}}, true},
		{"what switches the logs", Change{After: &Object{Spec: &telemetry.Telemetry{}}}, true},
		{"and switches them back", Change{Before: &Object{Spec: &telemetry.Telemetry{}}}, true},
	} {
		if got := Relistens(one.change); got != one.want {
			t.Errorf("%s: %v", one.name, got)
		}
	}
}
