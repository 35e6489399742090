package scenarios

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
)

// withRules is a scenario whose rules, from line 6 on, are given.
func withRules(rules string) string {
	return `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: t}
spec:
  app: bookinfo
` + rules + `
  load:
    pages: {get: "http://productpage:9080/productpage", requests: 5}
  expect:
    - pages.status[200] == pages.sent
`
}

// object is a VirtualService in flow style, as one entry of a list.
func object(name, entries string) string {
	return "\n    - {apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: " + name + "}, spec: {hosts: [" + name + "], http: [\n" + entries + "]}}"
}

func TestWhatTheFileAloneShowsNeverToBiteIsRefused(t *testing.T) {
	const to = `route: [{destination: {host: ratings}}]}`
	for name, c := range map[string]struct{ rules, want string }{
		"no rules":                      {"", "t.yaml:4:1: nothing is applied"},
		"an empty list":                 {"  apply: []", "t.yaml:6:3: nothing is applied"},
		"given alone":                   {"  given:\n    - fault: {service: ratings, delay: 1s}", "t.yaml:4:1: nothing is applied"},
		"a fault twice":                 {"  apply:\n    - fault: {service: ratings, delay: 1s}\n    - fault: {service: ratings, abort: 503}", "t.yaml:8:7: the fault on ratings is for every request that the fault on ratings in line 7 is for, and takes its place; write both into one"},
		"one of some, then of all":      {"  apply:\n    - route: {service: reviews, when: {end-user: jason}, to: v2}\n    - route: {service: [details, reviews], to: v3}", "t.yaml:8:7: the route of details, reviews is for every request that the route of reviews in line 7"},
		"one of some, then of more":     {"  given:\n    - route: {service: reviews, when: {a: b, c: d}, to: v2}\n    - route: {service: reviews.default.svc.cluster.local, when: {c: d}, to: v3}\n  apply:\n    - fault: {service: ratings, delay: 1s}", "t.yaml:8:7: "},
		"a breaker twice":               {"  apply:\n    - breaker: {service: ratings, maxConnections: 1}\n    - breaker: {service: ratings, maxConnections: 2}", "t.yaml:8:7: the breaker of ratings"},
		"an object twice":               {"  apply:" + object("ratings", "{"+to) + object("ratings", "{"+to), "t.yaml:9:7: VirtualService ratings stands in line 7 of the same list too"},
		"a route over an object's":      {"  apply:" + object("ratings", "{route: [{destination: {host: ratings, subset: v1}, weight: 90}, {destination: {host: ratings, subset: v2}, weight: 10}]}") + "\n    - route: {service: ratings, to: v1}", "t.yaml:9:7: the route of ratings takes the place of what VirtualService ratings in line 7 says in spec.http[0].route[0].weight"},
		"a delay over an object's":      {"  apply:" + object("ratings", "{fault: {delay: {fixedDelay: 1s, percentage: {value: 100}}}, "+to) + "\n    - fault: {service: ratings, delay: 2s}", "says in spec.http[0].fault.delay.fixedDelay; write both into one"},
		"a limit over an object's":      {"  apply:\n    - {apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: a}, spec: {host: ratings, trafficPolicy: {connectionPool: {tcp: {maxConnections: 9}}}}}\n    - breaker: {service: ratings, maxConnections: 1}", "t.yaml:8:7: the breaker of ratings takes the place of what DestinationRule a in line 7 says in spec.trafficPolicy.connectionPool.tcp.maxConnections"},
		"a fault without a percentage":  {"  apply:" + object("ratings", "{fault: {delay: {fixedDelay: 1s}}, "+to), "t.yaml:8:10: spec.http[0].fault.delay: the fault has no percentage"},
		"a fault of 0 %":                {"  apply:" + object("ratings", "{fault: {abort: {httpStatus: 500, percentage: {value: 0}}}, "+to), "t.yaml:8:35: spec.http[0].fault.abort.percentage: the percentage is 0"},
		"a delay of nothing":            {"  apply:" + object("ratings", "{fault: {delay: {percentage: {value: 100}}}, "+to), "delays nothing"},
		"an entry behind a catch-all":   {"  apply:" + object("ratings", "{"+to+",\n{match: [{uri: {prefix: /a}}], "+to), "t.yaml:9:1: spec.http[1]: nothing reaches it, since spec.http[0] before it takes all that it matches; put the narrower entry first; spec.http[0] stands in line 8"},
		"an entry behind every path":    {"  apply:" + object("ratings", "{match: [{uri: {prefix: /}}], "+to+",\n{"+to), "t.yaml:9:1: spec.http[1]: nothing reaches it"},
		"an entry behind its two parts": {"  apply:" + object("ratings", "{match: [{uri: {prefix: /a}}], "+to+",\n{match: [{headers: {x: {}}}], "+to+",\n{match: [{uri: {exact: /ab}}, {headers: {x: {exact: y}}, port: 9080}], "+to), "t.yaml:10:1: spec.http[2]: nothing reaches it, since spec.http[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(withRules(c.rules))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is\n%v\nwithout\n%s", err, c.want)
			}
		})
	}
}

