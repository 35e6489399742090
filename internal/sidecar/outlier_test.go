package sidecar

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestEjectionsLastTheBaseTimeTimesTheirNumberAndEndAtAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := outlierConfig{consecutive5xx: 5, enforce5xx: true, consecutiveGateway: 5, interval: 10 * time.Second,
			baseEjectionTime: 100 * time.Second, maxEjectionPercent: 100}
		d := newDetector(config, newOutlierStats(newStats(), "c"), 1)
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
		config  outlierConfig
		hosts   int
		reports []int // of host 0
		ejected bool
		stat    string // that is 1
	}{
		{"gateway errors count where they are given", outlierConfig{consecutiveGateway: 2, enforceGateway: true, maxEjectionPercent: 100}, 1,
			[]int{503, 502}, true, "enforced_consecutive_gateway_failure"},
		{"a 500 is no gateway error and starts anew", outlierConfig{consecutiveGateway: 2, enforceGateway: true, maxEjectionPercent: 100}, 1,
			[]int{503, 500, 503}, false, ""},
		{"gateway errors are but detected where none are given", outlierConfig{consecutive5xx: 9, enforce5xx: true, consecutiveGateway: 2, maxEjectionPercent: 100}, 1,
			[]int{503, 503}, false, "detected_consecutive_gateway_failure"},
		{"an answer below 500 starts anew", outlierConfig{consecutive5xx: 2, enforce5xx: true, maxEjectionPercent: 100}, 1,
			[]int{500, 404, 500}, false, ""},
		{"0 switches off", outlierConfig{consecutive5xx: 0, maxEjectionPercent: 100}, 1, []int{500, 500, 500}, false, ""},
		{"10 % of nine hosts is none", outlierConfig{consecutive5xx: 1, enforce5xx: true, maxEjectionPercent: 10}, 9, []int{500}, false, "overflow"},
		{"10 % of ten hosts is one", outlierConfig{consecutive5xx: 1, enforce5xx: true, maxEjectionPercent: 10}, 10, []int{500}, true, "enforced_consecutive_5xx"},
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
	h := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		seen.Add(1)
		w.WriteHeader(int(status.Load()))
	})
	m := startMesh(t, Options{}, []Service{service("httpbin", 8000, false, endpoint("httpbin", "v1", h))}, destinationRuleOf(t, "httpbin", `{"host":"httpbin",
		"trafficPolicy":{"outlierDetection":{"consecutive5xxErrors":5,"interval":"0.05s","baseEjectionTime":"0.5s","maxEjectionPercent":100}}}`))
	for i := range 10 {
		g := m.get("http://httpbin:8000/")
		if g.status != 503 || (g.body == "no healthy upstream") != (i >= 5) {
			t.Errorf("call %d: %d %q", i+1, g.status, g.body)
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
	until(t, "the ejection has ended", func() bool { return m.get("http://httpbin:8000/").status == 200 })
	if n := m.stat(httpbinStat("outlier_detection.ejections_active")); n != 0 {
		t.Errorf("%d ejections are active", n)
	}
}
