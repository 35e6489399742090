package rules

import "testing"

func TestWhatAConsistentHashBinds(t *testing.T) {
	hashing := func(hash string) Part {
		o := read(t, `{"apiVersion":"networking.istio.io/v1","kind":"DestinationRule","metadata":{"name":"web","namespace":"shop"},"spec":{"host":"web","trafficPolicy":{"loadBalancer":{"consistentHash":`+hash+`}}}}`)
		for _, p := range Parts(nil, o) {
			if p.Kind == PartHash {
				return p
			}
		}
		t.Fatalf("%s is no part", hash)
		return Part{}
	}
	adding := read(t, `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"web","namespace":"shop"},"spec":{"hosts":["web"],"http":[{"headers":{"request":{"set":{"X-User":"a"}}},"route":[{"destination":{"host":"web"}}]}]}}`)
	for name, test := range map[string]struct {
		hash         string
		header       map[string]string
		inForce      []*Object
		bound, known bool
	}{
		"its header":                     {`{"httpHeaderName":"x-user"}`, map[string]string{"X-User": "a"}, nil, true, true},
		"another header":                 {`{"httpHeaderName":"x-user"}`, map[string]string{"x-users": "a"}, nil, false, true},
		"a header that a rule adds":      {`{"httpHeaderName":"x-user"}`, nil, []*Object{adding}, false, false},
		"a rule that adds another":       {`{"httpHeaderName":"x-account"}`, nil, []*Object{adding}, false, true},
		"a header that each request has": {`{"httpHeaderName":"user-agent"}`, nil, nil, false, false},
		"where it comes from":            {`{"useSourceIp":true}`, nil, nil, true, true},
		"a cookie":                       {`{"httpCookie":{"name":"a","ttl":"0s"}}`, nil, nil, false, false},
	} {
		bound, known := hashing(test.hash).Binds(Request{Host: "web.shop.svc.cluster.local", Method: "GET", Header: test.header}, test.inForce)
		if bound != test.bound || known != test.known {
			t.Errorf("%s: %v, %v", name, bound, known)
		}
	}
}

func TestALoadBalancerThatIsThereByItselfChangesNothing(t *testing.T) {
	rule := func(spec string) *Object {
		if spec == "" {
			return nil
		}
		return read(t, `{"apiVersion":"networking.istio.io/v1","kind":"DestinationRule","metadata":{"name":"web","namespace":"shop"},"spec":{"host":"web",`+spec+`}}`)
	}
	const least, random = `"trafficPolicy":{"loadBalancer":{"simple":"LEAST_REQUEST"}}`, `"trafficPolicy":{"loadBalancer":{"simple":"RANDOM"}}`
	const subset = `"subsets":[{"name":"v1","labels":{"version":"v1"},` + least + `}]`
	for _, test := range []struct{ before, after, want string }{
		{"", least, "spec.trafficPolicy.loadBalancer"},
		{"", subset, "spec.subsets[0].trafficPolicy.loadBalancer"},
		{"", random, ""},
		{random, least, ""},               // which takes the other away
		{"", random + "," + subset, ""},   // which spares the subset the other
		{least, least + "," + subset, ""}, // which is not new
		{"", `"trafficPolicy":{"loadBalancer":{"simple":"LEAST_REQUEST","warmupDurationSecs":"10s"}}`, ""},
	} {
		if got := Unchanged(Change{Before: rule(test.before), After: rule(test.after)}, nil); got != test.want {
			t.Errorf("%s after %q: %q", test.after, test.before, got)
		}
	}
}
