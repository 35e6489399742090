package sidecar

import (
	"errors"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/rules"
)

func TestFieldsThatAreNotImplementedAreNamed(t *testing.T) {
	tests := []struct {
		object *rules.Object
		path   string
	}{
		{virtualServiceOf(t, "a", `{"hosts":["web"],"http":[{"route":[{"destination":{"host":"web"}}],"corsPolicy":{}}]}`), "spec.http[0].corsPolicy"},
		{virtualServiceOf(t, "a", `{"hosts":["web"],"http":[{"route":[{"destination":{"host":"web"},"headers":{}}]}]}`), "spec.http[0].route[0].headers"},
		{virtualServiceOf(t, "a", `{"hosts":["web"],"http":[{"route":[{"destination":{"host":"web"}}]},{"route":[{"destination":{"host":"web"}}],"retries":{"attempts":3}}]}`), "spec.http[1].retries"},
		{virtualServiceOf(t, "a", `{"hosts":["web"],"http":[{"match":[{"queryParams":{"q":{"exact":"1"}}}],"route":[{"destination":{"host":"web"}}]}]}`), "spec.http[0].match[0].queryParams"},
		{virtualServiceOf(t, "a", `{"hosts":["web"],"http":[{"fault":{"abort":{"grpcStatus":"UNAVAILABLE"}},"route":[{"destination":{"host":"web"}}]}]}`), "spec.http[0].fault.abort.grpcStatus"},
		{virtualServiceOf(t, "a", `{"hosts":["web"],"exportTo":["*"],"http":[{"route":[{"destination":{"host":"web"}}]}]}`), "spec.exportTo"},
		{virtualServiceOf(t, "a", `{"hosts":["*.com"],"http":[{"route":[{"destination":{"host":"web"}}]}]}`), "spec.hosts[0]"},
		{virtualServiceOf(t, "a", `{"http":[{"route":[{"destination":{"host":"web"}}]}]}`), "spec.hosts"},
		{virtualServiceOf(t, "a", `{"hosts":["web"],"http":[{"match":[{"headers":{"uri":{"exact":"/"}}}],"route":[{"destination":{"host":"web"}}]}]}`), "spec.http[0].match[0].headers[uri]"},
		{virtualServiceOf(t, "a", `{"hosts":["web"],"http":[{"fault":{"abort":{"httpStatus":600}},"route":[{"destination":{"host":"web"}}]}]}`), "spec.http[0].fault.abort.httpStatus"},
		{virtualServiceOf(t, "a", `{"hosts":["web"],"http":[{"fault":{"delay":{"percent":50}},"route":[{"destination":{"host":"web"}}]}]}`), "spec.http[0].fault.delay"},
		{virtualServiceOf(t, "a", `{"hosts":["web"],"http":[{"fault":{"delay":{"fixedDelay":"1s","percent":-1}},"route":[{"destination":{"host":"web"}}]}]}`), "spec.http[0].fault.delay.percent"},
		{destinationRuleOf(t, "a", `{"host":"*.com"}`), "spec.host"},
		{destinationRuleOf(t, "a", `{"host":"web","subsets":[{"name":"v1","trafficPolicy":{"tls":{"mode":"ISTIO_MUTUAL"}}}]}`), "spec.subsets[0].trafficPolicy.tls"},
		{destinationRuleOf(t, "a", `{"host":"web","trafficPolicy":{"outlierDetection":{"consecutiveErrors":1}}}`), "spec.trafficPolicy.outlierDetection.consecutiveErrors"},
		{destinationRuleOf(t, "a", `{"host":"web","trafficPolicy":{"loadBalancer":{"simple":"PASSTHROUGH"}}}`), "spec.trafficPolicy.loadBalancer.simple"},
		{destinationRuleOf(t, "a", `{"host":"web","trafficPolicy":{"loadBalancer":{"consistentHash":{"httpHeaderName":"x"}}}}`), "spec.trafficPolicy.loadBalancer.consistentHash"},
		{gatewayOf(t, "a", `{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":443,"protocol":"GRPC","name":"x"},"hosts":["*"]}]}`), "spec.servers[0].port.protocol"},
		{gatewayOf(t, "a", `{"selector":{"app":"mine"},"servers":[{"port":{"number":80,"protocol":"HTTP","name":"x"},"hosts":["*"]}]}`), "spec.selector"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			_, err := Compile(Mesh{Services: []Service{service("web", 8000, false)}}, []*rules.Object{tt.object})
			var unsupported *UnsupportedError
			if !errors.As(err, &unsupported) || unsupported.Path != tt.path || unsupported.Object != tt.object.Ref {
				t.Errorf("got %v", err)
			}
		})
	}
}

