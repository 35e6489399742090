package config_test

import (
	"errors"
	"strings"
	"testing"

	telemetry "istio.io/api/telemetry/v1alpha1"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

func TestFieldsThatAreNotImplementedAreNamed(t *testing.T) {
	tests := []struct {
		object *rules.Object
		path   string
	}{
		{sidecartest.VirtualService(t, "a", `{"hosts":["web"],"http":[{"route":[{"destination":{"host":"web"}}],"corsPolicy":{}}]}`), "spec.http[0].corsPolicy"},
		{sidecartest.VirtualService(t, "a", `{"hosts":["web"],"http":[{"directResponse":{"status":200}}]}`), "spec.http[0].directResponse"},
		{sidecartest.VirtualService(t, "a", `{"hosts":["web"],"http":[{"route":[{"destination":{"host":"web"}}]},{"route":[{"destination":{"host":"web"}}],"retries":{"attempts":3,"retryRemoteLocalities":true}}]}`), "spec.http[1].retries.retryRemoteLocalities"},
		{sidecartest.VirtualService(t, "a", `{"hosts":["web"],"http":[{"match":[{"queryParams":{"q":{"exact":"1"}}}],"route":[{"destination":{"host":"web"}}]}]}`), "spec.http[0].match[0].queryParams"},
		{sidecartest.VirtualService(t, "a", `{"hosts":["web"],"exportTo":["*"],"http":[{"route":[{"destination":{"host":"web"}}]}]}`), "spec.exportTo"},
		{sidecartest.VirtualService(t, "a", `{"hosts":["*.com"],"http":[{"route":[{"destination":{"host":"web"}}]}]}`), "spec.hosts[0]"},
		{sidecartest.VirtualService(t, "a", `{"http":[{"route":[{"destination":{"host":"web"}}]}]}`), "spec.hosts"},
		{sidecartest.VirtualService(t, "a", `{"hosts":["web"],"http":[{"match":[{"headers":{"uri":{"exact":"/"}}}],"route":[{"destination":{"host":"web"}}]}]}`), "spec.http[0].match[0].headers[uri]"},
		{sidecartest.VirtualService(t, "a", `{"hosts":["web"],"http":[{"fault":{"abort":{"httpStatus":600}},"route":[{"destination":{"host":"web"}}]}]}`), "spec.http[0].fault.abort.httpStatus"},
		{sidecartest.VirtualService(t, "a", `{"hosts":["web"],"http":[{"fault":{"delay":{"percent":50}},"route":[{"destination":{"host":"web"}}]}]}`), "spec.http[0].fault.delay"},
		{sidecartest.VirtualService(t, "a", `{"hosts":["web"],"http":[{"fault":{"delay":{"fixedDelay":"1s","percent":-1}},"route":[{"destination":{"host":"web"}}]}]}`), "spec.http[0].fault.delay.percent"},
		{sidecartest.DestinationRule(t, "a", `{"host":"*.com"}`), "spec.host"},
		{sidecartest.DestinationRule(t, "a", `{"host":"web","subsets":[{"name":"v1","trafficPolicy":{"tls":{"mode":"ISTIO_MUTUAL"}}}]}`), "spec.subsets[0].trafficPolicy.tls"},
		{sidecartest.DestinationRule(t, "a", `{"host":"web","trafficPolicy":{"outlierDetection":{"consecutiveErrors":1}}}`), "spec.trafficPolicy.outlierDetection.consecutiveErrors"},
		{sidecartest.DestinationRule(t, "a", `{"host":"web","trafficPolicy":{"loadBalancer":{"simple":"PASSTHROUGH"}}}`), "spec.trafficPolicy.loadBalancer.simple"},
		{sidecartest.DestinationRule(t, "a", `{"host":"web","trafficPolicy":{"loadBalancer":{"consistentHash":{"useSourceIp":true}}}}`), "spec.trafficPolicy.loadBalancer.consistentHash.useSourceIp"},
		{sidecartest.DestinationRule(t, "a", `{"host":"web","trafficPolicy":{"loadBalancer":{"consistentHash":{"httpHeaderName":"x","minimumRingSize":2048}}}}`), "spec.trafficPolicy.loadBalancer.consistentHash.minimumRingSize"},
		{sidecartest.DestinationRule(t, "a", `{"host":"web","trafficPolicy":{"loadBalancer":{"simple":"ROUND_ROBIN","warmup":{"duration":"60s"}}}}`), "spec.trafficPolicy.loadBalancer.warmup"},
		{sidecartest.DestinationRule(t, "a", `{"host":"web","trafficPolicy":{"loadBalancer":{"simple":"ROUND_ROBIN","warmupDurationSecs":"60s"}}}`), "spec.trafficPolicy.loadBalancer.warmupDurationSecs"},
		{sidecartest.Gateway(t, "a", `{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":443,"protocol":"MONGO","name":"x"},"hosts":["*"]}]}`), "spec.servers[0].port.protocol"},
		{sidecartest.Gateway(t, "a", `{"selector":{"app":"mine"},"servers":[{"port":{"number":80,"protocol":"HTTP","name":"x"},"hosts":["*"]}]}`), "spec.selector"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			_, err := sidecar.Compile(config.Mesh{Services: []config.Service{sidecartest.Service("web", 8000, false)}}, []*rules.Object{tt.object})
			var unsupported *config.UnsupportedError
			if !errors.As(err, &unsupported) || unsupported.Path != tt.path || unsupported.Object != tt.object.Ref {
				t.Errorf("got %v", err)
			}
		})
	}
}

