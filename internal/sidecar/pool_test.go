package sidecar

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// The breaker of Istio's httpbin task.
const breaker11 = `{"host":"httpbin","trafficPolicy":{
	"connectionPool":{"tcp":{"maxConnections":1},"http":{"http1MaxPendingRequests":1,"maxRequestsPerConnection":1}},
	"outlierDetection":{"consecutiveGatewayErrors":1,"interval":"1s","baseEjectionTime":"180s","maxEjectionPercent":100}}}`

func httpbinStat(name string) string { return sidecartest.ClusterStat("outbound|8000||httpbin", name) }

func TestABreakerAnswersOverflowAndCountsIt(t *testing.T) {
	const rounds = 10
	arrived, leave := make(chan bool), make(chan bool)
	h := sidecartest.Serve(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- true
		<-leave
	})
	m := startMesh(t, Options{Name: "client", Seed: seedWhere("client", 0, 0, 0)}, []config.Service{sidecartest.Service("httpbin", 8000, false, sidecartest.Endpoint("httpbin", "v1", h))},
		sidecartest.DestinationRule(t, "httpbin", breaker11))
	clients := []*http.Client{m.newClient(), m.newClient(), m.newClient()}
	answers := make(chan string, 2)
	call := func(name string, c *http.Client) {
		g, err := sidecartest.Get(c, "http://httpbin:8000/get")
		if err != nil {
			t.Error(err)
		}
		answers <- fmt.Sprint(name, " ", g.Status)
	}
	for range rounds {
		// One is on the connection, one waits for it, and there is no place for a third.
		go call("first", clients[0])
		<-arrived
		go call("second", clients[1])
		sidecartest.Until(t, "the second waits", func() bool { return m.stat(httpbinStat("upstream_rq_pending_active")) == 1 })
		g, err := sidecartest.Get(clients[2], "http://httpbin:8000/get")
		if err != nil {
			t.Fatal(err)
		}
		if g.Status != 503 || len(g.Body) != 81 || g.Body != "upstream connect error or disconnect/reset before headers. reset reason: overflow" ||
			joinedValues(g.Header, "X-Envoy-Overloaded") != "true" || joinedValues(g.Header, "Content-Type") != "text/plain" || m.lastFlags() != "UO upstream_reset_before_response_started{overflow}" {
			t.Errorf("got %d %q %v", g.Status, g.Body, g.Header)
		}
		if entries := m.lines.all(); entries[len(entries)-1].upstream != "" {
			t.Errorf("the log names %s, which never had the request", entries[len(entries)-1].upstream)
		}
		// The refused one waits for nobody, the second for the first's answer and
		// then for its own: as long as two services.
		for _, want := range []string{"first 200", "second 200"} {
			if len(answers) > 0 {
				t.Errorf("before the %s httpbin has answered: %s", want, <-answers)
			}
			leave <- true
			if got := <-answers; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if want == "first 200" {
				<-arrived
			}
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
		if !slices.ContainsFunc(want, func(w uint64) bool { return d.below("workers", Workers) != w }) {
			return seed
		}
	}
}

// Three calls at once, of which none ends before all that can begin have begun.
func TestLimitsQueueAndOverflowAsEnvoys(t *testing.T) {
	tests := []struct {
		name     string
		pool     string
		statuses string // sorted
		waves    []int  // how many are answered by httpbin at once, in turn
		counter  string // of those refused
	}{
		{"maxConnections 1 alone queues", `{"tcp":{"maxConnections":1}}`, "[200 200 200]", []int{1, 1, 1}, ""},
		{"maxConnections and pending 1 refuse the third", `{"tcp":{"maxConnections":1},"http":{"http1MaxPendingRequests":1}}`, "[200 200 503]", []int{1, 1}, "pending"},
		{"http2MaxRequests holds for HTTP/1 too", `{"http":{"http2MaxRequests":1}}`, "[200 503 503]", []int{1}, "active"},
		{"no limits", `{"http":{}}`, "[200 200 200]", []int{3}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const calls = 3
			arrived, leave := make(chan bool, calls), make(chan bool, calls)
			defer close(leave) // so that the server ends, whatever failed
			h := sidecartest.Serve(t, func(http.ResponseWriter, *http.Request) {
				arrived <- true
				<-leave
			})
			m := startMesh(t, Options{Name: "client", Seed: seedWhere("client", 0, 0, 0)}, []config.Service{sidecartest.Service("httpbin", 8000, false, sidecartest.Endpoint("httpbin", "v1", h))},
				sidecartest.DestinationRule(t, "httpbin", `{"host":"httpbin","trafficPolicy":{"connectionPool":`+tt.pool+`}}`))
			answers := make(chan int, calls)
			for i := range calls {
				go func() {
					g, err := sidecartest.Get(m.newClient(), "http://httpbin:8000/")
					if err != nil {
						t.Error(err)
					}
					answers <- g.Status
				}()
				// One after the other, so that the queue's order is known; the first
				// has a connection before the second asks for one.
				sidecartest.Until(t, "the request has come in", func() bool {
					return len(arrived) > 0 && m.stat("http.outbound_0.0.0.0_8000;.downstream_rq_total") == int64(i+1)
				})
			}
			refused := strings.Count(tt.statuses, "503")
			// Else one that is late could still find the place that another leaves.
			sidecartest.Until(t, "those without a place are refused", func() bool { return len(answers) == refused })
			left := 0
			for _, n := range tt.waves {
				left += n
			}
			for _, n := range tt.waves {
				for range n {
					<-arrived
				}
				left -= n
				sidecartest.Until(t, "the others wait", func() bool { return m.stat(httpbinStat("upstream_rq_pending_active")) == int64(left) })
				if len(arrived) > 0 {
					t.Errorf("more than %d came to httpbin at once", n)
				}
				for range n {
					leave <- true
				}
			}
			var statuses []int
			for range calls {
				statuses = append(statuses, <-answers)
			}
			slices.Sort(statuses)
			if text := fmt.Sprint(statuses); text != tt.statuses {
				t.Errorf("got %s, want %s", text, tt.statuses)
			}
			for _, counter := range []string{"pending", "active"} {
				want := int64(0)
				if counter == tt.counter {
					want = int64(refused)
				}
				if n := m.stat(httpbinStat("upstream_rq_" + counter + "_overflow")); n != want {
					t.Errorf("%d are counted as %s, want %d", n, counter, want)
				}
			}
		})
	}
}