// What Istio itself would refuse never panics, and the error says where it is.
func TestBadObjectsAreRefused(t *testing.T) {
	http := func(route string) *rules.Object {
		return virtualServiceOf(t, "a", `{"hosts":["web"],"http":[`+route+`]}`)
	}
	for want, object := range map[string]*rules.Object{
		"spec.http[0]: it has none of route":                            http(`{}`),
		"spec.http[0].route[0].destination: the destination is missing": http(`{"route":[{}]}`),
		"spec.http[0].route: the weights sum to 0":                      http(`{"route":[{"destination":{"host":"web"}},{"destination":{"host":"web"}}]}`),
		"spec.http[0].route[0].weight: the weight is -1":                http(`{"route":[{"destination":{"host":"web"},"weight":-1}]}`),
		"spec.http[0].match[0].uri.regex: error parsing regexp":         http(`{"match":[{"uri":{"regex":"("}}],"route":[{"destination":{"host":"web"}}]}`),
		"spec.http[0].match[0].uri: \"\\\\Q\" is no RE2 expression":     http(`{"match":[{"uri":{"regex":"\\Q"}}],"route":[{"destination":{"host":"web"}}]}`),
		"spec.http[0].timeout: the duration is 0s":                      http(`{"timeout":"0s","route":[{"destination":{"host":"web"}}]}`),
		"spec.http[0].fault.abort.httpStatus: 601 is not":               http(`{"fault":{"abort":{"httpStatus":601}},"route":[{"destination":{"host":"web"}}]}`),
		"spec.http[0].fault.abort.httpStatus: it is 600":                http(`{"fault":{"abort":{"httpStatus":600}},"route":[{"destination":{"host":"web"}}]}`),
		"spec.http[0].fault.delay.percentage: the percentage is 101":    http(`{"fault":{"delay":{"fixedDelay":"1s","percentage":{"value":101}}},"route":[{"destination":{"host":"web"}}]}`),
		"spec.http[0].match[0].headers[uri]: would be ignored":          http(`{"match":[{"headers":{"uri":{"exact":"/"}}}],"route":[{"destination":{"host":"web"}}]}`),
		"spec.hosts: the embedded mesh does not implement delegates":    virtualServiceOf(t, "a", `{"http":[{"route":[{"destination":{"host":"web"}}]}]}`),
		"spec.hosts[0]: the host * is for gateways alone":               virtualServiceOf(t, "a", `{"hosts":["*"],"http":[{"route":[{"destination":{"host":"web"}}]}]}`),
		"spec: it has none of http, tcp and tls":                        virtualServiceOf(t, "a", `{"hosts":["web"]}`),
		"spec.host: the host is missing":                                destinationRuleOf(t, "a", `{}`),
		"outlierDetection.interval: the duration is 0s":                 destinationRuleOf(t, "a", `{"host":"web","trafficPolicy":{"outlierDetection":{"interval":"0s"}}}`),
		"spec.servers[0].tls: tls is missing":                           gatewayOf(t, "a", `{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":443,"protocol":"HTTPS","name":"x"},"hosts":["*"]}]}`),
		"spec: the spec is missing":                                     {Ref: rules.Ref{Kind: rules.Gateway, Namespace: "default", Name: "a"}},
	} {
		_, err := Compile(Mesh{Services: []Service{service("web", 8000, false)}}, []*rules.Object{object})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), object.String()) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// Of two VirtualServices for a host the sidecars take the first, and a service
// whose VirtualService has no route for its port is routed as if it had none.
func TestTheFirstVirtualServiceOwnsAHost(t *testing.T) {
	m := startMesh(t, Options{}, []Service{reviews(t)}, subsets(t, "reviews"),
		virtualServiceOf(t, "first", `{"hosts":["reviews"],"http":[{"match":[{"port":80}],"route":[{"destination":{"host":"reviews","subset":"v9"}}]}]}`),
		virtualServiceOf(t, "second", `{"hosts":["reviews"],"http":[{"route":[{"destination":{"host":"reviews","subset":"v9"}}]}]}`))
	if g := m.get("http://reviews:9080/"); g.status != 200 {
		t.Errorf("got %d", g.status)
	}
}