func TestWhatCanBiteIsTaken(t *testing.T) {
	const to = `route: [{destination: {host: ratings}}]}`
	for name, rules := range map[string]string{
		"one of all, then of some":    "  apply:\n    - fault: {service: ratings, delay: 1s}\n    - fault: {service: ratings, when: {a: b}, abort: 503}",
		"others of others":            "  apply:\n    - fault: {service: ratings, when: {a: b}, delay: 1s}\n    - fault: {service: ratings, when: {a: c}, delay: 1s}",
		"a route beside a fault":      "  apply:\n    - route: {service: ratings, to: v1}\n    - fault: {service: ratings, delay: 1s}",
		"the same in another list":    "  given:\n    - fault: {service: ratings, delay: 1s}\n  apply:\n    - fault: {service: ratings, delay: 2s}",
		"the old percent":             "  apply:" + object("ratings", "{fault: {delay: {fixedDelay: 1s, percent: 100}}, "+to),
		"a fault beside an object's":  "  apply:" + object("ratings", "{fault: {delay: {fixedDelay: 1s, percentage: {value: 100}}}, timeout: 3s, "+to) + "\n    - fault: {service: ratings, abort: 503}",
		"a delay of an object's some": "  apply:" + object("ratings", "{fault: {delay: {fixedDelay: 1s, percentage: {value: 100}}}, timeout: 3s, "+to) + "\n    - fault: {service: ratings, when: {a: b}, delay: 2s}",
		"a version of an object's":    "  apply:" + object("ratings", "{timeout: 3s, route: [{destination: {host: ratings}, weight: 100}]}") + "\n    - route: {service: ratings, to: v1}",
		"more limits of an object's":  "  apply:\n    - {apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: a}, spec: {host: ratings, subsets: [{name: v1, labels: {version: v1}}], trafficPolicy: {connectionPool: {tcp: {maxConnections: 9}}}}}\n    - breaker: {service: ratings, http1MaxPendingRequests: 1}",
		"a weight of 0":               "  apply:" + object("ratings", "{route: [{destination: {host: ratings, subset: v1}, weight: 100}, {destination: {host: ratings, subset: v2}, weight: 0}]}"),
		"the narrower entry first":    "  apply:" + object("ratings", "{match: [{uri: {exact: /}}], "+to+", {match: [{uri: {prefix: /a}, headers: {x: {}}}], "+to+", {match: [{uri: {prefix: /a}}], "+to+", {"+to),
		"an entry of another case":    "  apply:" + object("ratings", "{match: [{uri: {prefix: /a}}], "+to+", {match: [{uri: {prefix: /a}, ignoreUriCase: true}], "+to),
		"an entry partly in shadow":   "  apply:" + object("ratings", "{match: [{uri: {prefix: /a}}], "+to+", {match: [{uri: {prefix: /a}}, {uri: {prefix: /b}}], "+to),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := read(withRules(rules)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAStepNeedsARuleInForce(t *testing.T) {
	step := func(name, apply string) string {
		return fmt.Sprintf("    - name: %s\n%s      load: {pages: {get: \"http://productpage:9080/productpage\", requests: 5}}\n      expect: [pages.max < 5s]\n", name, apply)
	}
	const rule = "      apply:\n        - fault: {service: ratings, delay: 1s}\n"
	head := "apiVersion: meshchaos/v1alpha1\nkind: Scenario\nmetadata: {name: t}\nspec:\n"
	if _, err := read(head + "  steps:\n" + step("first", "") + step("second", rule)); err == nil || !strings.Contains(err.Error(), `t.yaml:6:7: no rule is in force in the step "first"`) {
		t.Errorf("the error is %v", err)
	}
	for _, steps := range []string{
		"  steps:\n" + step("first", rule) + step("second", ""),
		"  given:\n    - route: {service: ratings, to: v1}\n  steps:\n" + step("first", "") + step("second", rule),
	} {
		if _, err := read(head + steps); err != nil {
			t.Error(err)
		}
	}
}

func TestAServiceThatOnlyAnObjectNamesIsKnown(t *testing.T) {
	for name, c := range map[string]struct{ object, service string }{
		"as a host":            {"kind: VirtualService, metadata: {name: a}, spec: {hosts: [cart], http: [{route: [{destination: {host: x}}]}]}", "cart"},
		"as a destination":     {"kind: VirtualService, metadata: {name: a}, spec: {hosts: [x], http: [{route: [{destination: {host: cart.shop.svc.cluster.local}}]}]}", "cart"},
		"of a TCP entry":       {"kind: VirtualService, metadata: {name: a}, spec: {hosts: [x], tcp: [{route: [{destination: {host: cart}}]}]}", "cart"},
		"as a mirror":          {"kind: VirtualService, metadata: {name: a}, spec: {hosts: [x], http: [{mirror: {host: cart}, route: [{destination: {host: x}}]}]}", "cart"},
		"as a version of 0 %":  {"kind: DestinationRule, metadata: {name: a}, spec: {host: cart}}\n    - {route: {service: cart, to: {v1: 100, v9: 0}}", "cart, v9"},
		"as a subset":          {"kind: DestinationRule, metadata: {name: a}, spec: {host: cart, subsets: [{name: stable, labels: {version: v9}}]}", "cart, v9"},
		"as a policy's host":   {"kind: DestinationRule, metadata: {name: a}, spec: {host: cart.shop}", "cart"},
		"but not outside":      {"kind: VirtualService, metadata: {name: a}, spec: {hosts: [cart.example.com], http: [{route: [{destination: {host: x}}]}]}", ""},
		"but not by a pattern": {"kind: DestinationRule, metadata: {name: a}, spec: {host: \"*.cart\"}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(withRules("  apply:\n    - {apiVersion: networking.istio.io/v1, "+c.object+"}"), "pages.status[200] == pages.sent", "requests("+cmp.Or(c.service, "cart")+") > 0", 1)
			_, err := read(strings.Replace(text, "  app: bookinfo\n", "", 1))
			if known := err == nil; known != (c.service != "") {
				t.Errorf("known: %v; %v", known, err)
			}
		})
	}
}
