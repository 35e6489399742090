package fortio

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

func count(r *loadgen.Result, status int) int64 {
	return r.Count(func(o loadgen.Outcome) bool { return o.Status == status && o.Error == "" })
}

func errorsOf(r *loadgen.Result) int64 {
	return r.Count(func(o loadgen.Outcome) bool { return o.Error == loadgen.ErrorOther && o.Status == 0 })
}

func TestLoadCountsAsTheServerDoes(t *testing.T) {
	to := newTarget(t, func(w http.ResponseWriter, _ *http.Request, before int64) {
		if before%4 == 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte("answer"))
	})
	r := load(t, map[string]loadgen.Plan{"client": get(to, 3, 40)})["client"]
	if r.Failure != "" || r.Sent != 40 || r.Planned != 40 || to.asked.Load() != 40 || count(r, 200) != 30 || count(r, 503) != 10 {
		t.Errorf("%+v, and the server was asked %d times; want 30 of 200 and 10 of 503", r, to.asked.Load())
	}
	if r.Dialed != 3 || r.Used != 3 || r.Connections != 3 {
		t.Errorf("%d connections dialed, %d used; want 3, kept after a 503 too", r.Dialed, r.Used)
	}
	if r.Response.Count() != 40 || r.Service.Count() != 40 {
		t.Errorf("%d times; want 40", r.Response.Count())
	}
}

func TestRequestsAreSentAsPlanned(t *testing.T) {
	wrong := make(chan string, 10)
	to := newTarget(t, func(_ http.ResponseWriter, r *http.Request, _ int64) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || string(body) != `{"a": "b"}` || r.Header.Get("X-Who") != "jason" || r.Host != "shop" || r.URL.RawQuery != "q=1" {
			wrong <- r.Method + " " + r.Host + " " + r.URL.String() + " " + string(body)
		}
	})
	p := get(to, 1, 2)
	p.HTTP = &loadgen.HTTP{Method: "POST", URL: to.url + "/buy?q=1", Body: `{"a": "b"}`, Header: map[string]string{"x-who": "jason", "host": "shop"}}
	if r := load(t, map[string]loadgen.Plan{"client": p})["client"]; r.Failure != "" || count(r, 200) != 2 {
		t.Errorf("%+v; want 2 answers", r)
	}
	select {
	case got := <-wrong:
		t.Errorf("it was asked for %s", got)
	default:
	}
}

func TestWhatHasNoAnswerIsAnError(t *testing.T) {
	to := newTarget(t, func(_ http.ResponseWriter, r *http.Request, before int64) {
		if before%2 == 0 {
			<-r.Context().Done()
		}
	})
	p := get(to, 2, 4)
	p.Timeout = loadgen.Duration{Duration: 200 * time.Millisecond}
	r := load(t, map[string]loadgen.Plan{"client": p})["client"]
	if r.Failure != "" || r.Sent != 4 || errorsOf(r) == 0 || errorsOf(r)+count(r, 200) != 4 {
		t.Errorf("%+v; want errors and answers, 4 in all", r)
	}
	if longest, _ := r.Response.Max(); longest < p.Timeout.Duration || longest > 30*time.Second {
		t.Errorf("the longest took %v; want the timeout", longest)
	}
}

func TestWhatFortioDoesNotTellIsAFailure(t *testing.T) {
	empty := newTarget(t, func(w http.ResponseWriter, _ *http.Request, _ int64) { w.WriteHeader(http.StatusNoContent) })
	nowhere := loadgen.Plan{HTTP: &loadgen.HTTP{URL: "http://nowhere.invalid/"}, Connections: 1, Requests: 1}
	for want, p := range map[string]loadgen.Plan{"status 204": get(empty, 1, 2), "nowhere.invalid": nowhere} {
		if r := load(t, map[string]loadgen.Plan{"client": p})["client"]; !strings.Contains(r.Failure, want) {
			t.Errorf("failure %q; want %q", r.Failure, want)
		}
	}
}

