package rules

import (
	"slices"
	"strings"
	"testing"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

var bookinfo = []Service{{Name: "productpage"}, {Name: "details"}, {Name: "ratings"}, {Name: "reviews"}, {Name: "tcp-echo", TCP: true}}

var jason = map[string]string{"end-user": "jason"}

func route(service string, when map[string]string, to ...Share) Intent {
	return &Route{Service: yamlnode.Names{service}, When: when, To: to}
}

func fault(service string, when map[string]string, delay time.Duration, abort int32, percent float64) Intent {
	f := &Fault{Service: yamlnode.Names{service}, When: when, Delay: yamlnode.Duration{Duration: delay}, Percent: yamlnode.Percent{Value: &percent}}
	if abort != 0 {
		f.Abort = &abort
	}
	return f
}

// from makes an intent one for the requests of some pods.
func from(source map[string]string, intent Intent) Intent {
	switch intent := intent.(type) {
	case *Fault:
		intent.SourceLabels = source
	case *Route:
		intent.SourceLabels = source
	}
	return intent
}

// by makes a fault one for what enters by gateways.
func by(gateways []string, intent Intent) Intent {
	intent.(*Fault).Gateways = gateways
	return intent
}

// boundTo binds a VirtualService for ratings to gateways.
func boundTo(gateways, object string) string {
	return strings.Replace(object, "hosts: [ratings]", `hosts: [ratings.example.com], gateways: [`+gateways+`]`, 1)
}

// ratings is a VirtualService for ratings with http entries in YAML's flow
// style.
func ratings(http string) string {
	return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: ratings}\nspec: {hosts: [ratings], http: " + http + "}\n---\n"
}

// subsets is a DestinationRule for ratings with subsets in YAML's flow style.
func subsets(list string) string {
	return "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: ratings}\nspec: {host: ratings, subsets: " + list + "}\n---\n"
}

const (
	toV1  = `route: [{destination: {host: ratings, subset: v1}}]`
	toV2  = `route: [{destination: {host: ratings, subset: v2}}]`
	delay = `fault: {delay: {fixedDelay: 7s, percentage: {value: 100}}}`
	abort = `fault: {abort: {httpStatus: 500, percentage: {value: 100}}}`
	both  = `fault: {abort: {httpStatus: 500, percentage: {value: 100}}, delay: {fixedDelay: 7s, percentage: {value: 100}}}`
)

func isJason(more string) string { return `match: [{headers: {end-user: {exact: jason}}` + more + `}]` }

