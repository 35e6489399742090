package sidecar

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// The breaker of Istio's httpbin task.
const breaker11 = `{"host":"httpbin","trafficPolicy":{
	"connectionPool":{"tcp":{"maxConnections":1},"http":{"http1MaxPendingRequests":1,"maxRequestsPerConnection":1}},
	"outlierDetection":{"consecutiveGatewayErrors":1,"interval":"1s","baseEjectionTime":"180s","maxEjectionPercent":100}}}`

func httpbinStat(name string) string { return clusterStat("outbound|8000||httpbin", name) }

func TestABreakerAnswersOverflowAndCountsIt(t *testing.T) {
	const rounds = 10
	arrived, leave := make(chan bool), make(chan bool)
	h := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- true
		<-leave
	})
	m := startMesh(t, Options{Name: "client", Seed: seedWhere("client", 0, 0, 0)}, []Service{service("httpbin", 8000, false, endpoint("httpbin", "v1", h))},
		destinationRuleOf(t, "httpbin", breaker11))
	clients := []*http.Client{m.newClient(), m.newClient(), m.newClient()}
	statuses := make(chan int)
	call := func(c *http.Client) {
		g, err := get(c, "http://httpbin:8000/get")
		if err != nil {
			t.Error(err)
		}
		statuses <- g.status
	}
	for range rounds {
		// One is on the connection, one waits for it, and there is no place for a third.
		go call(clients[0])
		<-arrived
		go call(clients[1])
		until(t, "the second waits", func() bool { return m.stat(httpbinStat("upstream_rq_pending_active")) == 1 })
		g, err := get(clients[2], "http://httpbin:8000/get")
		if err != nil {
			t.Fatal(err)
		}
		if g.status != 503 || len(g.body) != 81 || g.body != "upstream connect error or disconnect/reset before headers. reset reason: overflow" ||
			joined(g.header, "X-Envoy-Overloaded") != "true" || joined(g.header, "Content-Type") != "text/plain" || m.lastFlags() != "UO overflow" {
			t.Errorf("got %d %q %v", g.status, g.body, g.header)
		}
		leave <- true
		<-arrived
		leave <- true
		if a, b := <-statuses, <-statuses; a != 200 || b != 200 {
			t.Errorf("the first two got %d and %d", a, b)
		}
	}
	for name, want := range map[string]int64{
		"upstream_rq_pending_overflow": rounds, "upstream_rq_503": rounds, "upstream_rq_5xx": rounds,
		"upstream_rq_pending_total": 2 * rounds, "upstream_rq_200": 2 * rounds, "upstream_rq_total": 2 * rounds,
		"upstream_cx_total": 2 * rounds, "upstream_cx_max_requests": 2 * rounds, "upstream_cx_overflow": rounds, "upstream_rq_retry": 0,
		"outlier_detection.ejections_active": 0, "outlier_detection.ejections_enforced_total": 0,
		"upstream_rq_pending_active": 0, "upstream_rq_active": 0, "upstream_cx_active": 0,
	} {
		if n := m.stat(httpbinStat(name)); n != want {
			t.Errorf("%s is %d, want %d", name, n, want)
		}
	}
}

// seedWhere is a seed by which the first connections of a proxy go to the given
// workers.
func seedWhere(name string, want ...uint64) uint64 {
	for seed := uint64(0); ; seed++ {
		d := newDraws(seed, name)
		if !slices.ContainsFunc(want, func(w uint64) bool { return d.below("workers", workers) != w }) {
			return seed
		}
	}
}

// Three calls of a while at once.
func TestLimitsQueueAndOverflowAsEnvoys(t *testing.T) {
	const while = 100 * time.Millisecond
	tests := []struct {
		name     string
		pool     string
		statuses string // sorted
		slowest  int    // in whiles
	}{
		{"maxConnections 1 alone queues", `{"tcp":{"maxConnections":1}}`, "[200 200 200]", 3},
		{"maxConnections and pending 1 refuse the third", `{"tcp":{"maxConnections":1},"http":{"http1MaxPendingRequests":1}}`, "[200 200 503]", 2},
		{"http2MaxRequests holds for HTTP/1 too", `{"http":{"http2MaxRequests":1}}`, "[200 503 503]", 1},
		{"no limits", `{}`, "[200 200 200]", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := serve(t, func(w http.ResponseWriter, r *http.Request) { <-time.After(while) })
			m := startMesh(t, Options{Name: "client", Seed: seedWhere("client", 0, 0, 0)}, []Service{service("httpbin", 8000, false, endpoint("httpbin", "v1", h))},
				destinationRuleOf(t, "httpbin", `{"host":"httpbin","trafficPolicy":{"connectionPool":`+tt.pool+`}}`))
			answers := make(chan got, 3)
			for i := range 3 {
				go func() {
					g, err := get(m.newClient(), "http://httpbin:8000/")
					if err != nil {
						t.Error(err)
					}
					answers <- g
				}()
				// One after the other, so that the queue's order is known.
				until(t, "the request has come in", func() bool { return m.stat("http.outbound_0.0.0.0_8000;.downstream_rq_total") == int64(i+1) })
			}
			var statuses []int
			var slowest time.Duration
			for range 3 {
				g := <-answers
				statuses = append(statuses, g.status)
				slowest = max(slowest, g.took)
			}
			slices.Sort(statuses)
			if text := fmt.Sprint(statuses); text != tt.statuses {
				t.Errorf("got %s, want %s", text, tt.statuses)
			}
			if at := time.Duration(tt.slowest) * while; slowest < at-while/2 || slowest > at+while {
				t.Errorf("the slowest took %v, want about %v", slowest, at)
			}
		})
	}
}

// A pool without a connection always gets one, whatever the limit: two workers
// with maxConnections 1 have two.
func TestAPoolWithoutAConnectionAlwaysGetsOne(t *testing.T) {
	arrived, leave := make(chan bool, 2), make(chan bool)
	h := serve(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- true
		<-leave
	})
	m := startMesh(t, Options{Name: "client", Seed: seedWhere("client", 0, 1)}, []Service{service("httpbin", 8000, false, endpoint("httpbin", "v1", h))},
		destinationRuleOf(t, "httpbin", `{"host":"httpbin","trafficPolicy":{"connectionPool":{"tcp":{"maxConnections":1}}}}`))
	var clients sync.WaitGroup
	for range 2 {
		clients.Go(func() {
			if _, err := get(m.newClient(), "http://httpbin:8000/"); err != nil {
				t.Error(err)
			}
		})
		<-arrived
	}
	if n := m.stat(httpbinStat("upstream_cx_active")); n != 2 {
		t.Errorf("%d connections are open", n)
	}
	if n := m.stat(httpbinStat("upstream_cx_overflow")); n != 1 {
		t.Errorf("upstream_cx_overflow is %d", n)
	}
	close(leave)
	clients.Wait()
}