func TestALoadAtARateKeepsToIt(t *testing.T) {
	to := newTarget(t, fine)
	p := get(to, 4, 20)
	p.QPS = 20
	byTime := get(to, 4, 0)
	byTime.QPS, byTime.Duration = 20, loadgen.Duration{Duration: time.Second}
	results := load(t, map[string]loadgen.Plan{"requests": p, "duration": byTime})
	for name, r := range results {
		// The last request is due after 950 ms.
		if r.Failure != "" || r.Sent != 20 || r.Missed != 0 || r.LastBegun.Duration < 940*time.Millisecond || r.LastBegun.Duration > r.Elapsed.Duration {
			t.Errorf("%s: %+v; want 20 requests, the last begun after 950 ms", name, r)
		}
		if r.Response.Count() != 0 || r.Service.Count() != 20 {
			t.Errorf("%s: %d response times, %d service times; want 0 and 20: at a rate a request may have waited", name, r.Response.Count(), r.Service.Count())
		}
	}
	if elapsed := results["duration"].Elapsed; elapsed.Duration < time.Second {
		t.Errorf("it was there for %v; want a second", elapsed)
	}
}

func TestRequestsAtARateAreRoundedUpToEqualParts(t *testing.T) {
	to := newTarget(t, fine)
	p, few := get(to, 4, 7), get(to, 3, 3)
	p.QPS, few.QPS = 200, 200
	results := load(t, map[string]loadgen.Plan{"seven": p, "three": few})
	for name, want := range map[string]int64{"seven": 8, "three": 6} {
		if r := results[name]; r.Failure != "" || r.Sent != want {
			t.Errorf("%s: %+v; want %d requests", name, r, want)
		}
	}
}

func TestALoadThatCannotKeepItsRateIsNotAsAsked(t *testing.T) {
	to := newTarget(t, func(http.ResponseWriter, *http.Request, int64) { <-time.After(150 * time.Millisecond) })
	p := get(to, 2, 0)
	p.QPS, p.Duration.Duration = 40, 500*time.Millisecond // which takes 6 connections
	if r := load(t, map[string]loadgen.Plan{"client": p})["client"]; !strings.Contains(r.Failure, "late") {
		t.Errorf("%+v; want a failure", r)
	}
	p.Requests, p.Duration.Duration = 20, 0
	r := load(t, map[string]loadgen.Plan{"client": p})["client"]
	if due := 19 * time.Second / 40; r.LastBegun.Duration < due+100*time.Millisecond {
		t.Errorf("the last was begun after %v; want later than %v", r.LastBegun, due)
	}
}

func TestACompanionIsThereAsLongAsTheOther(t *testing.T) {
	slow := newTarget(t, func(http.ResponseWriter, *http.Request, int64) { <-time.After(100 * time.Millisecond) })
	to := newTarget(t, fine)
	others := get(to, 2, 0)
	others.QPS, others.While = 50, "client"
	results := load(t, map[string]loadgen.Plan{"client": get(slow, 1, 5), "others": others})
	r, other := results["others"], results["client"]
	if r.Failure != "" || r.Elapsed.Duration < other.Elapsed.Duration || r.Missed != 0 || r.Sent < 20 || r.Sent != to.asked.Load() || other.Sent != 5 {
		t.Errorf("%+v, asked %d times, beside %+v", r, to.asked.Load(), other)
	}
}

func TestAFailureEndsTheOthers(t *testing.T) {
	to := newTarget(t, fine)
	others := get(to, 2, 0)
	others.QPS, others.While = 10, "client"
	results := load(t, map[string]loadgen.Plan{
		"client": {HTTP: &loadgen.HTTP{URL: "http://nowhere.invalid/"}, Connections: 1, Requests: 1}, "others": others,
	})
	if results["client"].Failure == "" {
		t.Errorf("%+v; want a failure", results["client"])
	}
}

// endless is a load that goes on for longer than any test.
func endless(to *target) map[string]loadgen.Plan {
	p := get(to, 2, 0)
	p.QPS, p.Duration = 100, loadgen.Duration{Duration: time.Hour}
	return map[string]loadgen.Plan{"client": p}
}

