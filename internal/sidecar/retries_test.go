package sidecar

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// unavailableFirst answers the first n requests with what Istio's default policy
// retries on, then with the body that it was sent.
func unavailableFirst(n int64) http.HandlerFunc {
	var calls atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if calls.Add(1) <= n {
			w.Header().Set("Grpc-Status", "14")
			return
		}
		fmt.Fprintf(w, "%s, attempt %s, %v", body, r.Header.Get("X-Envoy-Attempt-Count"), err)
	}
}

func web(t testing.TB, handlers ...http.HandlerFunc) []config.Service {
	service := sidecartest.Service("web", 8000, false)
	for i, h := range handlers {
		service.Ports[0].Endpoints = append(service.Ports[0].Endpoints, sidecartest.Endpoint("web", fmt.Sprint("v", i+1), sidecartest.Serve(t, h)))
	}
	return []config.Service{service}
}

func (m *mesh) wantStats(t *testing.T, want map[string]int64) {
	t.Helper()
	for stat, n := range want {
		if got := m.stat(sidecartest.ClusterStat("outbound|8000||web", stat)); got != n {
			t.Errorf("%s is %d, want %d", stat, got, n)
		}
	}
}

// Retries are counted as Envoy counts them: the answers that were dropped on
// their own, the last as an answer, and a success where the last needs no other.
func TestRetriesAreCountedAsEnvoys(t *testing.T) {
	m := startMesh(t, Options{}, web(t, unavailableFirst(2)))
	resp, err := m.client.Post("http://web:8000/", "text/plain", strings.NewReader("a body"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "a body, attempt 3, <nil>" {
		t.Errorf("got %q, %v", body, err)
	}
	m.wantStats(t, map[string]int64{
		"upstream_rq_total": 3, "upstream_rq_completed": 1, "upstream_rq_200": 1, "retry.upstream_rq_200": 2, "retry.upstream_rq_completed": 2,
		"upstream_rq_retry": 2, "upstream_rq_retry_success": 1, "upstream_rq_retry_limit_exceeded": 0, "upstream_rq_retry_backoff_exponential": 2,
		"upstream_cx_total": 1, // An answer without a body leaves the connection as it was.
	})
	if h := m.Snapshot().Clusters[0].Hosts[0]; h.RqTotal != 3 || h.RqSuccess != 1 || h.RqError != 2 {
		t.Errorf("the host has %d requests, %d successes, %d errors", h.RqTotal, h.RqSuccess, h.RqError)
	}
	if got := m.lastFlags(); got != "- via_upstream" || len(m.lines.all()) != 1 {
		t.Errorf("%d lines, the last with %s", len(m.lines.all()), got)
	}
}

// The last answer is the client's when no retry is left, and says so.
func TestTheLastAnswerStandsWhenRetriesAreUsedUp(t *testing.T) {
	m := startMesh(t, Options{}, web(t, unavailableFirst(100)))
	if g := m.get("http://web:8000/"); g.Status != 200 || g.Header.Get("Grpc-Status") != "14" {
		t.Errorf("got %d %v", g.Status, g.Header)
	}
	m.wantStats(t, map[string]int64{"upstream_rq_total": 3, "upstream_rq_retry": 2, "upstream_rq_retry_success": 0, "upstream_rq_retry_limit_exceeded": 1})
	if got := m.lastFlags(); got != "URX via_upstream" {
		t.Errorf("flags %s", got)
	}
}

// A retry counts for the cluster's limit of retries until its attempt has ended,
// not only while it waits.
func TestARetryIsALimitedResourceUntilItsAttemptEnds(t *testing.T) {
	held, free := make(chan bool), make(chan bool)
	var calls atomic.Int64
	m := startMesh(t, Options{}, web(t, func(w http.ResponseWriter, r *http.Request) {
		if n := calls.Add(1); n == 2 {
			held <- true
			<-free
			return
		}
		w.Header().Set("Grpc-Status", "14")
	}), sidecartest.DestinationRule(t, "web", `{"host":"web","trafficPolicy":{"connectionPool":{"http":{"maxRetries":1}}}}`))
	done := make(chan sidecartest.Answer)
	go func() {
		g, _ := sidecartest.Get(m.newClient(), "http://web:8000/first")
		done <- g
	}()
	<-held
	if g := m.get("http://web:8000/second"); g.Header.Get("Grpc-Status") != "14" {
		t.Errorf("the second request was retried: %v", g)
	}
	if got := m.lastFlags(); got != "UO via_upstream" {
		t.Errorf("flags of the second: %s", got)
	}
	close(free)
	if g := <-done; g.Status != 200 || g.Header.Get("Grpc-Status") != "" {
		t.Errorf("the first request got %v", g)
	}
	m.wantStats(t, map[string]int64{"upstream_rq_retry": 1, "upstream_rq_retry_overflow": 1, "upstream_rq_retry_success": 1})
}

// A body that is too long to be kept is sent once, as it comes.
func TestABodyThatIsTooLongToKeepIsSentOnce(t *testing.T) {
	m := startMesh(t, Options{}, web(t, unavailableFirst(100)))
	resp, err := m.client.Post("http://web:8000/", "text/plain", strings.NewReader(strings.Repeat("x", keptBody+1)))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	m.wantStats(t, map[string]int64{"upstream_rq_total": 1, "upstream_rq_retry": 0, "retry_or_shadow_abandoned": 1})
	if got := m.lastFlags(); got != "- via_upstream" {
		t.Errorf("flags %s", got)
	}
}

// A host that answers before it has read the request does not lose the next its
// body.
func TestARetrySendsWhatTheAttemptBeforeHadRead(t *testing.T) {
	echo := unavailableFirst(0)
	var calls atomic.Int64
	m := startMesh(t, Options{}, web(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			w.Header().Set("Grpc-Status", "14")
			return // What comes of the body is not read.
		}
		echo(w, r)
	}))
	body, client := io.Pipe()
	go func() {
		for i := range 20 {
			fmt.Fprint(client, i, " ")
		}
		client.Close()
	}()
	resp, err := m.client.Post("http://web:8000/", "text/plain", body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || string(got) != "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 , attempt 2, <nil>" {
		t.Errorf("got %q, %v", got, err)
	}
}

// Each pause is drawn from an interval that doubles up to ten times the first.
func TestPausesDouble(t *testing.T) {
	policy := config.DefaultRetries()
	c := &cluster{stats: newClusterStats(newStats(), "c")}
	r := retries{policy: policy, interval: policy.BackOff}
	var got []time.Duration
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 6 {
		got = append(got, r.interval/time.Millisecond)
		r.pause(ended, newDraws(1, "p"), c)
	}
	if fmt.Sprint(got) != fmt.Sprint([]time.Duration{25, 50, 100, 200, 250, 250}) {
		t.Errorf("intervals %d ms", got)
	}
}

// What a route's retries ask for, and what a call then comes to.
func TestRetriesOfARoute(t *testing.T) {
	status := func(n int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(n) }
	}
	slow := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
	}
	hangUp := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for _, tt := range []struct {
		name    string
		retries string
		handler http.HandlerFunc
		total   int64 // attempts that had a connection
		status  int
		flags   string
	}{
		{"none by default for a status", `null`, status(503), 1, 503, "- via_upstream"},
		{"a status of 5xx", `{"attempts":3,"retryOn":"5xx"}`, status(500), 4, 500, "URX via_upstream"},
		{"a status above", `{"attempts":3,"retryOn":"5xx"}`, status(600), 1, 600, "- via_upstream"},
		{"a status below", `{"attempts":3,"retryOn":"5xx"}`, status(404), 1, 404, "- via_upstream"},
		{"a gateway error", `{"attempts":1,"retryOn":"gateway-error"}`, status(504), 2, 504, "URX via_upstream"},
		{"an error that is none of a gateway", `{"attempts":1,"retryOn":"gateway-error"}`, status(500), 1, 500, "- via_upstream"},
		{"a status by its number", `{"attempts":2,"retryOn":"connect-failure,429"}`, status(429), 3, 429, "URX via_upstream"},
		{"a conflict", `{"attempts":1,"retryOn":"retriable-4xx"}`, status(409), 2, 409, "URX via_upstream"},
		{"switched off", `{"attempts":0}`, status(503), 1, 503, "- via_upstream"},
		{"a host that hangs up", `{"attempts":2,"retryOn":"reset"}`, hangUp, 3, 503, "URX,UC upstream_reset_before_response_started{connection_termination}"},
		{"a host that hangs up, which the default passes on", `{"attempts":2}`, hangUp, 1, 503, "UC upstream_reset_before_response_started{connection_termination}"},
		{"a host that hangs up on what was sent", `{"attempts":2,"retryOn":"reset-before-request"}`, hangUp, 1, 503, "UC upstream_reset_before_response_started{connection_termination}"},
		{"an attempt that takes too long", `{"attempts":2,"perTryTimeout":"0.2s","retryOn":"reset"}`, slow, 3, 504, "URX,UT upstream_per_try_timeout"},
		{"an attempt that takes too long, which nothing retries", `{"attempts":2,"perTryTimeout":"0.2s"}`, slow, 1, 504, "UT upstream_per_try_timeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := startMesh(t, Options{}, web(t, tt.handler), sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"retries":`+tt.retries+`,"route":[{"destination":{"host":"web"}}]}]}`))
			if g := m.get("http://web:8000/"); g.Status != tt.status {
				t.Errorf("got %d %s", g.Status, g.Body)
			}
			m.wantStats(t, map[string]int64{"upstream_rq_total": tt.total, "upstream_rq_retry": tt.total - 1})
			if got := m.lastFlags(); got != tt.flags {
				t.Errorf("flags %s, want %s", got, tt.flags)
			}
		})
	}
}

