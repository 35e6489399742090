package rules

import "testing"

func TestWhatALaterStageTakesFromAnEarlierOne(t *testing.T) {
	const jasons, annas = `match: [{headers: {end-user: {exact: jason}}}], `, `match: [{headers: {end-user: {exact: anna}}}], `
	const abort = `fault: {abort: {httpStatus: 503, percentage: {value: 100}}}`
	policies := `{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: ratings}, spec: {host: ratings, trafficPolicy: {tls: {mode: DISABLE}},
 subsets: [{name: v1, trafficPolicy: {tls: {mode: DISABLE}}}, {name: v2, trafficPolicy: {tls: {mode: DISABLE}}}]}}`
	const whole, v1, v2 = "spec.trafficPolicy.tls", "spec.subsets[0].trafficPolicy.tls", "spec.subsets[1].trafficPolicy.tls"
	for name, test := range map[string]struct {
		given, step string // entries of the VirtualService; given empty: there was none
		earlier     string // path of the part of given
		want        bool
	}{
		"a narrower entry before one":          {`{` + toV1 + `}`, `{` + jasons + toV2 + `}, {` + toV1 + `}`, "spec.http[0]", true},
		"a narrower entry behind one":          {`{` + toV1 + `}`, `{` + toV1 + `}, {` + jasons + toV2 + `}`, "spec.http[0]", false},
		"an entry for others":                  {`{` + annas + toV1 + `}`, `{` + jasons + toV2 + `}, {` + annas + toV1 + `}`, "spec.http[0]", false},
		"a wider entry":                        {`{` + annas + toV1 + `}`, `{` + toV2 + `}, {` + annas + toV1 + `}`, "spec.http[0]", false},
		"a route away from a subset":           {`{` + toV1 + `}`, `{` + toV2 + `}`, v1, true},
		"a route to a subset":                  {`{` + toV1 + `}`, `{` + toV2 + `}`, v2, false},
		"a part of the weight stays":           {`{` + toV1 + `}`, `{route: [{destination: {host: ratings, subset: v1}, weight: 1}, {destination: {host: ratings, subset: v2}, weight: 99}]}`, v1, false},
		"a weight of 0 does not":               {`{` + toV1 + `}`, `{route: [{destination: {host: ratings, subset: v1}}, {destination: {host: ratings, subset: v2}, weight: 100}]}`, v1, true},
		"a subset that nothing led to":         {`{` + annas + toV1 + `}`, `{` + jasons + toV2 + `}, {` + annas + toV1 + `}`, v1, false},
		"an abort before a policy":             {`{` + toV1 + `}`, `{` + toV1 + `, ` + abort + `}`, v1, true},
		"an abort elsewhere":                   {`{` + toV1 + `}`, `{` + toV1 + `, ` + abort + `}`, v2, false},
		"a route where there was none":         {"", `{` + toV2 + `}`, v1, false},
		"the host's policy hidden by a subset": {"", `{` + toV2 + `}`, whole, true},
	} {
		t.Run(name, func(t *testing.T) {
			var given *Object
			known := Follow(nil, "given", Change{After: onlyObject(t, policies)})
			if test.given != "" {
				given = onlyObject(t, ratings(`[`+test.given+`]`))
				known = Follow(known, "given", Change{After: given})
			}
			known = Follow(known, "step", Change{Before: given, After: onlyObject(t, ratings(`[`+test.step+`]`))})
			found, got := false, false
			for _, earlier := range known {
				if earlier.Stage != "given" || earlier.Path != test.earlier {
					continue
				}
				found = true
				for _, later := range known {
					got = got || later.Stage == "step" && later.Displaces(earlier)
				}
			}
			if !found || got != test.want {
				t.Errorf("found is %v, displaced %v; want %v", found, got, test.want)
			}
		})
	}
}

func TestWhatWasTakenBeforeIsTakenStill(t *testing.T) {
	policy := onlyObject(t, `{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: ratings}, spec: {host: ratings, subsets: [{name: v1, trafficPolicy: {tls: {mode: DISABLE}}}]}}`)
	first, second, third := onlyObject(t, ratings(`[{`+toV1+`}]`)), onlyObject(t, ratings(`[{`+toV2+`}]`)), onlyObject(t, ratings(`[{`+toV2+`, timeout: 3s}]`))
	known := Follow(Follow(nil, "given", Change{After: policy}), "given", Change{After: first})
	known = Follow(known, "one", Change{Before: first, After: second})
	known = Follow(known, "two", Change{Before: second, After: third})
	if last := known[len(known)-2]; last.Kind != PartRoute || !last.Displaces(known[0]) {
		t.Errorf("%v takes nothing from %v", last, known[0])
	}
}
