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
