//go:build e2e

package fidelity

import (
	"strings"
	"time"
)

// toAny is a route to all endpoints.
const toAny = `"route": [{"destination": {"host": "$web"}}]`

// ejecting is a policy that ejects after the second error in a row.
func ejecting(more string) string {
	return `"trafficPolicy": {"loadBalancer": {"simple": "ROUND_ROBIN"}, "outlierDetection": {"consecutive5xxErrors": 2, "interval": "1s", ` + more + `}}`
}

// after is a call after a pause. Envoy's workers hear of an ejection from its main
// thread, which takes some microseconds.
func after(pause time.Duration, do string) call { return call{Before: pause, Do: do} }

// soon is long enough for the workers to hear of an ejection.
const soon = 60 * time.Millisecond

// ejections are endpoints that fail, and what is done about them. Two that are of
// one version cannot be told apart, since which of them is the first to be called is
// drawn.
var ejections = []comparison{
	{Name: "an endpoint is ejected, and comes back", HTTP: "{" + v1 + "}", Policy: ejecting(`"baseEjectionTime": "2s", "maxEjectionPercent": 100`), Calls: []call{
		{Do: "status=503"}, {}, after(soon, "status=503"), after(soon, "status=500"), after(soon, ""), after(soon, ""), after(time.Second, ""), after(4*time.Second, ""), after(soon, ""),
	}},
	{Name: "errors that are none in a row", HTTP: "{" + v1 + "}", Policy: ejecting(`"baseEjectionTime": "60s", "maxEjectionPercent": 100`), Calls: []call{
		{Do: "status=503"}, after(soon, "status=404"), after(soon, "status=500"), after(soon, ""), after(soon, "close"), after(soon, "garbage"), after(soon, ""),
	}},
	{Name: "aborts eject nobody", HTTP: toV1(`"fault": {"abort": {"httpStatus": 503, "percentage": {"value": 100}}}`), Policy: ejecting(`"baseEjectionTime": "60s", "maxEjectionPercent": 100`), Calls: []call{
		{}, after(soon, ""), after(soon, ""), after(soon, ""),
	}},
	{Name: "answers that break off eject", HTTP: "{" + v1 + "}", Policy: strings.Replace(ejecting(`"baseEjectionTime": "60s", "maxEjectionPercent": 100`), "2", "1", 1), Calls: []call{
		{Do: "wire=cut"}, after(soon, ""),
	}},
	{Name: "timeouts eject", HTTP: toV1(`"timeout": "0.2s"`), Policy: ejecting(`"baseEjectionTime": "60s", "maxEjectionPercent": 100`), Calls: []call{
		{Do: "wait=2s"}, after(soon, "wait=2s"), after(soon, ""),
	}},
	{Name: "timeouts before a connection comes about", Versions: []string{"deaf"}, HTTP: toV1(`"timeout": "0.2s"`), Policy: ejecting(`"baseEjectionTime": "60s", "maxEjectionPercent": 100`), Calls: []call{
		{}, after(soon, ""), after(soon, ""),
	}},
	{Name: "refused connections eject", Versions: []string{"refuses"}, HTTP: toV1(`"retries": {"attempts": 0}`), Policy: ejecting(`"baseEjectionTime": "60s", "maxEjectionPercent": 100`), Calls: []call{
		{}, after(soon, ""), after(soon, ""),
	}},
	{Name: "none of one is ten percent", HTTP: "{" + v1 + "}", Policy: ejecting(`"baseEjectionTime": "60s"`), Calls: []call{
		{Do: "status=503"}, after(soon, "status=503"), after(soon, "status=503"), after(soon, "status=503"), after(soon, ""),
	}},
	{Name: "half of two at the most", Versions: []string{"up", "twin"}, HTTP: "{" + toAny + "}", Policy: ejecting(`"baseEjectionTime": "60s", "maxEjectionPercent": 50`), Calls: []call{
		{Do: "status=503"}, after(soon, "status=503"), after(soon, "status=503"), after(soon, "status=503"), after(soon, "status=503"), after(soon, "status=503"), after(soon, ""), after(soon, ""),
	}},
	{Name: "the second of two is called for a second more", Versions: []string{"up", "twin"}, HTTP: "{" + toAny + "}", Policy: ejecting(`"baseEjectionTime": "60s", "maxEjectionPercent": 100`), Calls: []call{
		{Do: "status=503"}, after(soon, "status=503"), after(soon, "status=503"), after(soon, "status=503"), after(soon, "status=503"), after(300*time.Millisecond, "status=503"), after(1500*time.Millisecond, ""), after(soon, ""),
	}},
	{Name: "in panic all are called", Versions: []string{"up", "twin"}, HTTP: "{" + toAny + "}", Policy: ejecting(`"baseEjectionTime": "60s", "maxEjectionPercent": 100, "minHealthPercent": 60`), Calls: []call{
		{Do: "status=503"}, after(soon, "status=503"), after(soon, "status=503"), after(soon, ""), after(soon, ""), after(soon, ""), after(soon, ""),
	}},
	{Name: "gateway errors alone", HTTP: "{" + v1 + "}", Policy: `"trafficPolicy": {"outlierDetection": {"consecutive5xxErrors": 0, "consecutiveGatewayErrors": 2, "interval": "1s", "baseEjectionTime": "60s", "maxEjectionPercent": 100}}`, Calls: []call{
		{Do: "status=500"}, after(soon, "status=500"), after(soon, "status=500"), after(soon, "status=502"), after(soon, "status=504"), after(soon, ""),
	}},
}
