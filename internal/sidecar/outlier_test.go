package sidecar

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/policy"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

func TestEjectionsLastTheBaseTimeTimesTheirNumberAndEndAtAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := envoy.OutlierDetection{Consecutive5xx: 5, Interval: 10 * time.Second,
			BaseEjectionTime: 100 * time.Second, MaxEjectionPercent: 100}
		d := newDetector(cfg, newOutlierStats(newStats(), "c"), 1)
		go d.run(t.Context())
		synctest.Wait()
		// The maximum is 300 s, and a host that stays in for intervals is forgiven.
		for i, lasts := range []time.Duration{100, 200, 300, 300} {
			for range 4 {
				d.report(0, 500)
			}
			if d.ejected(0) {
				t.Fatal("four errors eject")
			}
			d.report(0, 500)
			began := time.Now()
			for d.ejected(0) {
				time.Sleep(time.Second)
			}
			if took := time.Since(began); took < lasts*time.Second || took > (lasts+10)*time.Second {
				t.Errorf("ejection %d lasted %v, want %d s, ended at an interval of 10 s", i+1, took, lasts)
			}
		}
		time.Sleep(time.Minute)
		for range 5 {
			d.report(0, 500)
		}
		began := time.Now()
		for d.ejected(0) {
			time.Sleep(time.Second)
		}
		if took := time.Since(began); took > 110*time.Second {
			t.Errorf("after a minute without ejection the next lasted %v", took)
		}
	})
}

func TestWhatEjectsAndWhatDoesNot(t *testing.T) {
	tests := []struct {
		name    string
		config  envoy.OutlierDetection
		hosts   int
		reports []int // of host 0
		ejected bool
		stat    string // that is 1
	}{
		{"gateway errors count where they are given", envoy.OutlierDetection{ConsecutiveGatewayFailure: 2, MaxEjectionPercent: 100}, 1,
			[]int{503, 502}, true, "enforced_consecutive_gateway_failure"},
		{"a 500 is no gateway error and starts anew", envoy.OutlierDetection{ConsecutiveGatewayFailure: 2, MaxEjectionPercent: 100}, 1,
			[]int{503, 500, 503}, false, ""},
		{"gateway errors are but detected where none are given", envoy.OutlierDetection{Consecutive5xx: 9, MaxEjectionPercent: 100}, 1,
			[]int{503, 503, 503, 503, 503}, false, "detected_consecutive_gateway_failure"},
		{"an answer below 500 starts anew", envoy.OutlierDetection{Consecutive5xx: 2, MaxEjectionPercent: 100}, 1,
			[]int{500, 404, 500}, false, ""},
		{"0 switches off", envoy.OutlierDetection{Consecutive5xx: 0, MaxEjectionPercent: 100}, 1, []int{500, 500, 500}, false, ""},
		{"10 % of nine hosts is none", envoy.OutlierDetection{Consecutive5xx: 1, MaxEjectionPercent: 10}, 9, []int{500}, false, "overflow"},
		{"10 % of ten hosts is one", envoy.OutlierDetection{Consecutive5xx: 1, MaxEjectionPercent: 10}, 10, []int{500}, true, "enforced_consecutive_5xx"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := newStats()
			d := newDetector(tt.config, newOutlierStats(store, "c"), tt.hosts)
			for _, status := range tt.reports {
				d.report(0, status)
			}
			if d.ejected(0) != tt.ejected {
				t.Errorf("ejected: %v", d.ejected(0))
			}
			if tt.stat != "" && store.counter("cluster.c;.outlier_detection.ejections_"+tt.stat).value.Load() != 1 {
				t.Errorf("%s is not 1", tt.stat)
			}
		})
	}
}

