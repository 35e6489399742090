package runner_test

import (
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
)

func TestARuleForAServiceOfAnotherNamespaceIsMadeThere(t *testing.T) {
	services, err := embedded.Services("bookinfo")
	if err != nil {
		t.Fatal(err)
	}
	films := mesh.Service{Name: "ratings.films", Host: "ratings.films.svc.cluster.local", Ports: []mesh.Port{{Number: 9080}}}
	theirs := func(export string) *rules.Object {
		o, err := rules.DecodeFile([]byte(`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"theirs","namespace":"films"},
 "spec":{"hosts":["ratings"],` + export + `"http":[{"route":[{"destination":{"host":"ratings"}}]}]}}`))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	for name, test := range map[string]struct {
		rule, load string
		objects    []*rules.Object
		writes     string
		want       string // of the error; empty: it is planned
	}{
		"its own name":               {"ratings.films", "http://ratings.films:9080/", nil, "VirtualService/films/meshchaos-ratings", ""},
		"the longer name":            {"ratings.films.svc.cluster.local", "http://ratings.films.svc:9080/", nil, "VirtualService/films/meshchaos-ratings", ""},
		"whoever owns the host":      {"ratings.films", "http://ratings.films:9080/", []*rules.Object{theirs("")}, "VirtualService/films/theirs", ""},
		"the same name here":         {"ratings", "http://ratings:9080/", []*rules.Object{theirs("")}, "VirtualService/default/meshchaos-ratings", ""},
		"no such service":            {"reviews.films", "http://ratings.films:9080/", nil, "", `the namespace films has no service "reviews.films"; it has ratings`},
		"no such namespace":          {"ratings.music", "http://ratings.films:9080/", nil, "", "of the namespace music no service is known"},
		"a load for no such service": {"ratings.films", "http://reviews.films:9080/", nil, "", `the namespace films has no service "reviews"`},
		"a load for no such port":    {"ratings.films", "http://ratings.films:9081/", nil, "", "has no port 9081"},
		"followed there alone":       {"ratings.films", "http://ratings.films:9080/", []*rules.Object{theirs(`"exportTo":["."],`)}, "", "no proxy of default follows it"},
	} {
		t.Run(name, func(t *testing.T) {
			site := runner.Site{Namespace: "default", Further: []string{"films"}, Services: append(services, films), Objects: test.objects}
			text := naming(`{fault: {service: `+test.rule+`, abort: 503}}`, test.load, "")
			stages, err := runner.Plan(site, readNamed(t, "naming.yaml", text), "test")
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("the error is %v, not with %q", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if changes := stages[1].Changes; len(changes) != 1 || changes[0].Ref().String() != test.writes {
				t.Errorf("it writes %v, not %s", changes, test.writes)
			}
		})
	}
}
