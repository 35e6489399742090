package runner_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
)

// bound is a VirtualService with more of its spec.
func bound(spec string) string {
	return `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: reviews}, spec: {` + spec + `}}`
}

// gatewayOf is a Gateway of a namespace.
func gatewayOf(t *testing.T, namespace string) *rules.Object {
	t.Helper()
	o, err := rules.DecodeFile([]byte(`{"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":"front","namespace":"` + namespace + `"},
 "spec":{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":80,"name":"http","protocol":"HTTP"},"hosts":["*/*.example.com","default/*.test"]}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestWhatLiesBeyondTheNamespaceIsNamedOrRefused(t *testing.T) {
	const route = `http: [{route: [{destination: {host: reviews}}]}]`
	services, err := embedded.Services("bookinfo")
	if err != nil {
		t.Fatal(err)
	}
	atGateway := func(port string) string {
		return strings.Replace(naming(`{fault: {service: ratings, abort: 503}}`, "http://reviews.example.com"+port+"/", ""), "connections:", "from: gateway, connections:", 1)
	}
	films := mesh.Service{Name: "x", Host: "reviews.films.svc.cluster.local", Ports: []mesh.Port{{Number: 9080, Either: true}}}
	wild := mesh.Service{Name: "y", Host: "*.example.com", Ports: []mesh.Port{{Number: 443, Either: true}}}
	front := []*rules.Object{gatewayOf(t, "edge")}
	all := runner.Beyond{Known: true, Services: []mesh.Service{films, wild}, Gateways: front, AllGateways: true, GatewayPorts: map[int][]int{80: {80, 8080}, 8080: {80, 8080}, 443: {443, 8443}}}
	web, hidden := all, all
	pods := all
	pods.GatewayPods = runner.Pods{{"istio": "ingressgateway", "app": "gw"}}
	pods.WorkloadPods = runner.Pods{{"app": "reviews", "version": "v1"}, {"app": "ratings", "version": "v1"}}
	opening := func(selector string) string {
		return `{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: x}, spec: {selector: {` + selector + `}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}}, ` +
			`{fault: {service: ratings, abort: 503}}`
	}
	limiting := func(selector string) string {
		return `{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: x}, spec: {host: ratings, workloadSelector: {matchLabels: {` + selector + `}}, trafficPolicy: {loadBalancer: {simple: RANDOM}}}}`
	}
	web.Web, hidden.AllGateways, hidden.Gateways = true, false, nil
	for name, test := range map[string]struct {
		text   string
		beyond runner.Beyond
		want   string // empty: it is planned
	}{
		"a service elsewhere":                      {naming(bound(`hosts: [reviews.films.svc.cluster.local], `+route), page, ""), all, ""},
		"a host of a wildcard":                     {naming(bound(`hosts: [www.example.com], `+route), page, ""), all, ""},
		"a wildcard of services":                   {naming(bound(`hosts: ["*.svc.cluster.local"], `+route), page, ""), all, ""},
		"a wildcard of none":                       {naming(bound(`hosts: ["*.test"], `+route), page, ""), all, `no host "*.test"`},
		"nobody's":                                 {naming(bound(`hosts: [www.test], `+route), page, ""), all, `spec.hosts[0]: the mesh knows no host "www.test": no service and no ServiceEntry has it; one of`},
		"nobody's, and nobody was asked":           {naming(bound(`hosts: [www.test], `+route), page, ""), runner.Beyond{}, ""},
		"nobody's, beside somebody's":              {naming(bound(`hosts: [www.test, reviews], `+route), page, ""), all, ""},
		"nobody's, on port 80":                     {naming(bound(`hosts: [www.test], `+route), page, ""), web, ""},
		"a misspelt one, whatever is on port 80":   {naming(bound(`hosts: [reviews.film.svc.cluster.local], `+route), page, ""), web, "did you mean reviews?"},
		"half a long name":                         {naming(bound(`hosts: [reviews.default], `+route), page, ""), web, `no host "reviews.default"`},
		"a destination that is nobody's":           {naming(to(`{destination: {host: www.test}}`), page, ""), web, "spec.http[0].route[0].destination"},
		"one that the scenario says is nobody's":   {naming(to(`{destination: {host: www.test}}`), page, "  noEndpoints: [{service: www.test}]"), web, ""},
		"a destination elsewhere, and its port":    {naming(to(`{destination: {host: reviews.films.svc.cluster.local, port: {number: 80}}}`), page, ""), all, "has no port 80; it has 9080"},
		"a policy for nobody":                      {naming(`{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: x}, spec: {host: www.test, trafficPolicy: {loadBalancer: {simple: RANDOM}}}}`, page, ""), web, `spec.host: the mesh knows no host`},
		"a policy for a wildcard":                  {naming(`{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: x}, spec: {host: "*.default.svc.cluster.local", trafficPolicy: {loadBalancer: {simple: RANDOM}}}}`, page, ""), all, "is a wildcard, and no proxy shows"},
		"a policy for the hosts of an entry":       {naming(`{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: x}, spec: {host: "*.example.com", trafficPolicy: {loadBalancer: {simple: RANDOM}}}}`, page, ""), all, ""},
		"a gateway of pods":                        {naming(opening(`istio: ingressgateway, app: gw`), page, ""), pods, ""},
		"a gateway of all":                         {naming(opening(``), page, ""), pods, ""},
		"a gateway of nobody":                      {naming(opening(`istio: egress`), page, ""), pods, "spec.selector: no pod of the ingress gateway has these labels (istio: egress), and nobody would follow it; there is istio: ingressgateway"},
		"a gateway, and no pod is known":           {naming(opening(`istio: egress`), page, ""), all, ""},
		"a policy of pods":                         {naming(limiting(`app: reviews`), page, ""), pods, ""},
		"a policy of the load workload":            {naming(limiting(`app: meshchaos-client`), page, ""), pods, ""},
		"a policy of nobody":                       {naming(limiting(`app: review`), page, ""), pods, "spec.workloadSelector: no pod with a proxy has these labels (app: review), and nobody would follow it; there is app: ratings, app: reviews"},
		"a policy of a version of nobody":          {naming(limiting(`app: reviews, version: v9`), page, ""), pods, "no pod with a proxy"},
		"a load outside":                           {naming(`{fault: {service: ratings, abort: 503}}`, "http://www.test/", ""), all, ""},
		"a gateway elsewhere":                      {naming(bound(`hosts: [reviews.example.com], gateways: [edge/front], `+route), page, ""), all, ""},
		"a gateway of old":                         {naming(bound(`hosts: [reviews.example.com], gateways: [front.edge.svc.cluster.local], `+route), page, ""), all, ""},
		"a gateway of that name, not here":         {naming(bound(`hosts: [reviews.example.com], gateways: [front], `+route), page, ""), all, "spec.gateways[0]: there is no gateway default/front; one of edge/front"},
		"a gateway that is hidden":                 {naming(bound(`hosts: [reviews.example.com], gateways: [edge/front], `+route), page, ""), hidden, ""},
		"a gateway for others":                     {naming(bound(`hosts: [reviews.org], gateways: [edge/front], `+route), page, ""), all, "takes in none of the hosts of the rule (reviews.org); it has */*.example.com, default/*.test"},
		"a gateway for the namespace":              {naming(bound(`hosts: [reviews.test], gateways: [edge/front], `+route), page, ""), all, ""},
		"a port of the gateway":                    {naming(bound(`hosts: [reviews.example.com], gateways: [edge/front], http: [{match: [{port: 80}], route: [{destination: {host: reviews}}]}]`), page, ""), all, ""},
		"a port that only the service has":         {naming(bound(`hosts: [reviews.example.com], gateways: [edge/front], http: [{match: [{port: 9080}], route: [{destination: {host: reviews}}]}]`), page, ""), all, "nothing that the rule is for has the port 9080; there is 80 (HTTP)"},
		"a port of one of both":                    {naming(bound(`hosts: [reviews, reviews.example.com], gateways: [mesh, edge/front], http: [{match: [{port: 9080}], route: [{destination: {host: reviews}}]}]`), page, ""), all, ""},
		"a match of one of both, at the wrong one": {naming(bound(`hosts: [reviews, reviews.example.com], gateways: [mesh, edge/front], http: [{match: [{port: 9080, gateways: [edge/front]}], route: [{destination: {host: reviews}}]}]`), page, ""), all, "9080"},
		"load by a port that is served":            {atGateway(""), all, ""},
		"load by the port that leads there":        {atGateway(":8080"), all, ""},
		"load by a port that nobody serves":        {atGateway(":443"), all, "no Gateway serves the port 443; they serve 80"},
		"load by a port that the service has not":  {atGateway(":81"), all, "the service of the ingress gateway has no port 81; it has 80, 443, 8080"},
		"load by a port that may be served":        {atGateway(":443"), hidden, ""},
		"a delegate that is not there":             {naming(bound(`hosts: [reviews], http: [{match: [{uri: {prefix: /x}}], delegate: {name: nobody}}, {route: [{destination: {host: reviews}}]}]`), page, ""), all, "spec.http[0].delegate: there is no VirtualService/default/nobody"},
		"a delegate elsewhere":                     {naming(bound(`hosts: [reviews], http: [{match: [{uri: {prefix: /x}}], delegate: {name: nobody, namespace: films}}, {route: [{destination: {host: reviews}}]}]`), page, ""), all, ""},
	} {
		t.Run(name, func(t *testing.T) {
			site := runner.Site{Namespace: "default", Services: services, Beyond: test.beyond}
			_, err := runner.Plan(site, readNamed(t, "naming.yaml", test.text), "test")
			switch {
			case test.want == "" && err != nil:
				t.Errorf("the error is %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "naming.yaml:")):
				t.Errorf("the error is %v, not with %q", err, test.want)
			}
		})
	}
}

func TestDelegatesThatAreNotThereAreNamedInTheirOrder(t *testing.T) {
	var entries, want []string
	for i := range 12 {
		entries = append(entries, fmt.Sprintf("{match: [{uri: {prefix: /%d}}], delegate: {name: nobody-%d}}", i, i))
		want = append(want, fmt.Sprintf("spec.http[%d].delegate: there is no VirtualService/default/nobody-%d to delegate to; write it above, or correct the name", i, i))
	}
	rule := bound(`hosts: [reviews], http: [` + strings.Join(entries, ", ") + `, {route: [{destination: {host: reviews}}]}]`)
	services, err := embedded.Services("bookinfo")
	if err != nil {
		t.Fatal(err)
	}
	_, err = runner.Plan(runner.Site{Namespace: "default", Services: services}, read(t, naming(rule, page, "")), "test")
	if err == nil {
		t.Fatal("nobody is delegated to, and that is planned")
	}
	said := err.Error()
	for _, w := range want {
		at := strings.Index(said, w)
		if at < 0 {
			t.Fatalf("%q does not stand behind the others in\n%s", w, err)
		}
		said = said[at:]
	}
}

// wide is an embedded mesh that has an outside, with a gateway there.
type wide struct {
	mesh.Mesh
	gateways []*rules.Object
}

func (wide) Info() mesh.Info { return mesh.Info{Kind: mesh.Istio, Namespace: "default"} }

func (w wide) Gateways(context.Context) ([]*rules.Object, bool, error) { return w.gateways, true, nil }

func (wide) GatewayPorts(context.Context) (map[int][]int, error) { return map[int][]int{80: {80}}, nil }

func TestTheProxiesAreAskedWhatLiesBeyond(t *testing.T) {
	const route = `http: [{route: [{destination: {host: reviews}}]}]`
	for name, test := range map[string]struct{ rule, want string }{
		"a host that they do not know":    {bound(`hosts: [www.test], ` + route), `the mesh knows no host "www.test"`},
		"a wildcard that they do":         {bound(`hosts: ["*.default.svc.cluster.local"], ` + route), "at gateways alone"}, // the embedded mesh itself
		"a gateway that there is":         {bound(`hosts: [reviews.example.com], gateways: [edge/front], ` + route), ""},
		"a gateway that there is not":     {bound(`hosts: [reviews.example.com], gateways: [edge/back], ` + route), "there is no gateway edge/back; one of edge/front"},
		"a host that they know, and more": {bound(`hosts: [reviews, www.test], ` + route), ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := wide{open(t), []*rules.Object{gatewayOf(t, "edge")}}
			_, err := runner.PlanOn(t.Context(), m, readNamed(t, "naming.yaml", naming(test.rule, page, "")), runner.Options{ID: "test"})
			var refused *runner.RefusedError
			switch {
			case test.want == "" && err != nil:
				t.Errorf("the error is %v", err)
			case test.want != "" && (!errors.As(err, &refused) || !strings.Contains(err.Error(), test.want)):
				t.Errorf("the error is %v, not with %q", err, test.want)
			}
		})
	}
}
