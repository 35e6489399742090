package loadgen

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// bounded runs one cohort within bounds, and returns why it was ended, nil if it was
// not.
func bounded(t *testing.T, plan Plan, bounds Bounds) (*Result, *StopError) {
	t.Helper()
	results, err := RunGroup(t.Context(), map[string]Plan{"only": plan}, bounds, nil, nil)
	var stop *StopError
	if err != nil && !errors.As(err, &stop) {
		t.Fatal(err)
	}
	return results["only"], stop
}

func TestALoadThatGetsTooFastIsEnded(t *testing.T) {
	url := startHTTP(t, func(http.ResponseWriter, *http.Request) {})
	minutes := Duration{Duration: 5 * time.Minute}
	for name, tt := range map[string]struct {
		plan Plan
		want bool
	}{
		"a closed loop":     {Plan{HTTP: get(url), Connections: 4, Duration: minutes}, true},
		"its warm-up":       {Plan{HTTP: get(url), Connections: 4, Requests: 4, Warmup: 10_000_000}, true},
		"a rate":            {Plan{HTTP: get(url), Connections: 4, Duration: minutes, QPS: 400}, true},
		"a rate that is it": {Plan{HTTP: get(url), Connections: 4, Requests: 110, QPS: 100}, false}, // and a tenth, if a stalled machine begins all at once
		"few":               {Plan{HTTP: get(url), Connections: 4, Requests: 90}, false},
	} {
		t.Run(name, func(t *testing.T) {
			result, stop := bounded(t, tt.plan, Bounds{QPS: 100})
			if (stop != nil) != tt.want {
				t.Fatalf("it was ended: %v, after %d requests", stop, result.Sent)
			}
			if stop != nil && (stop.After.Duration > time.Minute || !strings.Contains(stop.Error(), "the cap is 100 qps, of all cohorts together")) {
				t.Errorf("it was ended %v", stop)
			}
			if stop != nil && (len(stop.Values) != 1 || stop.Values[0].Value <= 100 || stop.Values[0].Unit != Number || len(stop.Bounds) != 1 || *stop.Bounds[0].Value != 100) {
				t.Errorf("it was ended by %+v of %+v", stop.Values, stop.Bounds)
			}
		})
	}
}

// Looked at in time, a rate is too high within a second of when it is; of what was begun in
// longer than that, for nobody looked, it is not known how much was begun in a second.
func TestASecondIsHeldToTheRate(t *testing.T) {
	start := time.Now()
	for name, tt := range map[string]struct {
		qps   float64
		every time.Duration
		want  time.Duration // when it is ended; 0: never
	}{
		"four times it":           {400, watchEvery, 300 * time.Millisecond}, // 111 of them take 278 ms
		"a tenth more and a half": {115, watchEvery, time.Second},
		"almost a tenth more":     {109, watchEvery, 0},
		"looked at too seldom":    {150, 1100 * time.Millisecond, 0},
	} {
		g := guard{Bounds: Bounds{QPS: 100}, seconds: []moment{{start, 0}}}
		var ended time.Duration
		for after := tt.every; after <= 10*time.Second && ended == 0; after += tt.every {
			if g.tooFast(moment{start.Add(after), int64(tt.qps * after.Seconds())}) != nil {
				ended = after
			}
		}
		if ended != tt.want {
			t.Errorf("%s: it is ended after %v, want %v", name, ended, tt.want)
		}
	}
}

func TestTheRateOfAllCohortsIsBounded(t *testing.T) {
	url := startHTTP(t, func(http.ResponseWriter, *http.Request) {})
	plan := Plan{HTTP: get(url), Connections: 1, Duration: Duration{Duration: time.Minute}, QPS: 70}
	_, err := RunGroup(t.Context(), map[string]Plan{"a": plan, "b": plan}, Bounds{QPS: 100}, nil, nil)
	var stop *StopError
	if !errors.As(err, &stop) {
		t.Errorf("error %v; want that 140 a second are too many", err)
	}
}

