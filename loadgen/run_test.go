package loadgen

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestExactlyAsManyRequestsAsAskedAreSent(t *testing.T) {
	var served atomic.Int64
	url := startHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		status := []int{200, 200, 503, 404, 204, 302}[served.Add(1)%6]
		w.WriteHeader(status)
		if status != 204 {
			_, _ = w.Write([]byte("body"))
		}
	})
	rapid.Check(t, func(r *rapid.T) {
		connections := rapid.IntRange(1, 12).Draw(r, "connections")
		plan := Plan{
			Engine:      rapid.SampledFrom(engines).Draw(r, "engine"),
			HTTP:        get(url),
			Connections: connections,
			Requests:    rapid.Int64Range(int64(connections), 40).Draw(r, "requests"),
			Warmup:      rapid.Int64Range(0, 10).Draw(r, "warmup"),
			QPS:         rapid.SampledFrom([]float64{0, 20_000}).Draw(r, "qps"),
		}
		before := served.Load()
		result := run(t, plan)
		if result.Sent != plan.Requests || result.Warmup != plan.Warmup {
			r.Fatalf("sent %d and %d to warm up", result.Sent, result.Warmup)
		}
		if got := served.Load() - before; got != result.Sent+result.Warmup {
			r.Fatalf("the server got %d, want %d", got, result.Sent+result.Warmup)
		}
		if all := result.Count(func(Outcome) bool { return true }); all != result.Sent {
			r.Fatalf("outcomes add up to %d, want %d", all, result.Sent)
		}
		if result.Response.Count() != result.Sent || result.Service.Count() != result.Sent {
			r.Fatalf("histograms hold %d and %d", result.Response.Count(), result.Service.Count())
		}
		if plan.Engine != EngineFortio && result.Dialed > int64(plan.Connections) {
			r.Fatalf("%d connections dialed: an error status closed one", result.Dialed)
		}
		if plan.Engine != EngineFortio && (result.Used > result.Dialed || plan.QPS == 0 && result.Used != int64(plan.Connections)) {
			r.Fatalf("%d requests on %d connections went over %d, after %d to warm up", result.Sent, plan.Connections, result.Used, result.Warmup)
		}
		if result.Used < 1 || result.Used > result.Sent {
			r.Fatalf("%d requests went over %d connections", result.Sent, result.Used)
		}
	})
}

func TestStallShowsInResponseTimeAndNotInServiceTime(t *testing.T) {
	const stall = 300 * time.Millisecond
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			var served atomic.Int64
			url := startHTTP(t, func(http.ResponseWriter, *http.Request) {
				if served.Add(1) == 20 {
					<-time.After(stall)
				}
			})
			result := run(t, Plan{Engine: engine, HTTP: get(url), Connections: 1, Requests: 80, QPS: 100})
			if p99, _ := result.Response.Quantile(0.99); p99 < stall*8/10 {
				t.Errorf("response p99 is %v: the requests that waited are not in it", p99)
			}
			response, _ := result.Response.Quantile(0.9)
			if service, _ := result.Service.Quantile(0.9); service > response/2 {
				t.Errorf("service p90 is %v, response p90 %v", service, response)
			}
			if off, owed := result.Late+result.Missed, result.Sent+result.Missed; off < 20 || owed != 80 || result.Late != off {
				t.Errorf("%d of %d off schedule, want about 28 of 80", off, owed)
			}
		})
	}
}

func TestOpenLoopSaysWhatItMissed(t *testing.T) {
	url := startHTTP(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }) // no answer
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			result := run(t, Plan{Engine: engine, HTTP: get(url), Connections: 1, Duration: Duration{Duration: 2 * time.Second}, QPS: 25, Timeout: Duration{Duration: 2500 * time.Millisecond}})
			if result.Sent != 1 || result.Missed != 49 {
				t.Errorf("sent %d and missed %d of the 50 that were due after 1990 ms", result.Sent, result.Missed)
			}
			if result.LastBegun.Duration > time.Second {
				t.Errorf("the only request was begun after %v", result.LastBegun)
			}
		})
	}
}