// The ejection that was measured with Envoy: ten calls of an endpoint that
// answers 503 give ten 503s, the last five without it.
func TestAnEjectedHostGetsNoRequestsUntilItsTimeIsOver(t *testing.T) {
	var status, seen atomic.Int64
	status.Store(503)
	h := sidecartest.Serve(t, func(w http.ResponseWriter, _ *http.Request) {
		seen.Add(1)
		w.WriteHeader(int(status.Load()))
	})
	m := startMesh(t, Options{}, []config.Service{sidecartest.Service("httpbin", 8000, false, sidecartest.Endpoint("httpbin", "v1", h))}, sidecartest.DestinationRule(t, "httpbin", `{"host":"httpbin",
		"trafficPolicy":{"outlierDetection":{"consecutive5xxErrors":5,"interval":"0.05s","baseEjectionTime":"0.5s","maxEjectionPercent":100}}}`))
	for i := range 10 {
		g := m.get("http://httpbin:8000/")
		if g.Status != 503 || (g.Body == "no healthy upstream") != (i >= 5) {
			t.Errorf("call %d: %d %q", i+1, g.Status, g.Body)
		}
	}
	for name, want := range map[string]int64{
		"outlier_detection.ejections_enforced_consecutive_5xx": 1, "outlier_detection.ejections_active": 1, "upstream_cx_none_healthy": 5,
	} {
		if n := m.stat(httpbinStat(name)); n != want {
			t.Errorf("%s is %d, want %d", name, n, want)
		}
	}
	if seen.Load() != 5 {
		t.Errorf("the endpoint saw %d calls", seen.Load())
	}
	status.Store(200)
	sidecartest.Until(t, "the ejection has ended", func() bool { return m.get("http://httpbin:8000/").Status == 200 })
	if n := m.stat(httpbinStat("outlier_detection.ejections_active")); n != 0 {
		t.Errorf("%d ejections are active", n)
	}
}

func TestAHostComesBackAtTheConfiguredInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := policy.Cluster(&networking.TrafficPolicy{OutlierDetection: sidecartest.Spec(t, &networking.OutlierDetection{}, `{"consecutive5xxErrors":1,"interval":"7s","baseEjectionTime":"1s","maxEjectionPercent":100}`)}).Outlier
		d := newDetector(cfg, newOutlierStats(newStats(), "c"), 1)
		go d.run(t.Context())
		synctest.Wait()
		d.report(0, 500)
		time.Sleep(7*time.Second - time.Nanosecond)
		synctest.Wait()
		if !d.ejected(0) {
			t.Error("it is back before the interval of 7 s")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if d.ejected(0) {
			t.Error("it is not back at 7 s")
		}
	})
}

// Answers to what was in flight at the ejection do not count towards the next.
func TestAHostThatComesBackStartsAnew(t *testing.T) {
	for name, cfg := range map[string]envoy.OutlierDetection{
		"5xx":     {Consecutive5xx: 3, MaxEjectionPercent: 100},
		"gateway": {ConsecutiveGatewayFailure: 3, MaxEjectionPercent: 100},
	} {
		d := newDetector(cfg, newOutlierStats(newStats(), "c"), 1)
		for range 3 + 2 {
			d.report(0, 503)
		}
		if !d.ejected(0) {
			t.Errorf("%s: three errors do not eject", name)
		}
		d.tick(time.Now())
		for range 2 {
			d.report(0, 503)
		}
		if d.ejected(0) {
			t.Errorf("%s: two errors eject a host that came back", name)
		}
		d.report(0, 503)
		if !d.ejected(0) {
			t.Errorf("%s: three errors do not eject a host that came back", name)
		}
	}
}

// Measured with Envoy: of two endpoints that fail, the second is called for up to
// a second after its own ejection.
func TestTheWorkersAreToldOfEjectionsOnceAWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := envoy.OutlierDetection{Consecutive5xx: 1, Interval: 10 * time.Minute, BaseEjectionTime: time.Minute, MaxEjectionPercent: 100}
		d := newDetector(cfg, newOutlierStats(newStats(), "c"), 4)
		skipped := func(want string) {
			t.Helper()
			synctest.Wait()
			got := ""
			for i := range d.hosts {
				if d.skipped(i) {
					got += fmt.Sprint(i)
				}
			}
			if got != want {
				t.Errorf("the workers skip %q, want %q", got, want)
			}
		}
		d.report(0, 500)
		skipped("0") // the first at once
		time.Sleep(500 * time.Millisecond)
		d.report(1, 500)
		skipped("0")
		if !d.ejected(1) {
			t.Error("the second is not ejected")
		}
		time.Sleep(mergeWindow - time.Nanosecond)
		skipped("0")
		time.Sleep(time.Nanosecond)
		skipped("01") // a window after it was ejected
		time.Sleep(mergeWindow / 2)
		d.report(2, 500)
		time.Sleep(mergeWindow/2 + time.Millisecond)
		skipped("01")
		d.report(3, 500)
		skipped("0123") // out of the window, with what was waiting
		time.Sleep(time.Minute)
		d.tick(time.Now())
		skipped("123") // of those that come back together the first is the first
		time.Sleep(mergeWindow)
		skipped("")
	})
}