// A pool without a connection always gets one, whatever the limit: two workers
// with maxConnections 1 have two.
func TestAPoolWithoutAConnectionAlwaysGetsOne(t *testing.T) {
	arrived, leave := make(chan bool, 2), make(chan bool)
	h := sidecartest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- true
		<-leave
	})
	m := startMesh(t, Options{Name: "client", Seed: seedWhere("client", 0, 1)}, []config.Service{sidecartest.Service("httpbin", 8000, false, sidecartest.Endpoint("httpbin", "v1", h))},
		sidecartest.DestinationRule(t, "httpbin", `{"host":"httpbin","trafficPolicy":{"connectionPool":{"tcp":{"maxConnections":1}}}}`))
	var clients sync.WaitGroup
	for range 2 {
		clients.Go(func() {
			if _, err := sidecartest.Get(m.newClient(), "http://httpbin:8000/"); err != nil {
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

// Pools are a worker's own, the breaker is not: a request that waits on one
// worker takes the only place of all.
func TestThePendingLimitIsSharedByTheWorkers(t *testing.T) {
	arrived, leave := make(chan bool, 3), make(chan bool)
	h := sidecartest.Serve(t, func(http.ResponseWriter, *http.Request) {
		arrived <- true
		<-leave
	})
	m := startMesh(t, Options{Name: "client", Seed: seedWhere("client", 0, 0, 1)}, []config.Service{sidecartest.Service("httpbin", 8000, false, sidecartest.Endpoint("httpbin", "v1", h))},
		sidecartest.DestinationRule(t, "httpbin", `{"host":"httpbin","trafficPolicy":{"connectionPool":{"tcp":{"maxConnections":1},"http":{"http1MaxPendingRequests":1}}}}`))
	statuses := make(chan int, 3)
	call := func() {
		g, err := sidecartest.Get(m.newClient(), "http://httpbin:8000/")
		if err != nil {
			t.Error(err)
		}
		statuses <- g.Status
	}
	go call()
	<-arrived
	go call()
	sidecartest.Until(t, "the second waits", func() bool { return m.stat(httpbinStat("upstream_rq_pending_active")) == 1 })
	go call()
	sidecartest.Until(t, "the third is answered or has come to httpbin", func() bool { return len(statuses)+len(arrived) > 0 })
	if n := m.stat(httpbinStat("upstream_rq_pending_overflow")); n != 1 {
		t.Errorf("upstream_rq_pending_overflow is %d", n)
	}
	close(leave)
	got := []int{<-statuses, <-statuses, <-statuses}
	slices.Sort(got)
	if !slices.Equal(got, []int{200, 200, 503}) {
		t.Errorf("got %v", got)
	}
}

func TestTheLastConnectionToBecomeReadyIsUsedFirst(t *testing.T) {
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		type visit struct {
			connection string
			leave      chan bool
		}
		arrived := make(chan visit)
		h := sidecartest.Serve(t, func(_ http.ResponseWriter, r *http.Request) {
			v := visit{r.RemoteAddr, make(chan bool)}
			arrived <- v
			<-v.leave
		})
		m := startMesh(t, Options{Name: "client", Seed: seedWhere("client", 0, 0, 0)}, []config.Service{sidecartest.Service("httpbin", 8000, false, sidecartest.Endpoint("httpbin", "v1", h))})
		answered := make(chan bool)
		call := func() visit {
			go func() {
				if _, err := sidecartest.Get(m.newClient(), "http://httpbin:8000/"); err != nil {
					t.Error(err)
				}
				answered <- true
			}()
			return <-arrived
		}
		visits := []visit{call(), call()}
		for _, i := range order {
			close(visits[i].leave)
			<-answered
		}
		third := call()
		close(third.leave)
		<-answered
		if last := visits[order[1]].connection; third.connection != last {
			t.Errorf("of two connections that became ready in the order %v the third call used %s, not %s", order, third.connection, last)
		}
	}
}