func TestNothingIsOwedAfterTheStop(t *testing.T) {
	c, err := newCohort("", Plan{TCP: &TCP{Address: "127.0.0.1:1", Lines: []string{"x"}}, Connections: 1, QPS: 10})
	if err != nil {
		t.Fatal(err)
	}
	c.stop()
	c.load.start = c.haltedAt.Add(-time.Second)
	c.endedAt = c.haltedAt.Add(time.Minute) // a request in flight took so long
	if missed := c.missed(4); missed != 6 {
		t.Errorf("missed %d, want 6", missed)
	}
	c.load.idle = []time.Duration{900 * time.Millisecond, time.Second} // the last that was due, and the next
	if missed := c.missed(4); missed != 5 {
		t.Errorf("beside a free connection it missed %d, want 5", missed)
	}
	c.load.idle, c.load.start = nil, c.haltedAt.Add(-905*time.Millisecond) // the last was due 5 ms before, and is not late yet
	if missed := c.missed(4); missed != 5 {
		t.Errorf("as the last was due that moment it missed %d, want 5", missed)
	}
}

func TestStopLetsRequestsInFlightFinish(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			arrived, release := make(chan struct{}, 10), make(chan struct{})
			url := startHTTP(t, func(http.ResponseWriter, *http.Request) {
				arrived <- struct{}{}
				<-release
			})
			c, err := newCohort("", Plan{Engine: engine, HTTP: get(url), Connections: 3})
			if err != nil {
				t.Fatal(err)
			}
			ran := make(chan error)
			go func() { ran <- runAll(t.Context(), &guard{cohorts: []*cohort{c}}, nil, nil) }()
			for range 3 {
				<-arrived
			}
			c.stop()
			close(release)
			if err := <-ran; err != nil {
				t.Fatal(err)
			}
			want := []Outcome{{Status: 200, Count: 3}}
			if diff := cmp.Diff(want, c.result().Outcomes, noExamples); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEndOfContextCutsRequestsInFlight(t *testing.T) {
	for _, engine := range []string{EngineEpoll, EngineNetHTTP} {
		t.Run(engine, func(t *testing.T) {
			arrived, left := make(chan struct{}, 10), make(chan struct{}, 10)
			url := startHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
				arrived <- struct{}{}
				<-r.Context().Done() // the connection was closed
				left <- struct{}{}
			})
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				for range 3 {
					<-arrived
				}
				cancel()
			}()
			result, err := runUntil(ctx, Plan{Engine: engine, HTTP: get(url), Connections: 3})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff([]Outcome{{Error: ErrorCanceled, Count: 3}}, result.Outcomes); diff != "" {
				t.Error(diff)
			}
			if result.Response.Count() != 0 {
				t.Error("a canceled request has a response time")
			}
			for range 3 {
				<-left
			}
		})
	}
}

func TestControlGroupIsThereAllTheTime(t *testing.T) {
	var loggedIn atomic.Bool
	var early, control atomic.Int64
	beside := make(chan struct{}) // a request of the control group meets one of the other
	url := startHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/login":
			<-time.After(100 * time.Millisecond) // a load that did not wait would come meanwhile
			loggedIn.Store(true)
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "anna"})
		case "/primary":
			if !loggedIn.Load() {
				early.Add(1)
			}
			select {
			case <-beside:
			case <-r.Context().Done():
			}
		case "/control":
			control.Add(1)
			select {
			case beside <- struct{}{}:
			default:
			}
		}
	})
	anna := get(url + "/control")
	anna.Login = &Login{URL: url + "/login", Form: map[string]string{"username": "anna"}}
	seen := map[string]Progress{}
	results, err := RunGroup(t.Context(), map[string]Plan{
		"jason":  {HTTP: get(url + "/primary"), Connections: 1, Requests: 15, Timeout: Duration{Duration: 10 * time.Second}},
		"others": {HTTP: anna, Connections: 2, QPS: 100, While: "jason"},
	}, Bounds{}, nil, func(p Progress) { seen[p.Cohort] = p })
	if err != nil {
		t.Fatal(err)
	}
	jason, others := results["jason"], results["others"]
	if early.Load() > 0 {
		t.Errorf("%d requests were sent before the control group had logged in", early.Load())
	}
	if jason.Sent != 15 || others.Sent != control.Load() || others.Sent < 15 || others.Setup != 2 {
		t.Errorf("jason sent %d; the others sent %d, and logged in %d times", jason.Sent, others.Sent, others.Setup)
	}
	if !jason.Started.Equal(others.Started) || others.Elapsed.Duration < jason.Elapsed.Duration {
		t.Errorf("jason ran %v and the others %v", jason.Elapsed, others.Elapsed)
	}
	p50, _ := jason.Response.Quantile(0.5)
	p99, _ := jason.Response.Quantile(0.99)
	want := Progress{
		Cohort: "jason", Sent: 15, Planned: 15, Elapsed: jason.Elapsed, Ended: true,
		Ways: []Way{{Status: 200, Count: 15}}, P50: Duration{Duration: p50}, P99: Duration{Duration: p99},
	}
	if diff := cmp.Diff(want, seen["jason"]); diff != "" {
		t.Error(diff)
	}
}

