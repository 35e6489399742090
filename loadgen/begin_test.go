package loadgen

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

func TestNothingThatCountsIsSentBeforeBeginReturns(t *testing.T) {
	var logins, served atomic.Int64
	url := startHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			logins.Add(1)
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "anna"})
			return
		}
		served.Add(1)
	})
	anna := get(url)
	anna.Login = &Login{URL: url + "/login"}
	var early int64
	var began time.Time
	results, err := RunGroup(t.Context(), map[string]Plan{
		"anna":   {HTTP: anna, Connections: 3, Requests: 20, Warmup: 7},
		"open":   {HTTP: get(url), Connections: 2, Requests: 20, QPS: 1000, Warmup: 5},
		"fortio": {Engine: EngineFortio, HTTP: get(url), Connections: 2, Requests: 20, Warmup: 6},
	}, Bounds{}, func(context.Context) error {
		if logins.Load() != 3 || served.Load() != 18 {
			t.Errorf("when begin was called, %d had logged in and %d requests had come; want 3 and 18", logins.Load(), served.Load())
		}
		<-time.After(100 * time.Millisecond) // a load that did not wait would come meanwhile
		early = served.Load() - 18
		began = time.Now()
		return nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if early != 0 || served.Load() != 78 {
		t.Errorf("%d requests came before begin returned, %d in all; want 0 and 78", early, served.Load())
	}
	for name, r := range results {
		if r.Sent != 20 || answered(r, 200) != 20 || r.Dialed != int64(r.Connections) || r.Started.Before(began) {
			t.Errorf("%s: %+v; want 20 answers, on the connections that were warm", name, r)
		}
	}
}

func TestNothingIsSentWhenBeginFails(t *testing.T) {
	for name, tt := range map[string]struct {
		begin func(end context.CancelFunc) error
		want  error
	}{
		"an error":           {func(context.CancelFunc) error { return errProxies }, errProxies},
		"the end of context": {func(end context.CancelFunc) error { end(); return nil }, context.Canceled},
		"both":               {func(end context.CancelFunc) error { end(); return errProxies }, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			var served atomic.Int64
			closed := make(chan struct{}, 10)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served.Add(1) }))
			server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateClosed {
					closed <- struct{}{}
				}
			}
			server.Start()
			defer server.Close()
			ctx, end := context.WithCancel(t.Context())
			defer end()
			results, err := RunGroup(ctx, map[string]Plan{
				"a": {HTTP: get(server.URL), Connections: 2, Requests: 20, Warmup: 4},
			}, Bounds{}, func(context.Context) error { return tt.begin(end) }, nil)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v; want %v", err, tt.want)
			}
			if served.Load() != 4 || results["a"].Sent != 0 || results["a"].Warmup != 4 {
				t.Errorf("%d requests came; result %+v; want those of the warm-up alone", served.Load(), results["a"])
			}
			for range results["a"].Dialed {
				<-closed
			}
		})
	}
}

// What a server ends before the load begins is no failure of a request.
func TestConnectionsThatEndWhileBeginTakesItsTimeAreReplaced(t *testing.T) {
	for _, engine := range []string{EngineEpoll, EngineNetHTTP} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		idle := make(chan struct{}, 100)
		server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
			if s == http.StateIdle {
				idle <- struct{}{}
			}
		}
		server.Start()
		defer server.Close()
		results, err := RunGroup(t.Context(), map[string]Plan{
			"a": {Engine: engine, HTTP: get(server.URL), Connections: 1, Requests: 20, Warmup: 1},
		}, Bounds{}, func(context.Context) error {
			<-idle
			server.CloseClientConnections() // and waits until they are closed
			return nil
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r := results["a"]; answered(r, 200) != 20 || r.Dialed != 2 {
			t.Errorf("%s, on %d connections: %v", engine, r.Dialed, r.Outcomes)
		}
	}
}

var errProxies = errors.New("the proxies cannot be read")

// The warm-up goes by the rate with which the load begins, whatever that comes to.
func TestAWarmupIsSentAtTheFirstRateOfTheLoad(t *testing.T) {
	for _, engine := range ours {
		url := startHTTP(t, func(http.ResponseWriter, *http.Request) {})
		second := Duration{Duration: time.Second}
		plan := Plan{Engine: engine, HTTP: get(url), Connections: 2, Requests: 2, Warmup: 5, Rate: []RatePoint{{QPS: 20}, {At: second, QPS: 20}, {At: second, QPS: 10_000}}}
		started, warmed := time.Now(), time.Duration(0)
		results, err := RunGroup(t.Context(), map[string]Plan{"only": plan}, Bounds{}, func(context.Context) error { warmed = time.Since(started); return nil }, nil)
		if err != nil || results["only"].Warmup != 5 || warmed < 4*time.Second/20 {
			t.Errorf("%s: %d were sent in %v; %v", engine, results["only"].Warmup, warmed, err)
		}
	}
}

func TestAWarmupThatIsCutOffCountsNowhere(t *testing.T) {
	arrived := make(chan struct{}, 10)
	url := startHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		<-arrived
		cancel()
	}()
	result, err := runUntil(ctx, Plan{HTTP: get(url), Connections: 2, Requests: 2, Warmup: 9})
	if !errors.Is(err, context.Canceled) || result.Sent != 0 || result.Warmup != 0 {
		t.Errorf("error %v, sent %d and %d to warm up; want none", err, result.Sent, result.Warmup)
	}
}
