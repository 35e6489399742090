package runner_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
)

// naming is a scenario with a spec's rules in YAML's flow style.
func naming(apply, load, more string) string {
	return fmt.Sprintf(`apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: naming}
spec:
  app: bookinfo
  apply: [%s]
  load:
    pages: {get: %q, connections: 1, requests: 5}
  expect: ["pages.status[200] == pages.sent"]
%s`, apply, load, more)
}

const page = "http://productpage:9080/productpage"

// to is a VirtualService of reviews with destinations.
func to(destinations string) string {
	return `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: reviews}, spec: {hosts: [reviews], http: [{route: [` + destinations + `]}]}}`
}

func TestWhatIsNotThereIsRefusedWithWhatIs(t *testing.T) {
	subsets := `{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: reviews}, spec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}, {name: canary, labels: {version: v1, track: canary}}]}}`
	services, err := embedded.Services("bookinfo")
	if err != nil {
		t.Fatal(err)
	}
	workloads, err := embedded.Workloads("bookinfo")
	if err != nil {
		t.Fatal(err)
	}
	from := func(workload string) string {
		return strings.Replace(naming(`{fault: {service: ratings, abort: 503}}`, page, ""), "connections: 1", "from: "+workload, 1)
	}
	for name, test := range map[string]struct {
		text string
		want []string // none: it is planned
	}{
		"a version that is there": {naming(`{route: {service: reviews, to: v3}}`, page, ""), nil},
		"a version that is not": {naming(`{route: {service: reviews, to: v9}}`, page, ""), []string{
			"naming.yaml:6:", "the subset v9 of reviews has no ready pod (version: v9); those that are ready have version: v1, v2, v3; if nobody is to be there, say so: noEndpoints: [{service: reviews, subset: v9}]",
		}},
		"one that the scenario says nobody has":  {naming(`{route: {service: reviews, to: v9}}`, page, "  noEndpoints: [{service: reviews, subset: v9}]"), nil},
		"one that has a pod, whatever it says":   {naming(`{route: {service: reviews, to: v2}}`, page, "  noEndpoints: [{service: reviews, subset: v2}]"), []string{"naming.yaml:10:", "reviews has a ready pod (version: v2); take the entry out"}},
		"a weight of 0 sends nothing":            {naming(`{route: {service: reviews, to: {v1: 100, v9: 0}}}`, page, ""), nil},
		"a weight above it does":                 {naming(`{route: {service: reviews, to: {v1: 99, v9: 1}}}`, page, ""), []string{"subset v9"}},
		"a subset of other labels":               {naming(subsets+`, `+to(`{destination: {host: reviews, subset: canary}}`), page, ""), []string{"spec.http[0].route[0].destination", "(track: canary, version: v1); those that are ready have track: none; version: v1, v2, v3"}},
		"a subset, before its DestinationRule":   {naming(to(`{destination: {host: reviews, subset: v1}}`)+`, `+subsets, page, ""), nil},
		"a subset of no DestinationRule":         {naming(to(`{destination: {host: reviews, subset: v1}}`), page, ""), []string{"no DestinationRule of reviews has the subset v1"}},
		"an unknown destination":                 {naming(to(`{destination: {host: reviewz}}`), page, ""), []string{`no service "reviewz"; did you mean reviews?`}},
		"an unknown destination, written out":    {naming(to(`{destination: {host: reviewz.default.svc.cluster.local}}`), page, ""), []string{`no service "reviewz"`}},
		"one that the scenario says is not":      {naming(to(`{destination: {host: reviewz}}`), page, "  noEndpoints: [{service: reviewz}]"), nil},
		"a host of another namespace":            {naming(to(`{destination: {host: reviews.films.svc.cluster.local}}`), page, ""), nil},
		"a mirror to nobody":                     {naming(strings.Replace(to(`{destination: {host: reviews}}`), "http: [{", "http: [{mirror: {host: mirrors}, ", 1), page, ""), []string{`no service "mirrors"`}},
		"an unknown port":                        {naming(to(`{destination: {host: reviews, port: {number: 9081}}}`), page, ""), []string{"the service reviews has no port 9081; it has 9080"}},
		"a rule for an unknown host":             {naming(`{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: x}, spec: {host: rating, trafficPolicy: {loadBalancer: {simple: RANDOM}}}}`, page, ""), []string{`spec.host`, `no service "rating"; did you mean ratings?`}},
		"a policy of an unknown port":            {naming(`{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: x}, spec: {host: ratings, trafficPolicy: {portLevelSettings: [{port: {number: 1}, loadBalancer: {simple: RANDOM}}]}}}`, page, ""), []string{"portLevelSettings[0].port", "no port 1"}},
		"a load on an unknown host":              {naming(`{fault: {service: ratings, abort: 503}}`, "http://productpag:9080/", ""), []string{"naming.yaml:8:", `checking the load pages: the namespace default has no service "productpag"; did you mean productpage?`}},
		"a load on an unknown port":              {naming(`{fault: {service: ratings, abort: 503}}`, "http://productpage:80/", ""), []string{"checking the load pages: the service productpage has no port 80; it has 9080"}},
		"a load on a name of DNS":                {naming(`{fault: {service: ratings, abort: 503}}`, "http://productpage.default.svc:9080/", ""), nil},
		"a load on an unknown name of DNS":       {naming(`{fault: {service: ratings, abort: 503}}`, "http://productpag.default:9080/", ""), []string{`no service "productpag"`}},
		"a load on a host outside the namespace": {naming(`{fault: {service: ratings, abort: 503}}`, "http://example.com/", ""), nil},
		"a load from a workload":                 {from("reviews-v2"), nil},
		"a load from an unknown workload":        {from("reviews-v9"), []string{"naming.yaml:8:", `checking the load pages: the namespace default has no workload "reviews-v9" with a ready pod and a sidecar; did you mean reviews-v1?`}},
		"a load from the gateway, misspelt":      {from("gatway"), []string{`no workload "gatway"`, "did you mean gateway?"}},
		"all that is wrong, at once": {naming(`{route: {service: reviews, to: v9}}, {fault: {service: rating, abort: 503}}, {route: {service: details, to: v2}}`, "http://productpage:80/", ""),
			[]string{"subset v9 of reviews", `no service "rating"`, "subset v2 of details", "no port 80"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := runner.Plan(runner.Site{Namespace: embedded.Namespace, Services: services, Workloads: workloads}, readNamed(t, "naming.yaml", test.text), "test")
			if (err == nil) != (len(test.want) == 0) {
				t.Fatalf("the error is %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
		})
	}
}

// The embedded mesh speaks HTTP/2 to a port of gRPC, by which it asks for no WebSocket.
func TestAWebSocketOverHTTP2IsRefused(t *testing.T) {
	services, err := embedded.Services("grpc-echo")
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"ws://echo:7070/":   "naming.yaml:8:29: checking the load pages: this mesh speaks HTTP/2 to echo:7070, and carries WebSocket over HTTP/1.1 alone; call a port whose name begins with http",
		"http://echo:7070/": "",
	} {
		text := naming(`{fault: {service: echo, abort: 503}}`, url, "")
		if strings.HasPrefix(url, "ws") {
			text = strings.Replace(text, "get:", "lines: [hello], ws:", 1)
		}
		_, err := runner.Plan(runner.Site{Namespace: embedded.Namespace, Services: services}, readNamed(t, "naming.yaml", text), "test")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\n%s", url, err, text)
		}
	}
}