func TestMergeEditsTheOwnerOfAHost(t *testing.T) {
	delayJason := fault("ratings", jason, 7*time.Second, 0, 100)
	v1 := subsets(`[{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]`)
	for name, test := range map[string]struct {
		objects string
		intents []Intent
		want    string // the http entries of ratings
	}{
		"a fault without when is added to each entry": {
			ratings(`[{name: a, match: [{uri: {prefix: /a}}], ` + toV1 + `}, {` + toV1 + `, timeout: 1s}]`),
			[]Intent{fault("ratings", nil, 0, 503, 12.5)},
			`[{name: a, match: [{uri: {prefix: /a}}], ` + toV1 + `, fault: {abort: {httpStatus: 503, percentage: {value: 12.5}}}}, {` + toV1 + `, timeout: 1s, fault: {abort: {httpStatus: 503, percentage: {value: 12.5}}}}]`,
		},
		"a fault with when goes to a copy before each entry": {
			ratings(`[{name: a, match: [{uri: {prefix: /a}}, {port: 9080}], ` + toV1 + `}, {` + toV2 + `, timeout: 1s}]`),
			[]Intent{delayJason},
			`[{name: a, match: [{uri: {prefix: /a}, headers: {end-user: {exact: jason}}}, {port: 9080, headers: {end-user: {exact: jason}}}], ` + toV1 + `, ` + delay + `},
			  {name: a, match: [{uri: {prefix: /a}}, {port: 9080}], ` + toV1 + `}, {` + isJason("") + `, ` + toV2 + `, timeout: 1s, ` + delay + `}, {` + toV2 + `, timeout: 1s}]`,
		},
		"a delay is added beside an abort": {
			ratings(`[{` + toV1 + `, fault: {abort: {httpStatus: 500, percentage: {value: 1}}}}]`),
			[]Intent{fault("ratings", nil, 7*time.Second, 0, 100)},
			`[{` + toV1 + `, fault: {abort: {httpStatus: 500, percentage: {value: 1}}, delay: {fixedDelay: 7s, percentage: {value: 100}}}}]`,
		},
		"an entry that takes only such requests is edited in place": {
			ratings(`[{` + isJason(", uri: {exact: /a}") + `, ` + toV1 + `}, {` + toV2 + `}]`),
			[]Intent{delayJason},
			`[{` + isJason(", uri: {exact: /a}") + `, ` + toV1 + `, ` + delay + `}, {` + isJason("") + `, ` + toV2 + `, ` + delay + `}, {` + toV2 + `}]`,
		},
		"a second intent of the same when meets the copy of the first": {
			ratings(`[{`+toV1+`}]`) + v1,
			[]Intent{route("ratings", jason, Share{"v2", 0}), delayJason},
			`[{` + isJason("") + `, ` + toV2 + `, ` + delay + `}, {` + toV1 + `}]`,
		},
		"a later intent without when edits the copies too": {
			ratings(`[{`+toV1+`}]`) + v1,
			[]Intent{delayJason, route("ratings", nil, Share{"v2", 0})},
			`[{` + isJason("") + `, ` + toV2 + `, ` + delay + `}, {` + toV2 + `}]`,
		},
		"another when is nested before the copies of the first": {
			ratings(`[{` + toV1 + `}]`),
			[]Intent{delayJason, fault("ratings", map[string]string{"x-test": "1"}, 0, 500, 100)},
			`[{match: [{headers: {end-user: {exact: jason}, x-test: {exact: "1"}}}], ` + toV1 + `, ` + both + `}, {` + isJason("") + `, ` + toV1 + `, ` + delay + `},
			  {match: [{headers: {x-test: {exact: "1"}}}], ` + toV1 + `, ` + abort + `}, {` + toV1 + `}]`,
		},
		"a fault on what some pods send goes to a copy before each entry": {
			ratings(`[{name: a, match: [{uri: {prefix: /a}, sourceLabels: {app: reviews}}, {sourceLabels: {version: v3}}], ` + toV1 + `}, {` + toV2 + `}]`),
			[]Intent{from(map[string]string{"version": "v2"}, fault("ratings", jason, 7*time.Second, 0, 100))},
			`[{name: a, match: [{uri: {prefix: /a}, sourceLabels: {app: reviews, version: v2}, headers: {end-user: {exact: jason}}}], ` + toV1 + `, ` + delay + `},
			  {name: a, match: [{uri: {prefix: /a}, sourceLabels: {app: reviews}}, {sourceLabels: {version: v3}}], ` + toV1 + `},
			  {match: [{sourceLabels: {version: v2}, headers: {end-user: {exact: jason}}}], ` + toV2 + `, ` + delay + `}, {` + toV2 + `}]`,
		},
		"an entry of those pods alone is edited in place": {
			ratings(`[{match: [{sourceLabels: {app: reviews, version: v2}}], ` + toV1 + `}]`),
			[]Intent{from(map[string]string{"app": "reviews"}, fault("ratings", nil, 7*time.Second, 0, 100))},
			`[{match: [{sourceLabels: {app: reviews, version: v2}}], ` + toV1 + `, ` + delay + `}]`,
		},
		"a fault on what enters by a gateway is on the entries that lead there": {
			boundTo("front", ratings(`[{match: [{uri: {prefix: /r}}], `+toV1+`}, {route: [{destination: {host: details}}]}]`)),
			[]Intent{by([]string{"front"}, fault("ratings", nil, 7*time.Second, 0, 100))},
			`[{match: [{uri: {prefix: /r}}], ` + toV1 + `, ` + delay + `}, {route: [{destination: {host: details}}]}]`,
		},
		"where others follow the rule too, a copy is for the gateway": {
			boundTo("front, mesh, default/back", ratings(`[{match: [{uri: {prefix: /r}}, {gateways: [./front, mesh]}, {gateways: [mesh]}], `+toV1+`}]`)),
			[]Intent{by([]string{"default/front"}, fault("ratings", jason, 7*time.Second, 0, 100))},
			`[{match: [{uri: {prefix: /r}, headers: {end-user: {exact: jason}}, gateways: [default/front]}, {headers: {end-user: {exact: jason}}, gateways: [./front]}], ` + toV1 + `, ` + delay + `},
			  {match: [{uri: {prefix: /r}}, {gateways: [./front, mesh]}, {gateways: [mesh]}], ` + toV1 + `}]`,
		},
		"a second intent by the same gateway meets the copy of the first": {
			boundTo("front, mesh", ratings(`[{`+toV1+`}]`)),
			[]Intent{by([]string{"front"}, fault("ratings", nil, 7*time.Second, 0, 100)), by([]string{"front"}, fault("ratings", nil, 0, 500, 100))},
			`[{match: [{gateways: [front]}], ` + toV1 + `, ` + both + `}, {` + toV1 + `}]`,
		},
		"a copy that no request reaches is left out": {
			ratings(`[{` + toV1 + `}, {match: [{uri: {prefix: /a}}], ` + toV2 + `}]`),
			[]Intent{delayJason},
			`[{` + isJason("") + `, ` + toV1 + `, ` + delay + `}, {` + toV1 + `}, {match: [{uri: {prefix: /a}}], ` + toV2 + `}]`,
		},
		"a copy that can never match is left out": {
			ratings(`[{match: [{headers: {end-user: {exact: anna}}}], ` + toV1 + `}, {match: [{withoutHeaders: {end-user: {}}}], ` + toV1 + `}, {match: [{headers: {end-user: {prefix: j}}}], ` + toV2 + `}]`),
			[]Intent{delayJason},
			`[{match: [{headers: {end-user: {exact: anna}}}], ` + toV1 + `}, {match: [{withoutHeaders: {end-user: {}}}], ` + toV1 + `},
			  {` + isJason("") + `, ` + toV2 + `, ` + delay + `}, {match: [{headers: {end-user: {prefix: j}}}], ` + toV2 + `}]`,
		},
		"a header's expression must match the whole value": {
			ratings(`[{match: [{headers: {End-User: {regex: jas}}}], ` + toV1 + `}, {match: [{headers: {End-User: {regex: "jas.*|x"}}}], ` + toV1 + `}]`),
			[]Intent{delayJason},
			`[{match: [{headers: {End-User: {regex: jas}}}], ` + toV1 + `}, {` + isJason("") + `, ` + toV1 + `, ` + delay + `}, {match: [{headers: {End-User: {regex: "jas.*|x"}}}], ` + toV1 + `}]`,
		},
		"a route keeps port, timeout and the headers of what stays": {
			ratings(`[{timeout: 1s, route: [{destination: {host: ratings.default.svc.cluster.local, subset: v1, port: {number: 9080}}, headers: {request: {set: {a: b}}}, weight: 100}]}]`) + v1,
			[]Intent{route("ratings.default.svc.cluster.local", nil, Share{"v1", 90}, Share{"v2", 10})},
			`[{timeout: 1s, route: [{destination: {host: ratings.default.svc.cluster.local, subset: v1, port: {number: 9080}}, headers: {request: {set: {a: b}}}, weight: 90},
			  {destination: {host: ratings.default.svc.cluster.local, subset: v2, port: {number: 9080}}, weight: 10}]}]`,
		},
		"gateways beside the sidecars do not matter": {
			strings.Replace(ratings(`[{`+toV1+`}]`), "hosts: [ratings]", "hosts: [ratings, ratings.default.svc.cluster.local], gateways: [g, mesh]", 1),
			[]Intent{delayJason},
			`[{` + isJason("") + `, ` + toV1 + `, ` + delay + `}, {` + toV1 + `}]`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			compareHTTP(t, mergeOne(t, test.objects, test.intents...), test.want)
		})
	}
}