func TestALoadThatGoesOnForTooLongIsEnded(t *testing.T) {
	quick := startHTTP(t, func(http.ResponseWriter, *http.Request) {})
	slow := startHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(700 * time.Millisecond):
		case <-r.Context().Done():
		}
	})
	for name, tt := range map[string]struct {
		plan Plan
		want bool
	}{
		"no end":            {Plan{HTTP: get(quick), Connections: 1}, true},
		"a rate too low":    {Plan{HTTP: get(quick), Connections: 1, QPS: 20, Requests: 10_000}, true},
		"its own duration":  {Plan{HTTP: get(quick), Connections: 1, Duration: Duration{Duration: 300 * time.Millisecond}}, false},
		"the last answer":   {Plan{HTTP: get(slow), Connections: 2, Requests: 2}, false},
		"the one after the": {Plan{HTTP: get(slow), Connections: 1, Requests: 900}, true},
		"its warm-up":       {Plan{HTTP: get(quick), Connections: 1, Requests: 1, QPS: 20, Warmup: 10_000}, true},
	} {
		t.Run(name, func(t *testing.T) {
			_, stop := bounded(t, tt.plan, Bounds{Duration: 300 * time.Millisecond})
			if (stop != nil) != tt.want {
				t.Fatalf("it was ended: %v", stop)
			}
			if stop != nil && (stop.After.Duration > time.Minute || !strings.Contains(stop.Error(), "the cap is 300ms")) {
				t.Errorf("it was ended %v", stop)
			}
		})
	}
}

// In closed loop and in open, one cohort's breach ends the other's requests in flight.
func TestABreachEndsAllCohortsAtOnce(t *testing.T) {
	var fast atomic.Int64
	url := startHTTP(t, func(http.ResponseWriter, *http.Request) { fast.Add(1) })
	stuck := startHTTP(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for name, qps := range map[string]float64{"closed": 0, "open": 300} {
		t.Run(name, func(t *testing.T) {
			fast.Store(0)
			heard := make(chan *StopError, 1)
			var at int64
			bounds := Bounds{
				Breached: func(soFar map[string]*Result) *StopError {
					fast, stuck := soFar["fast"], soFar["stuck"]
					if fast.Sent != fast.Count(func(Outcome) bool { return true }) || fast.Sent != fast.Response.Count() || stuck.Sent != 0 {
						t.Errorf("so far %+v and %+v", fast, stuck)
					}
					if fast.Sent < 50 {
						return nil
					}
					at = fast.Sent
					return &StopError{Condition: "fast.sent > 50", Observed: "51"}
				},
				Stopped: func(stop *StopError) { heard <- stop },
			}
			began := time.Now()
			results, err := RunGroup(t.Context(), map[string]Plan{
				"fast":  {HTTP: get(url), Connections: 2, QPS: qps, Duration: Duration{Duration: 5 * time.Minute}},
				"stuck": {HTTP: get(stuck), Connections: 2, Requests: 2},
			}, bounds, nil, nil)
			var stop *StopError
			if !errors.As(err, &stop) || stop != <-heard || stop.After.Duration <= 0 || stop.Sent < at {
				t.Fatalf("error %v", err)
			}
			if took := time.Since(began); took > time.Minute {
				t.Errorf("it took %v", took)
			}
			if got := results["stuck"].Count(failedAs(ErrorCanceled)); got != 2 {
				t.Errorf("%d of 2 requests in flight were cut off", got)
			}
		})
	}
}

// A load that is over before anybody looked is looked at all the same.
func TestAShortLoadIsJudged(t *testing.T) {
	url := startHTTP(t, func(http.ResponseWriter, *http.Request) {})
	result, stop := bounded(t, Plan{HTTP: get(url), Connections: 1, Requests: 3}, Bounds{Breached: func(soFar map[string]*Result) *StopError {
		if soFar["only"].Sent < 3 {
			return nil
		}
		return &StopError{Condition: "only.sent > 2"}
	}})
	if stop == nil || result.Sent != 3 {
		t.Errorf("%d were sent, and it was ended: %v", result.Sent, stop)
	}
}

func TestBoundsThatAreNoneAreRefused(t *testing.T) {
	for _, bounds := range []Bounds{{QPS: -1}, {Duration: -1}} {
		if _, err := RunGroup(t.Context(), nil, bounds, nil, nil); err == nil {
			t.Errorf("%+v was taken", bounds)
		}
	}
}