// What was to be told when a cluster was replaced is told to nobody.
func TestAWindowEndsWithItsCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDetector(envoy.OutlierDetection{Consecutive5xx: 1, MaxEjectionPercent: 100}, newOutlierStats(newStats(), "c"), 2)
		d.report(0, 500)
		d.report(1, 500)
		d.end()
		time.Sleep(2 * mergeWindow)
		synctest.Wait()
		if d.skipped(0) || d.skipped(1) {
			t.Error("hosts of a replaced cluster are skipped")
		}
	})
}

func TestWhichAnswersOutlierDetectionCounts(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	tests := []struct {
		name             string
		outlier          string
		object           string           // what the VirtualService's route has beside its destination
		handler          http.HandlerFunc // nil: the connection is refused
		calls            int
		status           int // of every call
		by5xx, byGateway int64
	}{
		{"an abort is none of the host's", `"consecutive5xxErrors":1`, `"fault":{"abort":{"httpStatus":503,"percentage":{"value":100}}},`, status(200), 3, 503, 0, 0},
		{"five 5xx eject where only gateway errors are given", `"consecutiveGatewayErrors":1`, "", status(500), 5, 500, 1, 0},
		{"four do not", `"consecutiveGatewayErrors":1`, "", status(500), 4, 500, 0, 0},
		{"each of three failed connections of one call", `"consecutiveGatewayErrors":3`, "", nil, 1, 503, 0, 1},
		{"no more than three", `"consecutiveGatewayErrors":4`, "", nil, 1, 503, 0, 0},
		{"a connection that ends", `"consecutiveGatewayErrors":1`, "", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 1, 503, 0, 1},
		{"a timeout", `"consecutiveGatewayErrors":1`, `"timeout":"0.3s",`, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 1, 504, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			address := sidecartest.Unused
			if tt.handler != nil {
				address = sidecartest.Serve(t, tt.handler)
			}
			m := startMesh(t, Options{}, []config.Service{sidecartest.Service("httpbin", 8000, false, sidecartest.Endpoint("httpbin", "v1", address))},
				sidecartest.VirtualService(t, "httpbin", `{"hosts":["httpbin"],"http":[{`+tt.object+`"route":[{"destination":{"host":"httpbin"}}]}]}`),
				sidecartest.DestinationRule(t, "httpbin", `{"host":"httpbin","trafficPolicy":{"outlierDetection":{`+tt.outlier+`,"maxEjectionPercent":100}}}`))
			for range tt.calls {
				if g := m.get("http://httpbin:8000/"); g.Status != tt.status || g.Body == "no healthy upstream" {
					t.Errorf("got %d %q", g.Status, g.Body)
				}
			}
			for name, want := range map[string]int64{
				"consecutive_5xx": tt.by5xx, "consecutive_gateway_failure": tt.byGateway, "total": tt.by5xx + tt.byGateway,
			} {
				if n := m.stat(httpbinStat("outlier_detection.ejections_enforced_" + name)); n != want {
					t.Errorf("ejections_enforced_%s is %d, want %d", name, n, want)
				}
			}
		})
	}
}

// An answer that comes after its rule was taken away ejects nobody: no detector
// is left that would let the host back.
func TestALateAnswerOfAReplacedClusterEjectsNobody(t *testing.T) {
	arrived, leave := make(chan bool), make(chan bool)
	h := sidecartest.Serve(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- true
		<-leave
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	m := startMesh(t, Options{}, []config.Service{sidecartest.Service("httpbin", 8000, false, sidecartest.Endpoint("httpbin", "v1", h))}, sidecartest.DestinationRule(t, "httpbin", breaker11))
	answer := make(chan string)
	go func() {
		g, err := sidecartest.Get(m.newClient(), "http://httpbin:8000/")
		answer <- fmt.Sprint(g.Status, err)
	}()
	<-arrived
	m.push()
	close(leave)
	if got := <-answer; got != "503 <nil>" {
		t.Errorf("the request in flight got %s", got)
	}
	for _, name := range []string{"active", "enforced_total"} {
		if n := m.stat(httpbinStat("outlier_detection.ejections_" + name)); n != 0 {
			t.Errorf("ejections_%s is %d after the rule was taken away", name, n)
		}
	}
}