func TestMergeGivesTheRulesOfTheBookinfoTasks(t *testing.T) {
	inForce := append(sample(t, "virtual-service-all-v1.yaml"), sample(t, "destination-rule-all.yaml")...)
	for name, intent := range map[string]Intent{
		"virtual-service-reviews-test-v2.yaml":    route("reviews", jason, Share{"v2", 0}),
		"virtual-service-ratings-test-delay.yaml": fault("ratings", jason, 7*time.Second, 0, 100),
	} {
		changes, err := Merge(inForce, bookinfo, "default", []Intent{intent})
		if err != nil {
			t.Fatal(err)
		}
		if diff := Diff(sample(t, name)[0], changes[0].After); len(changes) != 1 || diff != nil {
			t.Errorf("%s: %d changes; %s", name, len(changes), diff)
		}
	}
}

func TestMergeLeavesWhatItWasGivenForTheUndo(t *testing.T) {
	had := readAll(t, ratings(`[{`+toV1+`}]`))[0]
	had.ResourceVersion, had.Manifest = "42", []byte("{}")
	was := had.Clone()
	changes, err := Merge([]*Object{had}, bookinfo, "default", []Intent{fault("ratings", nil, 0, 500, 100)})
	if err != nil {
		t.Fatal(err)
	}
	before, after := changes[0].Before, changes[0].After
	if before != had || !Equal(was, had) || had.ResourceVersion != "42" || string(had.Manifest) != "{}" {
		t.Errorf("what was there is now %+v", before)
	}
	if after.ResourceVersion != "" || after.Manifest != nil {
		t.Error("the new object passes for one that was read from a mesh")
	}
}