// An attempt that timed out counts for the host, as an answer 504 would.
func TestAnAttemptThatTakesTooLongCountsAgainstItsHost(t *testing.T) {
	m := startMesh(t, Options{}, web(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
		sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"retries":{"attempts":2,"perTryTimeout":"0.2s","retryOn":"5xx"},"route":[{"destination":{"host":"web"}}]}]}`),
		sidecartest.DestinationRule(t, "web", `{"host":"web","trafficPolicy":{"outlierDetection":{"consecutiveGatewayErrors":3,"maxEjectionPercent":100}}}`))
	if g := m.get("http://web:8000/"); g.Status != 504 || g.Body != "upstream request timeout" {
		t.Errorf("got %d %s", g.Status, g.Body)
	}
	m.wantStats(t, map[string]int64{"upstream_rq_per_try_timeout": 3, "upstream_rq_timeout": 0, "outlier_detection.ejections_active": 1})
	if h := m.Snapshot().Clusters[0].Hosts[0]; h.RqTimeout != 3 || h.RqError != 3 {
		t.Errorf("the host has %d timeouts, %d errors", h.RqTimeout, h.RqError)
	}
}

// The timeout of the route holds for all attempts and pauses, and a perTryTimeout
// that is not below it is none.
func TestTheTimeoutIsOfAllAttempts(t *testing.T) {
	m := startMesh(t, Options{}, web(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
		sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[
			{"match":[{"uri":{"exact":"/attempts"}}],"timeout":"0.1s","retries":{"attempts":100,"perTryTimeout":"0.02s","retryOn":"5xx"},"route":[{"destination":{"host":"web"}}]},
			{"timeout":"0.3s","retries":{"attempts":100,"perTryTimeout":"0.3s","retryOn":"5xx"},"route":[{"destination":{"host":"web"}}]}]}`))
	g := m.get("http://web:8000/attempts")
	if got := m.lastFlags(); g.Status != 504 || g.Took < 100*time.Millisecond || got != "UT response_timeout" {
		t.Errorf("got %d after %s, %s", g.Status, g.Took, got)
	}
	m.wantStats(t, map[string]int64{"upstream_rq_retry_limit_exceeded": 0})
	before := m.stat(sidecartest.ClusterStat("outbound|8000||web", "upstream_rq_total"))
	m.get("http://web:8000/")
	m.wantStats(t, map[string]int64{"upstream_rq_total": before + 1})
}

