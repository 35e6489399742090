package loadgen

import (
	"io"
	"net"
	"net/http"
	"regexp"
	"sync"
	"testing"
	"time"
)

var version4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// idServer notes the ids of the requests that come, by their path.
type idServer struct {
	mu   sync.Mutex
	seen map[string][]string
}

func (s *idServer) note(r *http.Request) (nth int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[string][]string{}
	}
	s.seen[r.URL.Path] = append(s.seen[r.URL.Path], r.Header.Get("X-Request-Id"))
	return len(s.seen[r.URL.Path])
}

func TestEveryRequestHasAnIDOfItsOwn(t *testing.T) {
	var ids idServer
	url := startHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		n := ids.note(r)
		http.SetCookie(w, &http.Cookie{Name: "session", Value: string(rune('a' + n%26))}) // the request is written anew for each
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
	})
	plan := Plan{HTTP: get(url + "/a"), Connections: 3, Requests: 50, Warmup: 10}
	plan.HTTP.Method, plan.HTTP.Body = "POST", "\r\nX-Request-Id: 00000000-0000-4000-8000-000000000000\r\n"
	plan.HTTP.Login = &Login{URL: url + "/login"}
	run(t, plan)
	unique := map[string]bool{}
	for path, want := range map[string]int{"/a": 60, "/login": 3} {
		if len(ids.seen[path]) != want {
			t.Errorf("%s was asked %d times; want %d", path, len(ids.seen[path]), want)
		}
		for _, id := range ids.seen[path] {
			if !version4.MatchString(id) || unique[id] {
				t.Errorf("%s came with the id %q; want a version 4 UUID of its own", path, id)
			}
			unique[id] = true
		}
	}
}

func TestAnOutcomeKeepsItsSlowestRequest(t *testing.T) {
	var ids idServer
	t.Parallel()
	// Of a busy machine any request may take a second longer.
	const longest = 3 * time.Second
	slow := map[int]time.Duration{3: 100 * time.Millisecond, 12: longest, 21: 400 * time.Millisecond}
	url := startHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		n := ids.note(r)
		if n == 2 { // of the warm-up, which keeps no example
			<-time.After(longest + 200*time.Millisecond)
		}
		if d := slow[n]; d > 0 {
			<-time.After(d)
		}
		if n%3 == 0 {
			w.WriteHeader(503)
		}
	})
	began := time.Now()
	result := run(t, Plan{HTTP: get(url + "/"), Connections: 1, Requests: 30, Warmup: 2})
	for _, o := range result.Outcomes {
		switch e := o.Slowest; {
		case e == nil:
			t.Errorf("%d has no slowest request", o.Status)
		case o.Status == 503 && e.RequestID != ids.seen["/"][11]:
			t.Errorf("the slowest 503 is %+v; want the 12th request, %s", e, ids.seen["/"][11])
		case o.Status == 503 && (e.Response.Duration < longest || e.Begun.Before(began) || time.Since(e.Begun) < e.Response.Duration):
			t.Errorf("the slowest 503 is %+v; it took %v", e, longest)
		case o.Status == 200 && e.Response.Duration >= longest:
			t.Errorf("the slowest 200 is %+v; it is of the warm-up", e)
		}
	}
	for _, o := range result.Outcomes {
		if host, _, err := net.SplitHostPort(o.Slowest.From); err != nil || host != "127.0.0.1" {
			t.Errorf("the slowest %d came from %q", o.Status, o.Slowest.From)
		}
	}
	if slowest, _ := result.Response.Max(); slowest != result.Outcomes[1].Slowest.Response.Duration {
		t.Errorf("the slowest of all took %v, and of the 503 %v", slowest, result.Outcomes[1].Slowest.Response)
	}
}

func TestRequestsWithoutAnIDOfOursHaveNoExample(t *testing.T) {
	var ids idServer
	url := startHTTP(t, func(_ http.ResponseWriter, r *http.Request) { ids.note(r) })
	own := get(url + "/own")
	own.Header = map[string]string{"x-request-id": "mine"}
	for name, tt := range map[string]struct {
		plan Plan
		want string
	}{
		"the plan's own": {Plan{HTTP: own}, "mine"},
		"fortio's":       {Plan{HTTP: get(url + "/fortio"), Engine: EngineFortio}, ""},
		"never sent":     {Plan{HTTP: get("http://127.0.0.1:1/refused")}, ""},
	} {
		tt.plan.Connections, tt.plan.Requests = 1, 3
		for _, o := range run(t, tt.plan).Outcomes {
			if o.Slowest != nil || o.Count != 3 {
				t.Errorf("%s: %+v", name, o)
			}
		}
	}
	for path, want := range map[string]string{"/own": "mine", "/fortio": ""} {
		for _, id := range ids.seen[path] {
			if id != want {
				t.Errorf("%s came with the id %q; want %q", path, id, want)
			}
		}
	}
}
