package runner

import (
	"strings"
	"testing"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

func TestARuleThatIsExportedElsewhereIsRefused(t *testing.T) {
	vs := func(gateways []string, to ...string) *rules.Object {
		return &rules.Object{
			Ref:  rules.Ref{Kind: rules.VirtualService, Namespace: "book", Name: "ratings"},
			Spec: &networking.VirtualService{Hosts: []string{"ratings"}, Gateways: gateways, ExportTo: to},
		}
	}
	policy := &rules.Object{Ref: rules.Ref{Kind: rules.DestinationRule, Namespace: "book", Name: "ratings"}, Spec: &networking.DestinationRule{Host: "ratings", ExportTo: []string{"other"}}}
	for name, test := range map[string]struct {
		before, after *rules.Object
		refused       bool
	}{
		"to all":                               {nil, vs(nil), false},
		"to its own namespace":                 {nil, vs(nil, "other", "."), false},
		"to its own namespace by name":         {nil, vs(nil, "book"), false},
		"to another":                           {nil, vs(nil, "other"), true},
		"to nobody":                            {nil, vs([]string{"front"}, "~"), true},
		"to the namespace of its gateway":      {nil, vs([]string{"front"}, "istio-system"), false},
		"as it was":                            {vs(nil, "other"), vs(nil, "other"), false},
		"a policy to another":                  {nil, policy, true},
		"one for sidecars too, to its gateway": {nil, vs([]string{"front", "mesh"}, "istio-system"), true},
	} {
		err := there{namespace: "book"}.exported(test.before, test.after)
		if (err != nil) != test.refused || err != nil && !strings.Contains(err.Error(), "spec.exportTo: it is exported to ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
