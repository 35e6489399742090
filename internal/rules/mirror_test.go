package rules

import (
	"testing"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

func mirror(when map[string]string, to string, percent *float64) *Mirror {
	return &Mirror{Service: yamlnode.Names{"ratings"}, When: when, To: to, Percent: yamlnode.Percent{Value: percent}}
}

func TestAMirrorIsSetInTheEntriesOfItsRequests(t *testing.T) {
	const all, some = `mirror: {host: ratings, subset: v2}, mirrorPercentage: {value: 100}`, `mirror: {host: ratings, subset: v2}, mirrorPercentage: {value: 12.5}`
	for name, test := range map[string]struct {
		http   string
		intent Intent
		want   string
	}{
		"of all":            {`[{` + toV1 + `}]`, mirror(nil, "v2", nil), `[{` + toV1 + `, ` + all + `}]`},
		"of a share":        {`[{` + toV1 + `}]`, mirror(nil, "v2", new(12.5)), `[{` + toV1 + `, ` + some + `}]`},
		"of some":           {`[{` + toV1 + `}]`, mirror(jason, "v2", nil), `[{` + isJason("") + `, ` + toV1 + `, ` + all + `}, {` + toV1 + `}]`},
		"in another place":  {`[{` + toV1 + `, mirror: {host: details}, mirrorPercent: 3}]`, mirror(nil, "v2", nil), `[{` + toV1 + `, ` + all + `}]`},
		"instead of others": {`[{` + toV1 + `, mirrors: [{destination: {host: details}}]}]`, mirror(nil, "v2", nil), `[{` + toV1 + `, ` + all + `}]`},
	} {
		t.Run(name, func(t *testing.T) {
			changes, err := Merge(readAll(t, ratings(test.http)+subsets(`[{name: v1, labels: {version: v1}}]`)), bookinfo, "default", []Intent{test.intent})
			if err != nil || len(changes) != 2 {
				t.Fatalf("%d changes, %v", len(changes), err)
			}
			if made := changes[0].After.Spec.(*networking.DestinationRule); len(made.Subsets) != 2 || made.Subsets[1].Name != "v2" {
				t.Errorf("the subset that it needs is not made first: %v", made)
			}
			compareHTTP(t, changes[1], test.want)
			if problems := Check([]*Object{changes[0].After, changes[1].After}); len(problems) > 0 {
				t.Errorf("Istio would say %v", problems)
			}
		})
	}
}

func TestAMirrorIsRefusedWithTheReason(t *testing.T) {
	for name, test := range map[string]struct {
		objects string
		intent  Intent
		want    string
	}{
		"no version":    {"", mirror(nil, "", nil), "write to: v2"},
		"too much":      {"", mirror(nil, "v2", new(100.5)), "the percentage is 100.5"},
		"nothing":       {"", mirror(nil, "v2", new(0.0)), "the percentage is 0"},
		"on a redirect": {ratings(`[{redirect: {uri: /}}]`), mirror(nil, "v2", nil), "spec.http[0] redirects"},
		"of TCP":        {"", &Mirror{Service: yamlnode.Names{"tcp-echo"}, To: "v2"}, "opaque TCP"},
	} {
		t.Run(name, func(t *testing.T) {
			mergeRefused(t, test.objects, test.intent, test.want)
		})
	}
}
