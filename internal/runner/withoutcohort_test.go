package runner_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/scenarios"
)

func TestARuleThatNoCohortPassesThroughIsATrap(t *testing.T) {
	services, err := embedded.Services("bookinfo")
	if err != nil {
		t.Fatal(err)
	}
	const gateway = `{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: g}, spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}}, `
	const slow, jason = `delay: 1s`, `when: {end-user: jason}, delay: 1s`
	fault := func(service, what string) string { return "{fault: {service: " + service + ", " + what + "}}" }
	entry := func(host, more string) string {
		return `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: x}, spec: {hosts: [` + host + `], ` + more + `}}`
	}
	as := func(text, user string) string {
		return strings.Replace(text, "connections: 1", "as: "+user+", connections: 1", 1)
	}
	with := func(text, header string) string {
		return strings.Replace(text, "connections: 1", "headers: {"+header+"}, connections: 1", 1)
	}
	const ratings, details = "http://ratings:9080/ratings/0", "http://details:9080/details/0"
	for name, test := range map[string]struct {
		text string
		want string // the line and what stands in the warning; empty: there is none
	}{
		"what a page calls, further down":    {naming(fault("ratings", slow), page, ""), ""},
		"a page itself":                      {naming(fault("productpage", slow), page, ""), ""},
		"what nobody calls":                  {naming(fault("ratings", slow), details, ""), "6:11 ratings is called by no load"},
		"who calls":                          {naming(fault("reviews", slow), ratings, ""), "6:11 reviews is called by no load"},
		"a breaker of what nobody calls":     {naming(`{breaker: {service: ratings, maxConnections: 1, http1MaxPendingRequests: 1}}`, details, ""), "6:11 ratings is called by no load"},
		"a breaker of what is called":        {naming(`{breaker: {service: ratings, maxConnections: 1, http1MaxPendingRequests: 1}}`, page, ""), ""},
		"one user, and no such user":         {naming(fault("ratings", jason), page, ""), "6:11 no load sends end-user: jason to ratings"},
		"one user, and another":              {as(naming(fault("ratings", jason), page, ""), "mary"), "6:11 no load sends"},
		"one user, who signs in":             {as(naming(fault("ratings", jason), page, ""), "jason"), ""},
		"one user at the page, who signs in": {as(naming(fault("productpage", jason), page, ""), "jason"), "6:11 no load sends end-user: jason to productpage"},
		"a header that is sent":              {with(naming(fault("ratings", jason), ratings, ""), "end-user: jason"), ""},
		"a header of another value":          {with(naming(fault("ratings", jason), ratings, ""), "end-user: jane"), "6:11 no load sends"},
		"a header that a proxy may add":      {naming(fault("ratings", `when: {x-forwarded-proto: http}, delay: 1s`), page, ""), ""},
		"one of several blocks":              {with(naming(entry("ratings", `http: [{match: [{headers: {end-user: {exact: jason}}}, {headers: {a: {prefix: b}}}], timeout: 1s, route: [{destination: {host: ratings}}]}, {route: [{destination: {host: ratings}}]}]`), ratings, ""), "a: bc"), ""},
		"an entry for nobody":                {naming(entry("ratings", `http: [{match: [{headers: {x-user: {exact: jason}}}], timeout: 1s, route: [{destination: {host: ratings}}]}, {timeout: 2s, route: [{destination: {host: ratings}}]}]`), ratings, ""), "6:123 no load sends x-user: jason"},
		"a header that another rule adds":    {naming(`{headers: {service: reviews, request: {set: {x-user: jason}}}}, `+fault("ratings", `when: {x-user: jason}, delay: 1s`), page, ""), ""},
		"where another rule sends":           {naming(entry("details", `http: [{route: [{destination: {host: reviews}}]}]`)+", "+fault("ratings", slow), details, ""), ""},
		"gateways alone":                     {naming(gateway+entry("productpage", `gateways: [g], http: [{timeout: 1s, route: [{destination: {host: productpage}}]}]`), page, ""), "6:334 only gateways follow it"},
	} {
		t.Run(name, func(t *testing.T) {
			stages, err := runner.Plan(runner.Site{Namespace: embedded.Namespace, Services: services, Closed: true, Beyond: runner.Alone()}, readNamed(t, "naming.yaml", test.text), "test")
			if err != nil {
				t.Fatal(err)
			}
			var found []scenarios.Warning
			for _, stage := range stages {
				for _, w := range stage.Warnings {
					if w.Trap == scenarios.RuleWithoutCohort {
						found = append(found, w)
					}
				}
			}
			place, words, _ := strings.Cut(test.want, " ")
			switch {
			case test.want == "" && len(found) > 0:
				t.Errorf("got %+v", found)
			case test.want != "" && (len(found) != 1 || !strings.HasSuffix(found[0].Place(), "/naming.yaml:"+place) || !strings.Contains(found[0].Message, words)):
				t.Errorf("got %+v, want %s", found, test.want)
			}
		})
	}
}

func TestEveryRuleOfTheLibraryHasACohort(t *testing.T) {
	for _, name := range scenarios.Names() {
		s, err := scenarios.OfLibrary(name)
		if err != nil {
			t.Fatal(err)
		}
		services, err := embedded.Services(s.App)
		if err != nil {
			t.Fatal(err)
		}
		stages, err := runner.Plan(runner.Site{Namespace: embedded.Namespace, Services: services, Closed: true, Beyond: runner.Alone()}, s, "test")
		if err != nil {
			t.Fatal(err)
		}
		for _, stage := range stages {
			if slices.Contains(stage.Caught, scenarios.RuleWithoutCohort) {
				t.Errorf("%s: %+v", name, stage.Warnings)
			}
		}
	}
}
