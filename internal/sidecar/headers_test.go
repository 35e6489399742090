package sidecar

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// telling is a workload that says which of the headers x-a … x-d, and which host,
// came to it, and answers with some itself.
func telling(w http.ResponseWriter, r *http.Request) {
	w.Header()["X-A"] = []string{"host"}
	w.Header()["X-B"] = []string{"host"}
	for _, name := range []string{"X-A", "X-B", "X-C", "X-D"} {
		if values, ok := r.Header[name]; ok {
			fmt.Fprintf(w, "%s=%s ", name, strings.Join(values, ","))
		}
	}
	fmt.Fprint(w, "host="+r.Host)
}

func TestHeadersOfARoute(t *testing.T) {
	sole := func(headers, destination string) string {
		return headers + `"route":[{"destination":{"host":"web"},"headers":` + destination + `}]`
	}
	weighted := func(headers, destination string) string {
		return headers + `"route":[{"destination":{"host":"web"},"weight":1,"headers":` + destination + `},{"destination":{"host":"none"},"weight":0,"headers":{"request":{"set":{"x-a":"none"}}}}]`
	}
	for _, tt := range []struct {
		name, entry string
		body        string            // what came to the host
		answer      map[string]string // what came to the client
	}{
		{"nothing", sole(``, `{}`), "X-A=client X-B=client host=web:8000", map[string]string{"X-A": "host", "X-B": "host"}},
		{"of requests", sole(`"headers":{"request":{"set":{"x-a":"set"},"add":{"x-b":"added","x-c":"100%%"},"remove":["x-d","user-agent"]}},`, `{}`),
			"X-A=set X-B=client,added X-C=100% host=web:8000", map[string]string{"X-A": "host"}},
		{"of answers", sole(`"headers":{"response":{"set":{"X-A":"set","server":"mine"},"add":{"x-b":"added"},"remove":["content-type","x-none"]}},`, `{}`),
			"X-A=client X-B=client host=web:8000", map[string]string{"X-A": "set", "X-B": "host,added", "Server": "envoy", "Content-Type": ""}},
		{"removed, then added", sole(`"headers":{"request":{"add":{"x-a":"added"},"remove":["x-a"]}},`, `{}`), "X-A=added X-B=client host=web:8000", nil},
		{"of an empty value", sole(`"headers":{"request":{"set":{"x-a":""}}},`, `{}`), "X-A=client X-B=client host=web:8000", nil},
		{"of a sole destination", sole(`"headers":{"request":{"set":{"x-a":"entry"},"add":{"x-c":"entry"}}},`, `{"request":{"set":{"x-a":"destination","x-c":"destination"}},"response":{"remove":["x-a"]}}`),
			"X-A=destination X-B=client X-C=destination,entry host=web:8000", map[string]string{"X-A": ""}},
		{"of a weighted destination, before the entry's", weighted(`"headers":{"request":{"set":{"x-a":"entry"},"add":{"x-c":"entry"}}},`, `{"request":{"set":{"x-a":"destination","x-c":"destination"}},"response":{"set":{"x-b":"destination"}}}`),
			"X-A=entry X-B=client X-C=destination,entry host=web:8000", map[string]string{"X-B": "destination"}},
		{"the host", sole(`"headers":{"request":{"set":{"host":"other.example"}}},`, `{"request":{"set":{":authority":"third.example"}}}`), "X-A=client X-B=client host=other.example", nil},
		{"the host of a destination", weighted(``, `{"request":{"set":{"Host":"third.example"}}}`), "X-A=client X-B=client host=third.example", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := startMesh(t, Options{}, web(t, telling), sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{`+tt.entry+`}]}`))
			g := m.get("http://web:8000/", "X-A", "client", "X-B", "client")
			if g.Body != tt.body {
				t.Errorf("to the host came %q, want %q", g.Body, tt.body)
			}
			for name, want := range tt.answer {
				if got := joinedValues(g.Header, name); got != want {
					t.Errorf("%s of the answer is %q, want %q", name, got, want)
				}
			}
			if entries := m.lines.all(); entries[0].authority != tt.body[strings.Index(tt.body, "host=")+len("host="):] {
				t.Errorf("the log has the authority %q", entries[0].authority)
			}
		})
	}
}

// What a destination changes holds for the requests that are drawn for it.
func TestHeadersOfTheDestinationThatIsDrawn(t *testing.T) {
	m := startMesh(t, Options{}, web(t, telling), sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"route":[
		{"destination":{"host":"web"},"weight":50,"headers":{"request":{"set":{"x-a":"one"}},"response":{"set":{"x-a":"one"}}}},
		{"destination":{"host":"none"},"weight":0,"headers":{"request":{"set":{"x-a":"two"}}}},
		{"destination":{"host":"web"},"weight":50,"headers":{"request":{"set":{"x-a":"three"}},"response":{"set":{"x-a":"three"}}}}]}]}`))
	seen := map[string]int{}
	for range 40 {
		g := m.get("http://web:8000/")
		seen[g.Body+" "+joinedValues(g.Header, "X-A")]++
	}
	if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, []string{"X-A=one host=web:8000 one", "X-A=three host=web:8000 three"}) {
		t.Errorf("got %v", seen)
	}
}