func TestAServiceWithoutPodsIsRefused(t *testing.T) {
	services, err := embedded.Services("bookinfo")
	if err != nil {
		t.Fatal(err)
	}
	for i := range services {
		if services[i].Name == "productpage" {
			services[i].Ready = []map[string]string{}
		}
	}
	text := naming(`{fault: {service: ratings, abort: 503}}`, page, "")
	_, err = runner.Plan(runner.Site{Namespace: embedded.Namespace, Services: services}, readNamed(t, "naming.yaml", text), "test")
	if err == nil || !strings.Contains(err.Error(), "the service productpage has no ready pod; if nobody is to be there, say so: noEndpoints: [{service: productpage}]") {
		t.Errorf("the error is %v", err)
	}
	for i := range services {
		services[i].Ready = nil // nobody knows
	}
	if _, err := runner.Plan(runner.Site{Namespace: embedded.Namespace, Services: services}, readNamed(t, "naming.yaml", text), "test"); err != nil {
		t.Errorf("where it is not known, the error is %v", err)
	}
}

func TestWhatARuleNamedBeforeIsNoneOfTheRuns(t *testing.T) {
	m := open(t)
	theirs, err := rules.DecodeFile([]byte(`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"reviews","namespace":"default"},
 "spec":{"hosts":["reviews"],"http":[{"match":[{"uri":{"prefix":"/old"}}],"route":[{"destination":{"host":"reviews","subset":"v0"}}]},{"route":[{"destination":{"host":"reviews"}}]}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	services, err := m.Services(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text := naming(`{fault: {service: reviews, abort: 503}}`, page, "")
	if _, err := runner.Plan(runner.Site{Namespace: embedded.Namespace, Services: services, Objects: []*rules.Object{theirs}}, readNamed(t, "naming.yaml", text), "test"); err != nil {
		t.Errorf("the error is %v", err)
	}
}

func TestTheRecordSaysWhatDraws(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want string
	}{
		"three versions between which nothing decides": {strings.Replace(short, "to: v2}\n", "to: v2, when: {x: y}}\n", 1), "Service/reviews"},
		"one of them for all":                          {short, ""},
		"a split":                                      {strings.Replace(short, "to: v2}\n", "to: {v2: 50, v3: 50}}\n", 1), "VirtualService/default/meshchaos-reviews"},
	} {
		t.Run(name, func(t *testing.T) {
			record := run(t.Context(), t, open(t), test.text, nil)
			if got := strings.Join(record.Draws, " "); got != test.want {
				t.Errorf("it says %q, want %q", got, test.want)
			}
		})
	}
}