// A retry prefers a host that was not tried, unless the route says otherwise.
func TestARetryPrefersAnotherHost(t *testing.T) {
	bad := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }
	for retries, want := range map[string]bool{
		`{"attempts":1,"retryOn":"5xx"}`:                                  true,
		`{"attempts":1,"retryOn":"5xx","retryIgnorePreviousHosts":false}`: false,
	} {
		m := startMesh(t, Options{}, web(t, bad, sidecartest.Answering("hello")),
			sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"retries":`+retries+`,"route":[{"destination":{"host":"web"}}]}]}`),
			sidecartest.DestinationRule(t, "web", `{"host":"web","trafficPolicy":{"loadBalancer":{"simple":"RANDOM"}}}`))
		answered := 0
		for range 40 {
			if m.get("http://web:8000/").Status == 200 {
				answered++
			}
		}
		if (answered >= 38) != want { // One in 64 retries finds no other, as six draws may be the same.
			t.Errorf("%s: %d of 40 were answered", retries, answered)
		}
	}
}

// A retry of a request that a header binds stays with its host, as Istio has it on a
// route to one destination, unless the route says otherwise.
func TestARetryStaysWhereAHeaderBindsIt(t *testing.T) {
	bad := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }
	bound := sidecartest.DestinationRule(t, "web", `{"host":"web","trafficPolicy":{"loadBalancer":{"consistentHash":{"httpHeaderName":"x-user"}}}}`)
	const one, weighted = `[{"destination":{"host":"web"}}]`, `[{"destination":{"host":"web"},"weight":100},{"destination":{"host":"web","subset":"v9"},"weight":0}]`
	for _, row := range []struct {
		entry string
		stays bool
	}{
		{`"retries":{"attempts":1,"retryOn":"5xx"},"route":` + one, true},
		{`"retries":{"attempts":1,"retryOn":"5xx","retryIgnorePreviousHosts":true},"route":` + one, false},
		{`"retries":{"attempts":1,"retryOn":"5xx"},"route":` + weighted, false},
	} {
		m := startMesh(t, Options{}, web(t, bad, bad), bound, sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{`+row.entry+`}]}`))
		first := func() int64 { return m.Snapshot().Clusters[0].Hosts[0].RqTotal }
		moved := 0 // One in 32 retries meets no other in five places of the ring.
		for i := range 12 {
			before := first()
			m.get("http://web:8000/", "x-user", fmt.Sprint("user", i))
			if first()-before == 1 {
				moved++
			}
		}
		if row.stays && moved > 0 || !row.stays && moved < 8 {
			t.Errorf("%s: %d of 12 retries went elsewhere", row.entry, moved)
		}
	}
}

// The policy in force stands in the configuration that the admin interface shows.
func TestRetriesAreDumpedAsEnvoys(t *testing.T) {
	for in, want := range map[string]string{
		`null`: `{"host_selection_retry_max_attempts":"5","num_retries":2,"retry_host_predicate":[{"name":"envoy.retry_host_predicates.previous_hosts","typed_config":{"@type":"type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"}}],"retry_on":"connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"}`,
		`{"attempts":3,"perTryTimeout":"2s","retryOn":"reset,503","backoff":"0.1s","retryIgnorePreviousHosts":false}`: `{"host_selection_retry_max_attempts":"5","num_retries":3,"per_try_timeout":"2s","retriable_status_codes":[503],"retry_back_off":{"base_interval":"0.100s"},"retry_on":"reset,retriable-status-codes"}`,
	} {
		m := startMesh(t, Options{}, web(t), sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"retries":`+in+`,"route":[{"destination":{"host":"web"}}]}]}`))
		if got := m.dumped(t, "retry_policy"); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
}
