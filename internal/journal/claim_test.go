package journal

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/internal/rules"
)

func TestARunClaimsEachHostWhereItsServiceIs(t *testing.T) {
	var objects []*rules.Object
	for _, text := range []string{
		`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"b","namespace":"shop"},
		  "spec":{"hosts":["ratings","reviews.films.svc.cluster.local","*.films.svc.cluster.local","www.example.com"],"http":[{"route":[{"destination":{"host":"ratings"}}]}]}}`,
		`{"apiVersion":"networking.istio.io/v1","kind":"DestinationRule","metadata":{"name":"a","namespace":"shop"},"spec":{"host":"ratings"}}`,
		`{"apiVersion":"telemetry.istio.io/v1","kind":"Telemetry","metadata":{"name":"logs","namespace":"ingress"},"spec":{}}`,
		`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"c","namespace":"shop"},
		  "spec":{"hosts":["reviews.books.svc.cluster.local","ratings"],"gateways":["own"],"http":[{"route":[{"destination":{"host":"ratings"}}]}]}}`,
		`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"d","namespace":"shop"},
		  "spec":{"hosts":["www.example.org"],"gateways":["own","mesh"],"http":[{"route":[{"destination":{"host":"ratings"}}]}]}}`,
		`{"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":"own","namespace":"shop"},"spec":{}}`,
	} {
		o, err := rules.Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, o)
	}
	for gateway, want := range map[string][]Claim{
		"istio-system": {
			{"films", "*.films.svc.cluster.local"}, {"films", "reviews.films.svc.cluster.local"},
			{"ingress", "Telemetry/ingress/logs"},
			{"istio-system", "ratings.shop.svc.cluster.local"}, {"istio-system", "reviews.books.svc.cluster.local"}, {"istio-system", "www.example.org"},
			{"shop", "ratings.shop.svc.cluster.local"}, {"shop", "www.example.com"}, {"shop", "www.example.org"},
		},
		"": { // nobody knows where the gateway is
			{"books", "reviews.books.svc.cluster.local"},
			{"films", "*.films.svc.cluster.local"}, {"films", "reviews.films.svc.cluster.local"},
			{"ingress", "Telemetry/ingress/logs"},
			{"shop", "ratings.shop.svc.cluster.local"}, {"shop", "www.example.com"}, {"shop", "www.example.org"},
		},
	} {
		if diff := cmp.Diff(want, Claims(objects, "shop", gateway)); diff != "" {
			t.Errorf("with the gateway in %q (-want +got):\n%s", gateway, diff)
		}
	}
}
