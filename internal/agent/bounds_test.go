package agent

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

// failing is a server that fails from a request on, and knows when it was asked last.
func failing(t *testing.T, from int64) (url string, asked, last *atomic.Int64) {
	asked, last = new(atomic.Int64), new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		last.Store(time.Now().UnixNano())
		if asked.Add(1) > from {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, asked, last
}

func TestALoadEndsByItsConditionAndSaysSo(t *testing.T) {
	url, _, _ := failing(t, 30)
	c := serve(t)
	heard := make(chan *loadgen.StopError, 1)
	results, err := c.Load(t.Context(), Request{Plans: endless(url), AbortWhen: []string{"all.share(503) > 5%"}}, Handlers{Begin: begun,
		Stopped: func(stop *loadgen.StopError) { heard <- stop }})
	var stop *loadgen.StopError
	if !errors.As(err, &stop) || stop.Condition != "all.share(503) > 5%" || stop.Limit != "> 5%" || stop.Samples < 32 {
		t.Fatalf("error %v (%+v); want the condition", err, stop)
	}
	if len(stop.Values) != 1 || stop.Values[0].Unit != loadgen.Share || stop.Values[0].Value <= 0.05 || len(stop.Bounds) != 1 || *stop.Bounds[0].Value != 0.05 {
		t.Errorf("it came as %+v; want the share, and that it is above 0.05", stop)
	}
	if told := <-heard; !reflect.DeepEqual(told, stop) {
		t.Errorf("it was told %+v, and the error is %+v", told, stop)
	}
	if results["all"] == nil || results["all"].Sent < stop.Sent {
		t.Errorf("results %+v; want those until then", results["all"])
	}
	idle(t, c, url)
}

// deaf takes every line, and tells nobody.
type deaf struct{ *httptest.ResponseRecorder }

func (deaf) SetWriteDeadline(time.Time) error { return nil }

// Whoever asked for the load may be gone, and not be seen to be: the condition is
// held where the load is made.
func TestALoadEndsByItsConditionThoughNobodyReads(t *testing.T) {
	url, asked, last := failing(t, 30)
	s := &server{}
	body := `{"plans":{"all":{"http":{"method":"GET","url":"` + url + `"},"connections":2,"qps":200}},"abortWhen":["all.status[503] > 5"]}`
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	go func() {
		for {
			select {
			case <-tick.C:
				s.begin(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/begin", nil))
			case <-ctx.Done():
				return
			}
		}
	}()
	s.load(deaf{httptest.NewRecorder()}, httptest.NewRequest(http.MethodPost, "/load", strings.NewReader(body)).WithContext(ctx))
	if n := asked.Load(); n < 36 || n > 36+200*20 {
		t.Errorf("it was asked %d times; want it to end soon after 36", n)
	}
	if since := time.Since(time.Unix(0, last.Load())); since > 20*time.Second {
		t.Errorf("it ended %v after its last request", since)
	}
}

func TestACohortThatIsOverEndsAndTheOthersGoOn(t *testing.T) {
	url, _ := target(t)
	c := serve(t)
	plans := endless(url)
	plans["b"] = loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 1, QPS: 100, Requests: 30}
	if err := c.Over(t.Context(), "b"); err == nil || !strings.Contains(err.Error(), "no load runs") {
		t.Errorf("without a load: %v", err)
	}
	var told sync.Once
	results, err := c.Load(t.Context(), Request{Plans: plans}, Handlers{Begin: begun, Observe: func(p loadgen.Progress) {
		if p.Cohort == "b" && p.Ended {
			told.Do(func() {
				if err := c.Over(t.Context(), "all"); err != nil {
					t.Error(err)
				}
			})
		}
	}})
	if err != nil || results["b"].Sent != 30 {
		t.Fatalf("error %v, results %v", err, results)
	}
	for name, r := range results {
		if r.Count(func(o loadgen.Outcome) bool { return o.Status != 200 }) > 0 {
			t.Errorf("%s was cut off: %+v", name, r.Outcomes)
		}
	}
}

func TestALoadOfWhichNothingIsSaidHasAnEnd(t *testing.T) {
	for duration, want := range map[string]time.Duration{"": time.Hour, `,"durationNs":7200000000000`: 2 * time.Hour} {
		asked, err := readRequest(strings.NewReader(`{"plans":{"all":{"connections":1}}` + duration + `}`))
		if err != nil || asked.bounds.Duration != want {
			t.Errorf("%q: %+v, error %v; want %v", duration, asked, err, want)
		}
	}
}