func TestAnInterruptedLoadReturnsWhatItSaw(t *testing.T) {
	c := newClient(t)
	ctx, cancel := context.WithCancel(t.Context())
	to := newTarget(t, func(_ http.ResponseWriter, _ *http.Request, before int64) {
		if before == 9 {
			cancel()
		}
	})
	results, err := c.Load(ctx, endless(to), loadgen.Bounds{}, nil)
	r := results["client"]
	if !errors.Is(err, context.Canceled) || r == nil || r.Sent < 10 || r.Sent != to.asked.Load() {
		t.Errorf("error %v, %+v; the server was asked %d times", err, r, to.asked.Load())
	}
	if err := c.Idle(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAnInterruptedLoadIsNotWaitedFor(t *testing.T) {
	c := newClient(t)
	ctx, cancel := context.WithCancel(t.Context())
	held := make(chan struct{})
	to := newTarget(t, func(http.ResponseWriter, *http.Request, int64) {
		cancel()
		<-held
	})
	began := time.Now()
	results, err := c.Load(ctx, map[string]loadgen.Plan{"client": get(to, 1, 5)}, loadgen.Bounds{}, nil)
	if took := time.Since(began); !errors.Is(err, context.Canceled) || len(results) != 0 || took > stopGrace+30*time.Second {
		t.Errorf("error %v, results %v after %v; want none after %v", err, results, took, stopGrace)
	}
	close(held)
}

func TestALoadThatIsRefusedSendsNothing(t *testing.T) {
	c := newClient(t)
	to := newTarget(t, fine)
	errProxies := errors.New("the proxies cannot be read")
	plans := map[string]loadgen.Plan{"client": get(to, 1, 5)}
	if _, err := c.Load(t.Context(), plans, loadgen.Bounds{}, func(context.Context) error { return errProxies }); !errors.Is(err, errProxies) {
		t.Errorf("error %v; want that of begin", err)
	}
	watching := loadgen.Bounds{Breached: func(map[string]*loadgen.Result) *loadgen.StopError { return nil }}
	if _, err := c.Load(t.Context(), plans, watching, nil); err == nil || !strings.Contains(err.Error(), "abortWhen") {
		t.Errorf("error %v; want that no condition can be judged", err)
	}
	plans["client"] = loadgen.Plan{HTTP: &loadgen.HTTP{URL: to.url}, Connections: 1, Requests: 5, Warmup: 3}
	if _, err := c.Load(t.Context(), plans, loadgen.Bounds{}, nil); err == nil || !strings.Contains(err.Error(), "warm-up") {
		t.Errorf("error %v; want that there is no warm-up", err)
	}
	if n := to.asked.Load(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestCapsHold(t *testing.T) {
	c := newClient(t)
	to := newTarget(t, fine)
	var stop *loadgen.StopError
	began := time.Now()
	_, err := c.Load(t.Context(), map[string]loadgen.Plan{"client": get(to, 2, 60)}, loadgen.Bounds{QPS: 50}, nil)
	if took := time.Since(began); !errors.As(err, &stop) || took < time.Second {
		t.Errorf("error %v after %v; want that 60 requests at 50 a second were held back", err, took)
	}
	slow := newTarget(t, func(http.ResponseWriter, *http.Request, int64) { <-time.After(50 * time.Millisecond) })
	if _, err = c.Load(t.Context(), map[string]loadgen.Plan{"client": get(slow, 1, 40)}, loadgen.Bounds{QPS: 39}, nil); err != nil {
		t.Errorf("error %v of a load below its cap", err)
	}
	if _, err = c.Load(t.Context(), map[string]loadgen.Plan{"client": get(to, 2, 40)}, loadgen.Bounds{QPS: 40}, nil); err != nil {
		t.Errorf("error %v of no more requests than a second may have", err)
	}
	asked := to.asked.Load()
	if _, err = c.Load(t.Context(), endless(to), loadgen.Bounds{QPS: 40}, nil); !errors.As(err, &stop) || to.asked.Load() != asked {
		t.Errorf("error %v of 100 a second, where 40 may be; %d were sent", err, to.asked.Load()-asked)
	}
	heard := make(chan *loadgen.StopError, 1)
	began = time.Now()
	_, err = c.Load(t.Context(), endless(to), loadgen.Bounds{Duration: 300 * time.Millisecond, Stopped: func(s *loadgen.StopError) { heard <- s }}, nil)
	if took := time.Since(began); !errors.As(err, &stop) || <-heard != stop || took > time.Minute {
		t.Errorf("error %v after %v; want that the time was over", err, took)
	}
}

func TestWhatIsNoFortioIsSaid(t *testing.T) {
	to := newTarget(t, func(w http.ResponseWriter, _ *http.Request, _ int64) { _, _ = w.Write([]byte("<html>")) })
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	c := &Client{HTTP: &http.Client{Transport: transport}, Base: to.url}
	if err := c.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "is it a fortio server") {
		t.Errorf("error %v", err)
	}
}