func TestMergeMakesWhatIsMissingSubsetsFirst(t *testing.T) {
	changes, err := Merge(nil, bookinfo, "default", []Intent{route("reviews", nil, Share{"v1", 90}, Share{"v2", 10})})
	if err != nil {
		t.Fatal(err)
	}
	want := readAll(t, `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: meshchaos-reviews, namespace: default, labels: {app.kubernetes.io/managed-by: meshchaos}}
spec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: meshchaos-reviews, namespace: default, labels: {app.kubernetes.io/managed-by: meshchaos}}
spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: v1}, weight: 90}, {destination: {host: reviews, subset: v2}, weight: 10}]}]}
`)
	if len(changes) != 2 {
		t.Fatalf("got %d changes, want two", len(changes))
	}
	for i, change := range changes {
		if diff := Diff(want[i], change.After); change.Before != nil || diff != nil {
			t.Errorf("%s: %s", want[i].Ref, diff)
		}
	}
	again, err := Merge([]*Object{changes[0].After, changes[1].After}, bookinfo, "default", []Intent{route("reviews", nil, Share{"v1", 90}, Share{"v2", 10})})
	if err != nil || len(again) != 0 {
		t.Errorf("what is in force already is changed again: %v, %v", again, err)
	}
}

func TestMergeMakesARuleInTheNamespaceOfItsService(t *testing.T) {
	const theirs = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: theirs, namespace: shop}