// An answer of the proxy's own has the route's headers too; the request that it
// answers is not changed.
func TestHeadersOfTheProxysOwnAnswers(t *testing.T) {
	m := startMesh(t, Options{}, web(t), sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{
		"match":[{"uri":{"exact":"/abort"}}],"fault":{"abort":{"httpStatus":418,"percentage":{"value":100}}},
		"headers":{"request":{"set":{"host":"other"}},"response":{"add":{"x-a":"added"}}},"route":[{"destination":{"host":"web"}}]},
		{"headers":{"response":{"add":{"x-a":"added"},"remove":["content-type"]}},"route":[{"destination":{"host":"web"}}]}]}`))
	if g := m.get("http://web:8000/abort"); g.Status != 418 || joinedValues(g.Header, "X-A") != "added" || g.Body != "fault filter abort" {
		t.Errorf("got %d %q %v", g.Status, g.Body, g.Header)
	}
	if got := m.lines.all()[0].authority; got != "web:8000" {
		t.Errorf("the aborted request has the host %q", got)
	}
	if g := m.get("http://web:8000/"); g.Status != 503 || joinedValues(g.Header, "X-A") != "added" || g.Header.Get("Content-Type") != "text/plain" {
		t.Errorf("got %d %v", g.Status, g.Header)
	}
}

func TestHeadersThatEnvoyComputesAreRefused(t *testing.T) {
	for headers, path := range map[string]string{
		`{"response":{"add":{"x-a":"%START_TIME%"}}}`:     "spec.http[0].headers.response.add[x-a]",
		`{"request":{"set":{"x-envoy-retry-on":"5xx"}}}`:  "spec.http[0].headers.request.set[x-envoy-retry-on]",
		`{"request":{"add":{"X-Envoy-Max-Retries":"1"}}}`: "spec.http[0].headers.request.add[X-Envoy-Max-Retries]",
		`{"request":{"add":{"x-a":"50%% of %HOST% %%"}}}`: "spec.http[0].headers.request.add[x-a]",
	} {
		_, err := Compile(config.Mesh{Services: web(t)}, []*rules.Object{sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"headers":`+headers+`,"route":[{"destination":{"host":"web"}}]}]}`)})
		var unsupported *config.UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Path != path {
			t.Errorf("%s: %v", headers, err)
		}
	}
}

func TestHeadersAreDumpedAsEnvoys(t *testing.T) {
	h := &headers{config.RouteHeaders(sidecartest.HTTPRoute(t, `{"headers":{"request":{"set":{"x-a":"50%%","host":"other"}},"response":{"remove":["x-b"]}},"route":[
		{"destination":{"host":"web"},"weight":1,"headers":{"response":{"add":{"x-c":"1"}}}},{"destination":{"host":"web"},"weight":1}]}`))}
	route := config.Object{"route": config.Object{"weighted_clusters": config.Object{"clusters": []config.Object{{"name": "one"}, {"name": "two"}}}}}
	h.Dump(route)
	const want = `{"request_headers_to_add":[{"append_action":"OVERWRITE_IF_EXISTS_OR_ADD","header":{"key":"x-a","value":"50%%"}}],"response_headers_to_remove":["x-b"],` +
		`"route":{"host_rewrite_literal":"other","weighted_clusters":{"clusters":[{"name":"one","response_headers_to_add":[{"header":{"key":"x-c","value":"1"}}]},{"name":"two"}]}}}`
	if got, err := json.Marshal(route); err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}
