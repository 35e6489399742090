package mutate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/mutate"
)

const load = `
load:
  client: {get: "http://httpbin:8000/get", connections: 12, requests: 12}
expect:
  - client.status[200] == client.sent
`

func ids(all []mutate.Mutant) []string {
	var ids []string
	for _, m := range all {
		ids = append(ids, m.ID)
	}
	return ids
}

func TestEachRuleHasItsMutants(t *testing.T) {
	for name, c := range map[string]struct {
		spec string
		want []string
	}{
		"a delay": {"apply:\n  - fault: {service: httpbin, delay: 400ms, percent: 80%}" + load, []string{
			"apply[0]/dropped", "apply[0]/delay-halved", "apply[0]/delay-doubled", "apply[0]/delay-percentage-halved", "apply[0]/also-httpbin-slow", "apply[0]/also-503",
		}},
		"an abort for some": {"apply:\n  - fault: {service: httpbin, when: {x: y}, abort: 503}" + load, []string{
			"apply[0]/dropped", "apply[0]/match-dropped", "apply[0]/x-any", "apply[0]/x-any-case",
			"apply[0]/abort-percentage-halved", "apply[0]/abort-500", "apply[0]/also-httpbin-slow", "apply[0]/also-500",
		}},
		"a timeout": {"apply:\n  - timeout: {service: httpbin, after: 1s}" + load, []string{
			"apply[0]/dropped", "apply[0]/timeout-halved", "apply[0]/timeout-doubled",
		}},
		"a breaker": {"apply:\n  - breaker: {service: httpbin, maxConnections: 3, consecutive5xxErrors: 5}" + load, []string{
			"apply[0]/dropped", "apply[0]/maxConnections-x10", "apply[0]/ejection-off",
		}},
		"TLS of a gateway": {`apply:
  - apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: shop}
    spec:
      selector: {istio: ingressgateway}
      servers:
        - port: {number: 443, name: https, protocol: HTTPS}
          hosts: [shop.example]
          tls: {mode: MUTUAL, credentialName: shop}
        - port: {number: 8443, name: other, protocol: HTTPS}
          hosts: [shop.example]
          tls: {mode: SIMPLE, credentialName: shop}` + load, []string{
			"apply[0]/dropped", "apply[0]/not-mutual-443", "apply[0]/another-credential-443", "apply[0]/mutual-8443", "apply[0]/another-credential-8443",
		}},
		"ejection alone, which leaves no policy": {"apply:\n  - breaker: {service: httpbin, consecutive5xxErrors: 5}" + load, []string{"apply[0]/dropped"}},
		"ejection of a port and of a subset": {`apply:
  - apiVersion: networking.istio.io/v1
    kind: DestinationRule
    metadata: {name: httpbin}
    spec:
      host: httpbin
      trafficPolicy: {portLevelSettings: [{port: {number: 8000}, outlierDetection: {consecutive5xxErrors: 3}}]}
      subsets: [{name: v1, labels: {version: v1}, trafficPolicy: {outlierDetection: {consecutive5xxErrors: 3}}}]
  - timeout: {service: httpbin, after: 1s}` + load, []string{"apply[0]/dropped", "apply[1]/dropped", "apply[1]/timeout-halved", "apply[1]/timeout-doubled"}},
		"an object with two entries": {`apply:
  - apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: httpbin}
    spec:
      hosts: [httpbin]
      http:
        - match: [{uri: {exact: /get}}]
          timeout: 1s
          retries: {attempts: 2, perTryTimeout: 300ms}
          route: [{destination: {host: httpbin}}]
        - timeout: 2s
          route: [{destination: {host: httpbin}}]` + load, []string{
			"apply[0]/dropped", "apply[0]/match-dropped", "apply[0]/path-widened",
			"apply[0]/http[0]/timeout-halved", "apply[0]/http[0]/timeout-doubled", "apply[0]/http[1]/timeout-halved", "apply[0]/http[1]/timeout-doubled",
			"apply[0]/retries-off", "apply[0]/retries-one-more",
		}},
		"all that a match may ask for": {`apply:
  - apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: httpbin}
    spec:
      hosts: [httpbin]
      http:
        - match:
            - {uri: {prefix: /get}, method: {exact: GET}, authority: {exact: httpbin}, queryParams: {page: {exact: "1"}}}
            - {withoutHeaders: {x: {}}, sourceLabels: {version: v1}, port: 8000, headers: {y: {regex: a|b}, z: {}}}
          timeout: 1s
          route: [{destination: {host: httpbin}}]` + load, []string{
			"apply[0]/dropped", "apply[0]/match-dropped", "apply[0]/path-any", "apply[0]/method-any", "apply[0]/authority-any", "apply[0]/query-page-any",
			"apply[0]/y-any", "apply[0]/port-any", "apply[0]/source-any", "apply[0]/without-x-any", "apply[0]/timeout-halved", "apply[0]/timeout-doubled",
		}},
		"entries of an object, each by itself": {`apply:
  - apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: httpbin}
    spec:
      hosts: [httpbin]
      http:
        - {match: [{headers: {x: {exact: a}}}], timeout: 1s, route: [{destination: {host: httpbin}}]}
        - {match: [{headers: {x: {exact: b}}}], timeout: 2s, route: [{destination: {host: httpbin}}]}` + load, []string{
			"apply[0]/dropped", "apply[0]/http[0]/match-dropped", "apply[0]/http[0]/x-any", "apply[0]/http[0]/x-any-case", "apply[0]/http[1]/match-dropped", "apply[0]/http[1]/x-any", "apply[0]/http[1]/x-any-case",
			"apply[0]/http[0]/timeout-halved", "apply[0]/http[0]/timeout-doubled", "apply[0]/http[1]/timeout-halved", "apply[0]/http[1]/timeout-doubled",
		}},
		"a match of connections": {`app: tcp-echo
given:
  - apiVersion: networking.istio.io/v1
    kind: DestinationRule
    metadata: {name: tcp-echo}
    spec: {host: tcp-echo, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
apply:
  - apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: tcp-echo}
    spec:
      hosts: [tcp-echo]
      tcp:
        - {match: [{port: 9001}], route: [{destination: {host: tcp-echo, subset: v2}}]}
        - {route: [{destination: {host: tcp-echo, subset: v1}}]}
load:
  callers: {tcp: "tcp-echo:9001", lines: [hello], requests: 12}
expect:
  - callers.errors == 0`, []string{
			"given[0]/dropped", "apply[0]/dropped", "apply[0]/match-dropped", "apply[0]/to-v1", "apply[0]/tenth-to-v1", "apply[0]/to-v2", "apply[0]/tenth-to-v2",
		}},
		"limits of subsets and of ports": {`apply:
  - apiVersion: networking.istio.io/v1
    kind: DestinationRule
    metadata: {name: httpbin}
    spec:
      host: httpbin
      trafficPolicy:
        connectionPool: {http: {maxRetries: 1}}
        portLevelSettings:
          - port: {number: 8000}
            loadBalancer: {simple: RANDOM}
            connectionPool: {tcp: {maxConnections: 3}}
            outlierDetection: {consecutive5xxErrors: 3}
      subsets:
        - {name: v1, labels: {version: v1}, trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1}}}}
        - {name: v2, labels: {version: v2}, trafficPolicy: {connectionPool: {tcp: {maxConnections: 2}, http: {http1MaxPendingRequests: 1}}}}` + load, []string{
			"apply[0]/dropped", "apply[0]/port[8000]/balancer-round-robin",
			"apply[0]/port[8000]/maxConnections-x10", "apply[0]/v1/maxConnections-x10", "apply[0]/v2/maxConnections-x10",
			"apply[0]/http1MaxPendingRequests-x10", "apply[0]/maxRetries-x10", "apply[0]/ejection-off",
		}},
		"a fault beside a rule that comes after it": {`app: bookinfo
apply:
  - fault: {service: ratings, delay: 1s}
  - apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: reviews}
    spec: {hosts: [reviews], http: [{timeout: 5s, route: [{destination: {host: reviews}}]}]}
load:
  pages: {get: "http://productpage:9080/productpage", requests: 12}
expect:
  - pages.status[200] == pages.sent`, []string{
			"apply[0]/dropped", "apply[0]/delay-halved", "apply[0]/delay-doubled", "apply[0]/delay-percentage-halved",
			"apply[0]/also-productpage", "apply[0]/also-details", "apply[0]/also-reviews", "apply[0]/also-503",
			"apply[1]/dropped", "apply[1]/timeout-halved", "apply[1]/timeout-doubled",
		}},
		"three weights": {`app: bookinfo
apply:
  - route: {service: reviews, to: {v1: 70, v2: 20, v3: 10}}
load:
  direct: {get: "http://reviews:9080/reviews/1", requests: 12}
expect:
  - direct.status[200] == direct.sent`, []string{
			"apply[0]/dropped", "apply[0]/v1-to-v2", "apply[0]/v1-to-v3", "apply[0]/v2-to-v1", "apply[0]/v2-to-v3", "apply[0]/v3-to-v1", "apply[0]/v3-to-v2",
			"apply[0]/weights-moved", "apply[0]/weights-moved-back", "apply[0]/weights-swapped",
			"apply[0]/route[1]/weights-moved", // back is v3-to-v2
		}},
		"versions": {`app: bookinfo
apply:
  - route: {service: reviews, to: {v1: 90, v2: 10}}
load:
  direct: {get: "http://reviews:9080/reviews/1", requests: 12}
expect:
  - direct.status[200] == direct.sent`, []string{
			"apply[0]/dropped", "apply[0]/v1-to-v2", "apply[0]/v1-to-v3", "apply[0]/v2-to-v1", "apply[0]/v2-to-v3",
			"apply[0]/weights-moved", "apply[0]/weights-swapped", // back is v2-to-v1
		}},
		"a version": {`app: bookinfo
given:
  - route: {service: [details, productpage], to: v1} # which have no other
apply:
  - route: {service: reviews, to: v3}
load:
  direct: {get: "http://reviews:9080/reviews/1", requests: 12}
expect:
  - direct.status[200] == direct.sent`, []string{
			"apply[0]/dropped", "apply[0]/to-v1", "apply[0]/tenth-to-v1", "apply[0]/to-v2", "apply[0]/direct-to-v1",
		}},
		"steps": {`steps:
  - name: one
    apply:
      - fault: {service: httpbin, delay: 1s}
    load: {client: {get: "http://httpbin:8000/get", requests: 12}}
    expect: [client.min > 900ms]
  - name: two
    apply:
      - fault: {service: httpbin, when: {x: y}, delay: 2s}
    load: {client: {get: "http://httpbin:8000/get", requests: 12}}
    expect: [client.min > 900ms]`, []string{
			"one/apply[0]/dropped", "one/apply[0]/delay-halved", "one/apply[0]/delay-doubled", "one/apply[0]/delay-percentage-halved", "one/apply[0]/also-httpbin-slow", "one/apply[0]/also-503",
			"two/apply[0]/dropped", "two/apply[0]/match-dropped", "two/apply[0]/x-any", "two/apply[0]/x-any-case",
			"two/apply[0]/delay-halved", "two/apply[0]/delay-doubled", "two/apply[0]/delay-percentage-halved", "two/apply[0]/also-httpbin-slow", "two/apply[0]/also-503",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := mutate.Of(read(t, c.spec))
			if err != nil {
				t.Fatal(err)
			}
			if got := ids(all); !slices.Equal(got, c.want) {
				t.Errorf("the mutants are\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}