spec: {hosts: [ratings], http: [{route: [{destination: {host: ratings}}]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ours, namespace: default}
spec: {hosts: [ratings], http: [{route: [{destination: {host: ratings}}]}]}
`
	both := fault("ratings", nil, 0, 503, 100)
	both.(*Fault).Service = yamlnode.Names{"ratings", "ratings.shop"}
	services := append(slices.Clone(bookinfo), Service{Name: "ratings", Namespace: "shop"}, Service{Name: "prices", Namespace: "shop"})
	for name, test := range map[string]struct {
		intent Intent
		want   []string // what is changed
	}{
		"one that is there":        {fault("ratings.shop", nil, 0, 503, 100), []string{"VirtualService/shop/theirs"}},
		"by its whole name":        {fault("ratings.shop.svc.cluster.local", nil, 0, 503, 100), []string{"VirtualService/shop/theirs"}},
		"the run's own":            {fault("ratings", nil, 0, 503, 100), []string{"VirtualService/default/ours"}},
		"the run's own, qualified": {fault("ratings.default.svc", nil, 0, 503, 100), []string{"VirtualService/default/ours"}},
		"one that is not there":    {route("prices.shop", nil, Share{"v1", 0}), []string{"DestinationRule/shop/meshchaos-prices", "VirtualService/shop/meshchaos-prices"}},
		"two at once":              {both, []string{"VirtualService/shop/theirs", "VirtualService/default/ours"}},
	} {
		t.Run(name, func(t *testing.T) {
			changes, err := Merge(readAll(t, theirs), services, "default", []Intent{test.intent})
			if err != nil {
				t.Fatal(err)
			}
			var refs []string
			for _, c := range changes {
				refs = append(refs, c.Ref().String())
				for _, host := range Hosts(c.After) {
					if !strings.HasSuffix(host, "."+c.After.Namespace+".svc.cluster.local") {
						t.Errorf("%s is for %s", c.Ref(), host)
					}
				}
			}
			if !slices.Equal(refs, test.want) {
				t.Errorf("changed are %v, want %v", refs, test.want)
			}
		})
	}
	if Replaces(fault("ratings", nil, 0, 503, 100), fault("ratings.shop", nil, 0, 503, 100)) {
		t.Error("a rule for another namespace takes the place of one for the run's")
	}
}

func TestMergeFindsTheSubsetOfAVersion(t *testing.T) {
	for name, test := range map[string]struct {
		have, version, want string
		made                bool
	}{
		"of its name":                       {`[{name: v1, labels: {version: v1}}]`, "v1", "v1", false},
		"made beside another":               {`[{name: stable, labels: {version: v1}}]`, "v1", "v1", true},
		"name taken, labels elsewhere":      {`[{name: v1, labels: {app: x}}, {name: stable, labels: {version: v1}}]`, "v1", "stable", false},
		"version is no name, but has one":   {`[{name: one-two, labels: {version: "1.2"}}]`, "1.2", "one-two", false},
		"more labels than version are none": {`[{name: a, labels: {version: v1, app: x}}]`, "v1", "v1", true},
	} {
		t.Run(name, func(t *testing.T) {
			changes, err := Merge(readAll(t, subsets(test.have)+ratings(`[{`+toV2+`}]`)), bookinfo, "default", []Intent{route("ratings", nil, Share{test.version, 0})})
			if err != nil {
				t.Fatal(err)
			}
			last := changes[len(changes)-1].After.Spec.(*networking.VirtualService)
			if got := last.Http[0].Route[0].Destination.Subset; got != test.want {
				t.Errorf("sends to the subset %s, want %s", got, test.want)
			}
			if made := len(changes) == 2; made != test.made {
				t.Errorf("the DestinationRule was written: %v", made)
			}
		})
	}
}

func breaker(set func(*Breaker)) Intent {
	b := &Breaker{Service: yamlnode.Names{"ratings"}}
	set(b)
	return b
}

func TestMergeBreakerSetsItsFieldsAndNoOthers(t *testing.T) {
	intent := breaker(func(b *Breaker) {
		b.MaxConnections, b.HTTP1MaxPendingRequests, b.MaxRequestsPerConnection = new(int32(1)), new(int32(1)), new(int32(1))
		b.ConsecutiveGatewayErrors, b.MaxEjectionPercent = new(uint32(1)), new(int32(100))
		b.Interval.Duration, b.BaseEjectionTime.Duration = time.Second, 3*time.Minute
	})
	const policy = `connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1, maxRequestsPerConnection: 1}}, outlierDetection: {consecutiveGatewayErrors: 1, interval: 1s, baseEjectionTime: 3m, maxEjectionPercent: 100}`
	rule := func(spec string) string {
		return "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: x}\nspec: {host: ratings, " + spec + "}"
	}
	for name, test := range map[string]struct{ have, want string }{
		"none there": {``, "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: meshchaos-ratings, labels: {app.kubernetes.io/managed-by: meshchaos}}\nspec: {host: ratings, trafficPolicy: {" + policy + "}}"},
		"without a policy": {
			rule(`subsets: [{name: v1, labels: {version: v1}}]`),
			rule(`subsets: [{name: v1, labels: {version: v1}}], trafficPolicy: {` + policy + `}`),
		},
		"with other fields": {
			rule(`trafficPolicy: {tls: {mode: ISTIO_MUTUAL}, connectionPool: {tcp: {maxConnections: 9, connectTimeout: 1s}}, outlierDetection: {consecutive5xxErrors: 3}}`),
			rule(`trafficPolicy: {tls: {mode: ISTIO_MUTUAL}, connectionPool: {tcp: {maxConnections: 1, connectTimeout: 1s}, http: {http1MaxPendingRequests: 1, maxRequestsPerConnection: 1}},
				outlierDetection: {consecutive5xxErrors: 3, consecutiveGatewayErrors: 1, interval: 1s, baseEjectionTime: 3m, maxEjectionPercent: 100}}`),
		},
		"with blocks of a subset that would hide it": {
			rule(`subsets: [{name: v1, trafficPolicy: {connectionPool: {tcp: {maxConnections: 9}}}}, {name: v2, trafficPolicy: {loadBalancer: {simple: RANDOM}}}]`),
			rule(`trafficPolicy: {` + policy + `}, subsets: [{name: v1, trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1, maxRequestsPerConnection: 1}}}}, {name: v2, trafficPolicy: {loadBalancer: {simple: RANDOM}}}]`),
		},
	} {
		t.Run(name, func(t *testing.T) {
			changes, err := Merge(readAll(t, test.have), bookinfo, "default", []Intent{intent})
			if err != nil {
				t.Fatal(err)
			}
			if diff := Diff(read(t, test.want), changes[0].After); len(changes) != 1 || diff != nil {
				t.Errorf("%d changes; %s", len(changes), diff)
			}
		})
	}
}

func TestMergeRefusesWithTheReason(t *testing.T) {
	one := ratings(`[{` + toV1 + `}]`)
	anyFault := fault("ratings", nil, 0, 500, 100)
	twin := strings.Replace(one, "name: ratings", "name: twin", 1)
	portLevel := "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: x}\nspec: {host: ratings, trafficPolicy: {portLevelSettings: [{port: {number: 9080}}]}}"
	for name, test := range map[string]struct {
		objects string
		intent  Intent
		want    string
	}{
		"an unknown service":             {"", fault("rating", nil, 0, 500, 100), "did you mean ratings?"},
		"one of another namespace":       {"", fault("ratings.other.svc.cluster.local", nil, 0, 500, 100), "of the namespace other no service is known"},
		"several hosts":                  {strings.Replace(one, "hosts: [ratings]", "hosts: [ratings, details]", 1), anyFault, "several hosts (ratings.default.svc.cluster.local, details.default.svc.cluster.local)"},
		"a wildcard host":                {strings.Replace(one, "hosts: [ratings]", `hosts: ["*.cluster.local"]`, 1), anyFault, "wildcard host *.cluster.local"},
		"two owners":                     {one + twin, anyFault, "VirtualService/default/ratings and VirtualService/default/twin both have the host"},
		"delegates":                      {ratings(`[{delegate: {name: d}}]`), anyFault, "spec.http[0] delegates to d"},
		"only tcp":                       {strings.Replace(one, "http: [{", "tcp: [{", 1), anyFault, "no http entries"},
		"a fault on a redirect":          {ratings(`[{redirect: {uri: /}}]`), anyFault, "spec.http[0] redirects"},
		"a fault on an answer":           {ratings(`[{directResponse: {status: 200}}]`), anyFault, "directResponse"},
		"a route of another host":        {ratings(`[{route: [{destination: {host: details}}]}]`), route("ratings", nil, Share{"v1", 0}), "sends to another host, details"},
		"a when that cannot match":       {ratings(`[{match: [{headers: {end-user: {exact: anna}}}], ` + toV1 + `}]`), fault("ratings", jason, 0, 500, 100), "none of its http entries can take a request with end-user: jason"},
		"pods that send it nothing":      {ratings(`[{match: [{sourceLabels: {app: a}}], ` + toV1 + `}]`), from(map[string]string{"app": "b"}, fault("ratings", jason, 0, 500, 100)), "can take a request with end-user: jason of a pod with the labels app: b"},
		"pods beside gateways":           {ratings(`[{match: [{gateways: [mesh]}], ` + toV1 + `}]`), from(map[string]string{"app": "b"}, fault("ratings", nil, 0, 500, 100)), "match[0]: names gateways, beside which Istio ignores sourceLabels"},
		"a gateway that leads elsewhere": {boundTo("front", ratings(`[{route: [{destination: {host: details}}]}]`)), by([]string{"front"}, fault("ratings", nil, 0, 500, 100)), "no VirtualService of the namespace default leads from the gateway default/front to ratings"},
		"two that lead there":            {boundTo("front", one) + boundTo("front", twin), by([]string{"front"}, fault("ratings", nil, 0, 500, 100)), "VirtualService/default/ratings and VirtualService/default/twin lead from the gateway default/front"},
		"an entry to two services":       {boundTo("front", ratings(`[{route: [{destination: {host: ratings}, weight: 1}, {destination: {host: details}, weight: 1}]}]`)), by([]string{"front"}, fault("ratings", nil, 0, 500, 100)), "spec.http[0] leads to other services than ratings too"},
		"a source beside a gateway":      {boundTo("front, mesh", ratings(`[{match: [{sourceNamespace: a}], `+toV1+`}]`)), by([]string{"front"}, fault("ratings", nil, 0, 500, 100)), "asks for a source, which Istio ignores beside gateways"},
		"gateways beside labels":         {"", by([]string{"front"}, from(map[string]string{"app": "b"}, fault("ratings", nil, 0, 500, 100))), "gateways cannot stand beside sourceLabels"},
		"the sidecars as a gateway":      {"", by([]string{"mesh"}, fault("ratings", nil, 0, 500, 100)), "mesh stands for the sidecars"},
		"no gateway":                     {"", by([]string{}, fault("ratings", nil, 0, 500, 100)), "gateways names no gateway"},
		"no label":                       {"", from(map[string]string{}, fault("ratings", nil, 0, 500, 100)), "sourceLabels names no label"},
		"a label that is none":           {"", from(map[string]string{"a b": "c"}, fault("ratings", nil, 0, 500, 100)), `"a b" in sourceLabels is not the name of a label`},
		"a label of no value":            {"", from(map[string]string{"app": "b c"}, fault("ratings", nil, 0, 500, 100)), `"b c" is not the value of the label app`},
		"a name that is taken":           {strings.NewReplacer("name: ratings", "name: meshchaos-ratings", "hosts: [ratings]", "hosts: [x]").Replace(one), anyFault, "there is one already"},
		"a subset that is taken":         {one + subsets(`[{name: v1, labels: {app: x}}]`), route("ratings", nil, Share{"v1", 0}), "a subset v1 with other labels"},
		"a version that is none":         {one, route("ratings", nil, Share{"1.2", 0}), "cannot be the name of a subset"},
		"a wildcard policy":              {strings.Replace(subsets("[]"), "host: ratings", `host: "*.local"`, 1), route("ratings", nil, Share{"v1", 0}), "wildcard host *.local"},
		"two policies":                   {subsets("[]") + strings.Replace(subsets("[]"), "name: ratings", "name: twin", 1), route("ratings", nil, Share{"v1", 0}), "DestinationRule/default/ratings and DestinationRule/default/twin"},
		"a policy of some clients":       {strings.Replace(subsets("[]"), "subsets", "workloadSelector: {matchLabels: {a: b}}, subsets", 1), route("ratings", nil, Share{"v1", 0}), "workloadSelector"},
		"settings of single ports":       {portLevel, breaker(func(b *Breaker) { b.MaxConnections = new(int32(1)) }), "portLevelSettings"},
		"a route of TCP":                 {"", route("tcp-echo", nil, Share{"v2", 0}), "the service tcp-echo is opaque TCP"},
		"a fault on TCP":                 {"", fault("tcp-echo", nil, time.Second, 0, 100), "apply a VirtualService with tcp entries of your own"},
		"limits of HTTP on TCP":          {"", &Breaker{Service: yamlnode.Names{"tcp-echo"}, HTTP1MaxPendingRequests: new(int32(1))}, "take maxConnections"},
		"an intent for nobody":           {"", &Fault{Abort: new(int32(500))}, "it names no service"},
		"a service twice":                {"", &Fault{Service: yamlnode.Names{"ratings", "ratings"}, Abort: new(int32(500))}, "the service ratings stands twice"},
		"an empty fault":                 {"", fault("ratings", nil, 0, 0, 100), "neither delays nor aborts"},
		"a fault of 0%":                  {"", fault("ratings", nil, 0, 500, 0), "must be from 0.0001 to 100"},
		"a delay of microseconds":        {"", fault("ratings", nil, time.Microsecond, 0, 100), "at least 1ms"},
		"an abort of 600":                {"", fault("ratings", nil, 0, 600, 100), "from 200 to 599"},
		"weights of 0":                   {"", route("ratings", nil, Share{"v1", 0}, Share{"v2", 0}), "sum to 0"},
		"a version twice":                {"", route("ratings", nil, Share{"v1", 1}, Share{"v1", 2}), "stands twice"},
		"a when without value":           {"", fault("ratings", map[string]string{"a": ""}, 0, 500, 100), "has no value"},
		"a when without header":          {"", fault("ratings", map[string]string{}, 0, 500, 100), "names no header"},
		"a limit of 0":                   {"", breaker(func(b *Breaker) { b.MaxConnections = new(int32(0)) }), "maxConnections is 0; it must be from 1"},
		"an empty breaker":               {"", breaker(func(*Breaker) {}), "it sets nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			mergeRefused(t, test.objects, test.intent, test.want)
		})
	}
}

func TestVerbatimDoesAsKubectlApply(t *testing.T) {
	had := read(t, `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ratings, labels: {a: old, b: kept}, annotations: {kept: "yes"}}