// What Istio itself would refuse never panics, and the error says where it is.
func TestBadObjectsAreRefused(t *testing.T) {
	http := func(route string) *rules.Object {
		return sidecartest.VirtualService(t, "a", `{"hosts":["web"],"http":[`+route+`]}`)
	}
	for want, object := range map[string]*rules.Object{
		"spec.http[0]: it has none of route":                            http(`{}`),
		"spec.http[0].route[0].destination: the destination is missing": http(`{"route":[{}]}`),
		"spec.http[0].route: the weights sum to 0":                      http(`{"route":[{"destination":{"host":"web"}},{"destination":{"host":"web"}}]}`),
		"spec.http[0].route[0].weight: the weight is -1":                http(`{"route":[{"destination":{"host":"web"},"weight":-1}]}`),
		"spec.http[0].match[0].uri.regex: error parsing regexp":         http(`{"match":[{"uri":{"regex":"("}}],"route":[{"destination":{"host":"web"}}]}`),
		"spec.http[0].timeout: the duration is 0s":                      http(`{"timeout":"0s","route":[{"destination":{"host":"web"}}]}`),
		"spec.http[0].fault.abort.httpStatus: 601 is not":               http(`{"fault":{"abort":{"httpStatus":601}},"route":[{"destination":{"host":"web"}}]}`),
		"spec.http[0].fault.abort.httpStatus: it is 600":                http(`{"fault":{"abort":{"httpStatus":600}},"route":[{"destination":{"host":"web"}}]}`),
		"spec.http[0].fault.delay.percentage: the percentage is 101":    http(`{"fault":{"delay":{"fixedDelay":"1s","percentage":{"value":101}}},"route":[{"destination":{"host":"web"}}]}`),
		"spec.http[0].match[0].headers[uri]: would be ignored":          http(`{"match":[{"headers":{"uri":{"exact":"/"}}}],"route":[{"destination":{"host":"web"}}]}`),
		"spec.hosts: the embedded mesh does not implement delegates":    sidecartest.VirtualService(t, "a", `{"http":[{"route":[{"destination":{"host":"web"}}]}]}`),
		"spec.hosts[0]: the host * is for gateways alone":               sidecartest.VirtualService(t, "a", `{"hosts":["*"],"http":[{"route":[{"destination":{"host":"web"}}]}]}`),
		"spec: it has none of http, tcp and tls":                        sidecartest.VirtualService(t, "a", `{"hosts":["web"]}`),
		"spec.host: the host is missing":                                sidecartest.DestinationRule(t, "a", `{}`),
		"outlierDetection.interval: the duration is 0s":                 sidecartest.DestinationRule(t, "a", `{"host":"web","trafficPolicy":{"outlierDetection":{"interval":"0s"}}}`),
		"spec.servers[0].tls: tls is missing":                           sidecartest.Gateway(t, "a", `{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":443,"protocol":"HTTPS","name":"x"},"hosts":["*"]}]}`),
		"spec: the spec is missing":                                     {Ref: rules.Ref{Kind: rules.Gateway, Namespace: "default", Name: "a"}},
	} {
		_, err := sidecar.Compile(config.Mesh{Services: []config.Service{sidecartest.Service("web", 8000, false)}}, []*rules.Object{object})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), object.String()) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestTelemetryBeyondTheAccessLogIsRefused(t *testing.T) {
	for text, path := range map[string]string{
		`{"selector":{"matchLabels":{"app":"web"}},"accessLogging":[{"providers":[{"name":"envoy"}]}]}`: "spec.selector",
		`{"accessLogging":[{"disabled":true}]}`:                                                         "spec.accessLogging[0].disabled",
		`{"accessLogging":[{"filter":{"expression":"response.code >= 400"}}]}`:                          "spec.accessLogging[0].filter",
		`{"accessLogging":[{"providers":[{"name":"otel"}]}]}`:                                           "spec.accessLogging[0].providers[0].name",
		`{"tracing":[{"randomSamplingPercentage":100}]}`:                                                "spec.tracing",
	} {
		_, err := sidecar.Compile(config.Mesh{}, []*rules.Object{{Ref: rules.Ref{Kind: rules.Telemetry, Namespace: "default", Name: "x"}, Spec: sidecartest.Spec(t, &telemetry.Telemetry{}, text)}})
		var unsupported *config.UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Path != path {
			t.Errorf("%s: %v", text, err)
		}
	}
}