func TestFailedLoginStopsTheGroup(t *testing.T) {
	for name, login := range map[string]http.HandlerFunc{
		"answered 403":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) },
		"without a cookie": func(http.ResponseWriter, *http.Request) {},
		"EOF":              func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			var served atomic.Int64
			url := startHTTP(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/login" {
					login(w, r)
					return
				}
				served.Add(1)
			})
			jason := get(url)
			jason.Login = &Login{URL: url + "/login"}
			results, err := RunGroup(t.Context(), map[string]Plan{
				"jason":  {HTTP: jason, Connections: 2, Requests: 5},
				"others": {HTTP: get(url), Connections: 1, Requests: 5},
			}, Bounds{}, func(context.Context) error { return errors.New("begin was called") }, nil)
			if err != nil {
				t.Fatal(err)
			}
			if failure := results["jason"].Failure; !strings.Contains(failure, name) {
				t.Errorf("failure %q, want one with %q", failure, name)
			}
			if results["others"].Failure != "" || results["others"].Sent+served.Load() != 0 {
				t.Errorf("the others: %+v, served %d", results["others"], served.Load())
			}
		})
	}
}

func TestResultSurvivesJSON(t *testing.T) {
	url := startHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("reviews-v2 and stars"))
	})
	result := run(t, Plan{
		HTTP: get(url), Connections: 2, Requests: 20,
		Checks:   []Check{{Name: "stars", Body: "stars"}, {Name: "any", Match: "a.d"}, {Name: "none", Body: "none"}},
		Versions: []Check{{Name: "v1", Body: "reviews-v1"}, {Name: "v2", Match: "reviews-v[23]"}},
	})
	want := []Outcome{{Status: 200, Checks: []string{"any", "stars"}, Version: "v2", Count: 20}}
	if diff := cmp.Diff(want, result.Outcomes, noExamples); diff != "" {
		t.Error(diff)
	}
	data, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	var back Result
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(&back)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(data), string(again)); diff != "" {
		t.Error(diff)
	}
	if n := back.Count(holds("stars")); n != 20 {
		t.Errorf("%d answers hold stars", n)
	}
	if n := back.Count(func(o Outcome) bool { return o.Version == "v2" }); n != 20 || back.Elapsed.Duration <= 0 {
		t.Errorf("%d answers of v2 after %v", n, back.Elapsed)
	}
}

func TestASlowConnectionKeepsItsPartOfAClosedLoop(t *testing.T) {
	var first atomic.Pointer[string]
	var slow, fast atomic.Int64
	released := make(chan struct{})
	url := startHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
		if first.CompareAndSwap(nil, &r.RemoteAddr) || *first.Load() == r.RemoteAddr {
			slow.Add(1)
			select {
			case <-released:
			case <-r.Context().Done():
			}
			return
		}
		if fast.Add(1) == 20 { // all that the others may send, or all but one
			close(released)
		}
	})
	run(t, Plan{HTTP: get(url), Connections: 3, Requests: 31})
	if slow.Load() < 10 || slow.Load() > 11 || slow.Load()+fast.Load() != 31 {
		t.Errorf("the slow connection sent %d, the others %d; want a third of 31", slow.Load(), fast.Load())
	}
}