spec: {hosts: [ratings], http: [{route: [{destination: {host: ratings}}], timeout: 1s}]}`)
	had.ResourceVersion, had.Manifest = "42", []byte("{}")
	file := readAll(t, `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ratings, labels: {a: new}}
spec: {hosts: [ratings], http: [{route: [{destination: {host: ratings, subset: v1}}]}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ratings}
spec: {host: ratings, subsets: [{name: v1, labels: {version: v1}}]}`)
	changes, err := Verbatim([]*Object{had}, file)
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) != 2 || changes[0].Before != nil || changes[1].Before != had {
		t.Fatalf("want the DestinationRule made, then the VirtualService changed; got %v", changes)
	}
	after := changes[1].After
	want := file[0].Clone()
	want.Labels, want.Annotations = map[string]string{"a": "new", "b": "kept"}, map[string]string{"kept": "yes"}
	if diff := Diff(want, after); diff != nil {
		t.Error(diff)
	}
	if after.ResourceVersion != "" || after.Manifest != nil {
		t.Error("the new object passes for one that was read from a mesh")
	}
}

func TestVerbatimRefusesASecondOwner(t *testing.T) {
	had := readAll(t, ratings(`[{`+toV1+`}]`))
	twin := strings.NewReplacer("name: ratings", "name: twin", "hosts: [ratings]", "hosts: [ratings.default.svc.cluster.local]").Replace(ratings(`[{` + toV1 + `}]`))
	if _, err := Verbatim(had, readAll(t, twin)); err == nil || !strings.Contains(err.Error(), "VirtualService/default/ratings has the host ratings.default.svc.cluster.local too") {
		t.Errorf("a second owner was taken: %v", err)
	}
	if _, err := Verbatim(had, readAll(t, strings.Replace(twin, "hosts:", "gateways: [g], hosts:", 1))); err != nil {
		t.Errorf("gateways merge VirtualServices: %v", err)
	}
	if _, err := Verbatim(nil, slices.Concat(had, had)); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("an object that stands twice was taken: %v", err)
	}
}

// TestVerbatimSaysWhenTheSecondOwnerIsAnIntents: that one stands in no file, so that
// nobody could put a rule into it, or delete it.
func TestVerbatimSaysWhenTheSecondOwnerIsAnIntents(t *testing.T) {
	changes, err := Merge(nil, bookinfo, "default", []Intent{route("ratings", nil, Share{"v1", 0})})
	if err != nil {
		t.Fatal(err)
	}
	made := make([]*Object, len(changes))
	for i, change := range changes {
		made[i] = change.After
	}
	for _, file := range []string{ratings(`[{` + toV1 + `}]`), `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ratings}
spec: {host: ratings}`} {
		_, err := Verbatim(made, readAll(t, file))
		if err == nil || !strings.Contains(err.Error(), "an intent of this scenario makes that one") || !strings.Contains(err.Error(), "as an object named ratings too") {
			t.Errorf("the error is %v", err)
		}
	}
}
