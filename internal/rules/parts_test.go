package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPartsOfWhatAChangeWrites(t *testing.T) {
	const book = "ratings.default.svc.cluster.local"
	policy := func(spec string) string {
		return "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: ratings}\nspec: {host: ratings, " + spec + "}\n"
	}
	const pool, outlier = `connectionPool: {http: {http1MaxPendingRequests: 1}}`, `outlierDetection: {consecutive5xxErrors: 1}`
	jasons := `match: [{headers: {end-user: {exact: jason}}}], `
	for name, test := range map[string]struct {
		before, after string
		want          string // kind path>to|subset|port, in order
	}{
		"a new entry is a route": {"", ratings(`[{` + toV1 + `}]`), "route spec.http[0]>" + book + "|v1|0"},
		"an entry as it was is none, whatever it is called and wherever it stands": {
			ratings(`[{` + toV1 + `}]`), ratings(`[{` + jasons + toV2 + `}, {name: other, ` + toV1 + `}]`),
			"route spec.http[0]>" + book + "|v2|0",
		},
		"a delay and an abort each for itself": {
			ratings(`[{` + toV1 + `}]`), ratings(`[{` + toV1 + `, ` + both + `}]`),
			"route spec.http[0]>" + book + "|v1|0, delay spec.http[0].fault.delay, abort spec.http[0].fault.abort",
		},
		"a fault without a percentage is still a part, which never bites": {
			"", ratings(`[{` + toV1 + `, fault: {delay: {fixedDelay: 7s}}}]`),
			"route spec.http[0]>" + book + "|v1|0, delay spec.http[0].fault.delay",
		},
		"weights above 0 of several destinations": {
			"", ratings(`[{route: [{destination: {host: ratings, subset: v1}, weight: 90}, {destination: {host: ratings, subset: v2, port: {number: 9080}}, weight: 10}, {destination: {host: ratings, subset: v3}}]}]`),
			"route spec.http[0]>||0, weight spec.http[0].route[0]>" + book + "|v1|0, weight spec.http[0].route[1]>" + book + "|v2|9080",
		},
		"a timeout that is new": {
			ratings(`[{` + toV1 + `}]`), ratings(`[{` + toV1 + `, timeout: 1s}]`),
			"route spec.http[0]>" + book + "|v1|0, timeout spec.http[0].timeout",
		},
		"a timeout that an entry to the same host has already": {
			ratings(`[{` + toV1 + `, timeout: 1s}]`), ratings(`[{` + jasons + toV2 + `, timeout: 1s}, {` + toV1 + `, timeout: 1s}]`),
			"route spec.http[0]>" + book + "|v2|0",
		},
		"a second entry that says the same is the one that is hidden": {
			ratings(`[{` + toV1 + `}]`), ratings(`[{` + toV1 + `}, {` + toV1 + `}]`),
			"route spec.http[1]>" + book + "|v1|0",
		},
		"another host with the same entries": {
			ratings(`[{` + toV1 + `}]`), strings.Replace(ratings(`[{`+toV1+`}]`), "hosts: [ratings]", "hosts: [details]", 1),
			"route spec.http[0]>" + book + "|v1|0",
		},
		"what is new leaves the rest as it finds it": {
			"", ratings(`[{` + jasons + toV2 + `}, {route: [{destination: {host: ratings}}]}]`),
			"route spec.http[0]>" + book + "|v2|0",
		},
		"nothing else is new":     {"", ratings(`[{route: [{destination: {host: ratings}}]}]`), "route spec.http[0]>" + book + "||0"},
		"the rest goes elsewhere": {"", ratings(`[{` + jasons + toV2 + `}, {route: [{destination: {host: ratings}}], timeout: 1s}]`), "route spec.http[0]>" + book + "|v2|0, route spec.http[1]>" + book + "||0, timeout spec.http[1].timeout"},
		"it was not so before":    {ratings(`[{` + toV1 + `}]`), ratings(`[{` + jasons + toV2 + `}, {route: [{destination: {host: ratings}}]}]`), "route spec.http[0]>" + book + "|v2|0, route spec.http[1]>" + book + "||0"},
		"a redirect goes nowhere": {"", ratings(`[{redirect: {uri: /}}]`), "route spec.http[0]>||0, redirect spec.http[0].redirect>||0"},
		"headers and a rewrite": {
			"", ratings(`[{` + toV1 + `, rewrite: {uri: /}, headers: {request: {set: {a: b}}, response: {set: {c: d}, remove: [e]}}}]`),
			"route spec.http[0]>" + book + "|v1|0, request-headers spec.http[0].headers.request>||0, response-headers spec.http[0].headers.response>||0, response-removed spec.http[0].headers.response.remove>||0, rewrite spec.http[0].rewrite>||0",
		},
		"TCP with one destination and with several": {
			"", strings.Replace(ratings(`[{`+toV1+`}]`), "http: [{"+toV1+"}]", `tcp: [{match: [{port: 1}], `+toV1+`}, {route: [{destination: {host: ratings, subset: v1}, weight: 80}, {destination: {host: ratings, subset: v2}, weight: 20}]}]`, 1),
			"route spec.tcp[0]>" + book + "|v1|0, weight spec.tcp[1].route[0]>" + book + "|v1|0, weight spec.tcp[1].route[1]>" + book + "|v2|0",
		},
		"a new subset has no part of its own": {subsets(`[{name: v1, labels: {version: v1}}]`), subsets(`[{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]`), ""},
		"a subset with other labels": {
			subsets(`[{name: v1, labels: {version: v1}}]`), subsets(`[{name: v1, labels: {version: v2}}]`),
			"subset spec.subsets[0].labels>" + book + "|v1|0",
		},
		"every server of a gateway": {
			"", servers(`{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}`),
			"server spec.servers[0]>||80",
		},
		"a server more, and one for another host": {
			servers(`{port: {number: 80, name: http, protocol: HTTP}, hosts: [a]}`),
			servers(`{port: {number: 80, name: http, protocol: HTTP}, hosts: [b]}, {port: {number: 81, name: two, protocol: HTTP}, hosts: [a]}`),
			"server spec.servers[0]>||80, server spec.servers[1]>||81",
		},
		"mirrors, retries and CORS": {
			"", ratings(`[{` + toV1 + `, mirror: {host: details, subset: v1}, retries: {attempts: 2}, corsPolicy: {allowMethods: [GET]}}, {match: [{port: 1}], ` + toV1 + `, mirrors: [{destination: {host: details}}], retries: {attempts: 0}}]`),
			"route spec.http[0]>" + book + "|v1|0, mirror spec.http[0].mirror>details.default.svc.cluster.local|v1|0, retry spec.http[0].retries>" + book + "|v1|0, cors spec.http[0].corsPolicy>" + book + "|v1|0, " +
				"route spec.http[1]>" + book + "|v1|0, mirror spec.http[1].mirrors[0]>details.default.svc.cluster.local||0, no-retry spec.http[1].retries>" + book + "|v1|0",
		},
		"a delegate is a route": {"", ratings(`[{match: [{uri: {prefix: /a}}], delegate: {name: other}}]`), "route spec.http[0]>||0"},
		"pools, ejection and other policies": {
			"", policy(`trafficPolicy: {` + pool + `, ` + outlier + `, loadBalancer: {simple: RANDOM}, tls: {mode: DISABLE}}`),
			"policy spec.trafficPolicy.loadBalancer>" + book + "||0, policy spec.trafficPolicy.connectionPool>" + book + "||0, overflow spec.trafficPolicy.connectionPool>" + book + "||0, policy spec.trafficPolicy.outlierDetection>" + book + "||0, ejection spec.trafficPolicy.outlierDetection>" + book + "||0, policy spec.trafficPolicy.tls>" + book + "||0",
		},
		"a pool that limits nothing applies, and refuses nothing": {
			"", policy(`trafficPolicy: {connectionPool: {http: {maxRequestsPerConnection: 1}}}`),
			"policy spec.trafficPolicy.connectionPool>" + book + "||0",
		},
		"subsets and ports of their own": {
			policy(`trafficPolicy: {` + outlier + `}`),
			policy(`trafficPolicy: {` + outlier + `, portLevelSettings: [{port: {number: 9080}, ` + pool + `}]}, subsets: [{name: v1, trafficPolicy: {` + pool + `}}]`),
			"policy spec.trafficPolicy.portLevelSettings[0].connectionPool>" + book + "||9080, overflow spec.trafficPolicy.portLevelSettings[0].connectionPool>" + book + "||9080, policy spec.subsets[0].trafficPolicy.connectionPool>" + book + "|v1|0, overflow spec.subsets[0].trafficPolicy.connectionPool>" + book + "|v1|0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := wordParts(Parts(onlyObject(t, test.before), onlyObject(t, test.after))); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestAnEntryIsSeenForEachOfItsHosts(t *testing.T) {
	one := onlyObject(t, ratings(`[{`+toV1+`, `+delay+`}]`))
	two := onlyObject(t, strings.Replace(ratings(`[{`+toV1+`, `+delay+`}]`), "[ratings]", `[ratings, "*.example"]`, 1))
	var words []string
	for _, p := range Parts(one, two) {
		words = append(words, p.Host+" "+p.Kind)
	}
	if got := strings.Join(words, ", "); got != "*.example route, *.example delay" {
		t.Errorf("a host more has the parts %s", got)
	}
	if all := Parts(nil, two); len(all) != 4 || len(Parts(two, one)) != 0 {
		t.Errorf("two hosts have the parts %v, and one of them %v", all, Parts(two, one))
	}
	if Draws(two) {
		t.Error("one destination for each of two hosts draws")
	}
	for authority, want := range map[string][2]bool{
		"ratings:9080": {true, true}, "ratings.default": {true, true}, "ratings.default.svc.cluster.local": {true, true},
		"shop.example": {false, true}, "10.0.0.1:9080": {false, false}, "": {false, false},
	} {
		asked := Asked(authority, "default")
		if is, known := Parts(nil, two)[0].IsFor(asked); [2]bool{is, known} != want {
			t.Errorf("of %q it says %v, known %v", authority, is, known)
		}
		if is, known := Parts(nil, one)[0].IsFor(asked); !is || !known {
			t.Errorf("where there is no other host, %q is none of its requests", authority)
		}
	}
}

func TestABlockIsHiddenByThoseOfSubsetsAndPorts(t *testing.T) {
	o := onlyObject(t, `{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: ratings}, spec: {host: ratings,
 trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}, outlierDetection: {consecutive5xxErrors: 1}, portLevelSettings: [{port: {number: 9080}, connectionPool: {tcp: {maxConnections: 2}}}]},
 subsets: [{name: v1, trafficPolicy: {connectionPool: {tcp: {maxConnections: 3}}}}, {name: v2}]}}`)
	hidden := map[string]string{}
	for _, p := range Parts(nil, o) {
		hidden[p.Path] = fmt.Sprint(p.HiddenBy, p.HiddenAt)
	}
	want := map[string]string{
		"spec.trafficPolicy.connectionPool":                      "[v1] [9080]",
		"spec.trafficPolicy.outlierDetection":                    "[] [9080]",
		"spec.trafficPolicy.portLevelSettings[0].connectionPool": "[] []",
		"spec.subsets[0].trafficPolicy.connectionPool":           "[] []",
	}
	if diff := cmp.Diff(want, hidden); diff != "" {
		t.Error(diff)
	}
}

func TestFollowingTheStagesOfARun(t *testing.T) {
	mark := func(text, mark string) *Object {
		o := onlyObject(t, text)
		Mark(o, mark)
		return o
	}
	theirs := onlyObject(t, ratings(`[{`+toV1+`, timeout: 3s}]`))
	given := mark(ratings(`[{match: [{headers: {end-user: {exact: jason}}}], `+toV2+`}, {`+toV1+`, timeout: 3s}]`), "meshchaos-0")
	slow := mark(ratings(`[{match: [{headers: {end-user: {exact: jason}}}], `+toV2+`}, {`+toV1+`, timeout: 3s, `+delay+`}]`), "meshchaos-1")
	other := onlyObject(t, subsets(`[{name: v1, trafficPolicy: {outlierDetection: {}}}]`))

	known := Follow(nil, "given", Change{Before: theirs, After: given})
	known = Follow(known, "given", Change{After: other})
	known = Follow(known, "slow", Change{Before: given, After: slow})
	known = Follow(known, "before", Change{Before: slow, After: mark(ratings(`[{match: [{uri: {prefix: /a}}], `+toV1+`}, {match: [{headers: {end-user: {exact: jason}}}], `+toV2+`}, {`+toV1+`, timeout: 3s, `+delay+`}]`), "meshchaos-2")})
	var got []string
	for _, p := range known {
		got = append(got, p.Stage+" "+p.Kind+" "+p.Path+" "+p.Entry)
	}
	want := []string{
		"given policy spec.subsets[0].trafficPolicy.outlierDetection ",
		"given ejection spec.subsets[0].trafficPolicy.outlierDetection ",
		"given route spec.http[0] meshchaos-2-1",
		"slow route spec.http[1] meshchaos-2-2",
		"slow delay spec.http[1].fault.delay meshchaos-2-2",
		"before route spec.http[0] meshchaos-2-0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if left := InLoadOf(Follow(known, "", Change{Before: slow})); len(left) != 2 {
		t.Errorf("after its deletion a VirtualService has %v", left)
	}
	if got := known[2].Service("default"); got != "ratings" {
		t.Errorf("its service is %s", got)
	}
}

func servers(list string) string {
	return "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: front}\nspec: {selector: {istio: ingressgateway}, servers: [" + list + "]}\n"
}

func TestWhatLeadsOnWhatEntersByAServer(t *testing.T) {
	vs := func(name, spec string) *Object {
		return onlyObject(t, "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: "+name+"}\nspec: {"+spec+"}\n")
	}
	front := onlyObject(t, servers(`{port: {number: 80, name: http, protocol: HTTP}, hosts: ["a.example"]}, {port: {number: 81, name: two, protocol: HTTP}, hosts: ["./*"]}`))
	objects := []*Object{
		front,
		vs("own", `hosts: [b.example], gateways: [front], http: [{`+toV1+`}]`),
		vs("both", `hosts: ["*.example"], gateways: [default/front], http: [{`+toV1+`}, {match: [{port: 80}], `+toV2+`}, {match: [{gateways: [mesh]}], `+toV2+`}]`),
		vs("inside", `hosts: [a.example], http: [{`+toV1+`}]`),
		vs("another", `hosts: [a.example], gateways: [back], http: [{`+toV1+`}]`),
	}
	words := func(parts []Part) string {
		var all []string
		for _, p := range parts {
			all = append(all, p.Object.Name+" "+p.Path)
		}
		return strings.Join(all, ", ")
	}
	servers := Parts(nil, front)
	for i, want := range [][2]string{{"both spec.http[1]", "both spec.http[0]"}, {"own spec.http[0]", "both spec.http[0]"}} {
		if own, shared := Entering(objects, servers[i]); words(own) != want[0] || words(shared) != want[1] {
			t.Errorf("server %d: %s; shared %s", i, words(own), words(shared))
		}
		if WholePort(objects, servers[i]) {
			t.Errorf("server %d takes all of its port", i)
		}
	}
}

// onlyObject reads YAML of one object of the namespace book; nil if there is
// none.
func onlyObject(t *testing.T, text string) *Object {
	t.Helper()
	if text == "" {
		return nil
	}
	return read(t, strings.TrimSuffix(text, "---\n"))
}

func wordParts(parts []Part) string {
	words := make([]string, len(parts))
	for i, p := range parts {
		words[i] = p.Kind + " " + p.Path
		switch p.Kind {
		case PartDelay, PartAbort, PartTimeout:
		default:
			words[i] += fmt.Sprintf(">%s|%s|%d", p.To, p.Subset, p.Port)
		}
	}
	return strings.Join(words, ", ")
}
