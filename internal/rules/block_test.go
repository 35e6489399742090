package rules

import (
	"strings"
	"testing"
)

func TestAGatewayIsNamedInFiveWays(t *testing.T) {
	for written, want := range map[string]string{
		"mesh": "mesh", "g": "shop/g", "./g": "shop/g", "edge/g": "edge/g", "g.edge": "edge/g", "g.edge.svc.cluster.local": "edge/g",
	} {
		if got := GatewayName(written, "shop"); got != want {
			t.Errorf("%s is %s, want %s", written, got, want)
		}
	}
}

func TestAMatchBringsNoGatewayAlong(t *testing.T) {
	for gateways, refused := range map[string]bool{
		`[]|["mesh"]`:               false,
		`[]|["g"]`:                  true,
		`["g"]|["g"]`:               false,
		`["edge/g"]|["g"]`:          false, // the file does not say that it is not of edge
		`["g","mesh"]|["mesh"]`:     false,
		`["g"]|["mesh"]`:            true,
		`["edge/g"]|["edge/other"]`: true,
	} {
		rule, match, _ := strings.Cut(gateways, "|")
		o, err := DecodeFile([]byte(`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"x"},
 "spec":{"hosts":["web"],"gateways":` + rule + `,"http":[{"match":[{"gateways":` + match + `}],"route":[{"destination":{"host":"web"}}]}]}}`))
		if err != nil {
			t.Fatal(err)
		}
		unbound := Unbound(o)
		if found := len(unbound) == 1 && unbound[0].Path == "spec.http[0].match[0]"; found != refused {
			t.Errorf("%s: unbound are %v", gateways, unbound)
		}
	}
}

func TestASecondDestinationRuleOfAHostIsRefused(t *testing.T) {
	rule := func(name, spec string) *Object {
		o, err := DecodeFile([]byte(`{"apiVersion":"networking.istio.io/v1","kind":"DestinationRule","metadata":{"name":"` + name + `","namespace":"shop"},"spec":` + spec + `}`))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	theirs := rule("theirs", `{"host":"web","subsets":[{"name":"v1","labels":{"version":"v1"}}]}`)
	for spec, refused := range map[string]bool{
		`{"host":"web"}`:                                                true,
		`{"host":"web.shop.svc.cluster.local"}`:                         true,
		`{"host":"web.other.svc.cluster.local"}`:                        false,
		`{"host":"*.shop.svc.cluster.local"}`:                           false,
		`{"host":"web","workloadSelector":{"matchLabels":{"app":"a"}}}`: false,
	} {
		if _, err := Verbatim([]*Object{theirs}, []*Object{rule("ours", spec)}); (err != nil) != refused {
			t.Errorf("%s: %v", spec, err)
		}
	}
	if _, err := Verbatim([]*Object{theirs}, []*Object{rule("theirs", `{"host":"web.shop.svc.cluster.local"}`)}); err != nil {
		t.Errorf("in its own place: %v", err)
	}
}
