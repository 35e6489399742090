// Package envoytest replays, in tests, what the admin interfaces of real Envoys
// answered.
//
// The captures are of Envoy 1.40.0 under Istio 1.31, in a namespace shop: the
// service web (HTTP, 8000) with the versions v1 and v2, other (HTTP, 8000, v1),
// unused (8088) and echo (TCP, 9000). They are cut down to these, and to the
// fields that tell something. The proxies are client, whose stats matcher keeps
// cluster.outbound and http.outbound, plain, a default sidecar, web-v1, which
// keeps cluster.inbound, and the ingress gateway.
//
// The moments, in the order in which they were taken:
//
//	norules   before any rule, and before any request
//	rules     with a VirtualService and a DestinationRule for web, and an 80/20 split of echo behind a Gateway's port 31400
//	load      after 255 requests to web, 8 of 24 aborted beside them, 9 delayed, and 50 connections to the gateway
//	breaker   with a DestinationRule for other: 1 connection, 1 pending request, ejection after one gateway error
//	overflow  after 30 more requests to other on three connections: 10 answers, 20 overflows
//	ejected   after 4 more, one 503 of the endpoint's and three of no healthy upstream
//	undone    one second after all rules were deleted
//	policies  the clusters alone, with a DestinationRule whose subsets have a policy each
//
// The package may import internal/envoy, and is imported by tests alone.
package envoytest

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync/atomic"
	"testing"

	"github.com/meshchaos/meshchaos/internal/envoy"
)

// Unlimited are the thresholds of a cluster without a connection pool's limits.
func Unlimited() envoy.Thresholds {
	return envoy.Thresholds{MaxConnections: envoy.NoLimit, MaxPendingRequests: envoy.NoLimit, MaxRequests: envoy.NoLimit, MaxRetries: envoy.NoLimit}
}

//go:embed captures
var captures embed.FS

// Envoy is the admin interface of one proxy as it was at some moment.
type Envoy struct {
	*envoy.Admin
	proxy  string
	moment atomic.Value // string
}

// Serve replays a proxy's answers at a moment, on loopback, until the test ends.
func Serve(t testing.TB, proxy, moment string) *Envoy {
	t.Helper()
	e := &Envoy{proxy: proxy}
	e.Show(moment)
	mux := http.NewServeMux()
	mux.HandleFunc("/clusters", func(w http.ResponseWriter, _ *http.Request) { e.answer(w, "clusters", "", nil) })
	mux.HandleFunc("/stats", func(w http.ResponseWriter, r *http.Request) {
		e.answer(w, "stats", "stats", func(name string) bool {
			return regexp.MustCompile(r.FormValue("filter")).MatchString(name)
		})
	})
	mux.HandleFunc("/stats/prometheus", func(http.ResponseWriter, *http.Request) {}) // Envoy without Istio's filters
	mux.HandleFunc("/config_dump", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("resource") == "dynamic_warming_clusters" { // none at any moment
			_, _ = w.Write([]byte("{}"))
			return
		}
		e.answer(w, r.FormValue("resource"), "configs", func(name string) bool {
			expr := r.FormValue("name_regex")
			return expr == "" || regexp.MustCompile("^(?:"+expr+")$").MatchString(name)
		})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	e.Admin = &envoy.Admin{Client: server.Client(), Base: server.URL}
	return e
}

// Show goes on to another moment.
func (e *Envoy) Show(moment string) { e.moment.Store(moment) }

// answer writes a captured file, of its list only the elements whose name is
// wanted: Envoy filters stats and dumps itself.
func (e *Envoy) answer(w http.ResponseWriter, file, list string, wanted func(string) bool) {
	body, err := captures.ReadFile(fmt.Sprintf("captures/%s/%s/%s.json", e.moment.Load(), e.proxy, file))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	if wanted != nil {
		var dump map[string][]json.RawMessage
		if err := json.Unmarshal(body, &dump); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		var kept []json.RawMessage
		for _, element := range dump[list] {
			if wanted(nameOf(element)) {
				kept = append(kept, element)
			}
		}
		body, _ = json.Marshal(map[string][]json.RawMessage{list: kept}) // it was JSON before
	}
	_, _ = w.Write(body) // a client that has gone is no concern of a replay
}

func nameOf(element json.RawMessage) string {
	var e struct {
		Name    string                `json:"name"`
		Route   struct{ Name string } `json:"route_config"`
		Cluster struct{ Name string } `json:"cluster"`
	}
	if json.Unmarshal(element, &e) != nil {
		return ""
	}
	return e.Name + e.Route.Name + e.Cluster.Name
}
