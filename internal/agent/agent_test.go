package agent

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/meshchaos/meshchaos/loadgen"
)

func TestMain(m *testing.M) {
	if os.Getenv(processEnv) != "" {
		beProcess()
		return
	}
	goleak.VerifyTestMain(m)
}

// serve runs an agent on loopback until the test ends, and returns a client.
func serve(t *testing.T) *Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, l) }()
	transport := &http.Transport{}
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		transport.CloseIdleConnections()
	})
	return &Client{HTTP: &http.Client{Transport: transport}, Base: "http://" + l.Addr().String()}
}

// target is a server that counts what it is asked.
func target(t *testing.T) (string, *atomic.Int64) {
	t.Helper()
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
	}))
	t.Cleanup(s.Close)
	return s.URL, &asked
}

// begun lets a load go on at once.
func begun(context.Context) (time.Time, error) { return time.Time{}, nil }

// endless sends until it is stopped.
func endless(url string) map[string]loadgen.Plan {
	return map[string]loadgen.Plan{"all": {HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 2, QPS: 200}}
}

// start begins an endless load and returns once it runs.
func start(t *testing.T, ctx context.Context, c *Client, url string) <-chan outcome {
	t.Helper()
	running := make(chan struct{})
	var told atomic.Bool
	done := make(chan outcome, 1)
	go func() {
		results, err := c.Load(ctx, Request{Plans: endless(url)}, Handlers{Begin: begun, Observe: func(p loadgen.Progress) {
			if p.Sent > 0 && !told.Swap(true) {
				close(running)
			}
		}})
		done <- outcome{results, err}
	}()
	select {
	case <-running:
	case o := <-done:
		t.Fatalf("the load ended before it was stopped: %v", o.err)
	case <-time.After(time.Minute):
		t.Fatal("no progress after a minute")
	}
	return done
}

type outcome struct {
	results map[string]*loadgen.Result
	err     error
}

// idle fails the test unless the agent has no load to run within a minute:
// it then takes another.
func idle(t *testing.T, c *Client, url string) {
	t.Helper()
	one := map[string]loadgen.Plan{"one": {HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 1, Requests: 1}}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-tick.C {
		_, err := c.Load(t.Context(), Request{Plans: one}, Handlers{Begin: begun})
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "another load is running") {
			t.Fatal(err)
		}
	}
	t.Error("the load still runs a minute after it should have ended")
}

func TestLoadReturnsWhatEachCohortSaw(t *testing.T) {
	url, asked := target(t)
	c := serve(t)
	if err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	plan := func(n int64) loadgen.Plan {
		return loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 2, Requests: n}
	}
	for range 3 { // one load may follow another at once
		asked.Store(0)
		seen := map[string]int64{}
		results, err := c.Load(t.Context(), Request{Plans: map[string]loadgen.Plan{"a": plan(30), "b": plan(7)}}, Handlers{Begin: begun, Observe: func(p loadgen.Progress) { seen[p.Cohort] = p.Sent }})
		if err != nil {
			t.Fatal(err)
		}
		if len(results) != 2 || results["a"].Sent != 30 || results["b"].Sent != 7 || asked.Load() != 37 {
			t.Errorf("a sent %d, b %d, and the target was asked %d times; want 30, 7 and 37", results["a"].Sent, results["b"].Sent, asked.Load())
		}
		if seen["a"] != 30 || seen["b"] != 7 {
			t.Errorf("last progress %v; want a 30 and b 7", seen)
		}
		if results["a"].Response == nil || results["a"].Response.Count() != 30 {
			t.Errorf("the histogram of response times did not cross the wire whole: %+v", results["a"].Response)
		}
	}
}

func TestInterruptedLoadReturnsWhatWasSeen(t *testing.T) {
	url, _ := target(t)
	c := serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := start(t, ctx, c, url)
	began := time.Now()
	cancel()
	o := <-done
	if !errors.Is(o.err, context.Canceled) {
		t.Errorf("error %v; want context.Canceled", o.err)
	}
	if o.results["all"] == nil || o.results["all"].Sent == 0 {
		t.Errorf("results %v; want those until the interruption", o.results)
	}
	if took := time.Since(began); took > stopGrace {
		t.Errorf("it took %s", took)
	}
	idle(t, c, url)
}

// leaver is another client of the agent, and what cuts off all its connections,
// those to come too.
func leaver(t *testing.T, c *Client) (leaving *Client, leave func()) {
	ctx, leave := context.WithCancel(t.Context())
	transport := &http.Transport{DialContext: func(_ context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err == nil {
			context.AfterFunc(ctx, func() { _ = conn.Close() })
		}
		return conn, err
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &Client{HTTP: &http.Client{Transport: transport}, Base: c.Base}, leave
}

func TestLoadEndsWhenTheClientIsGone(t *testing.T) {
	url, _ := target(t)
	c := serve(t)
	leaving, leave := leaver(t, c)
	done := start(t, t.Context(), leaving, url)
	leave()
	if o := <-done; o.err == nil || !strings.Contains(o.err.Error(), "connection to the load workload was lost") {
		t.Errorf("error %v; want that the connection was lost", o.err)
	}
	idle(t, c, url)
}

func TestLoadEndsWithTheServer(t *testing.T) {
	url, _ := target(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, l) }()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	done := start(t, t.Context(), &Client{HTTP: &http.Client{Transport: transport}, Base: "http://" + l.Addr().String()}, url)
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if o := <-done; o.err == nil || o.results["all"] == nil {
		t.Errorf("results %v, error %v; want those so far, and why they are not all", o.results, o.err)
	}
}

func TestSecondLoadIsRefusedWhileOneRuns(t *testing.T) {
	url, _ := target(t)
	c := serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := start(t, ctx, c, url)
	_, err := c.Load(t.Context(), Request{Plans: endless(url)}, Handlers{Begin: begun})
	if err == nil || !strings.Contains(err.Error(), "another load is running") {
		t.Errorf("error %v; want that another load is running", err)
	}
	if err := c.Idle(t.Context()); err == nil || !strings.Contains(err.Error(), "another load is running") {
		t.Errorf("it is idle: %v", err)
	}
	cancel()
	<-done
	if err := c.Idle(t.Context()); err != nil {
		t.Error(err)
	}
}

// warm is a load with a warm-up of three requests.
func warm(url string) map[string]loadgen.Plan {
	return map[string]loadgen.Plan{"a": {HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 1, Requests: 5, Warmup: 3}}
}

func TestLoadWaitsUntilItIsBegun(t *testing.T) {
	url, asked := target(t)
	c := serve(t)
	var early int64
	results, err := c.Load(t.Context(), Request{Plans: warm(url)}, Handlers{Begin: func(context.Context) (time.Time, error) {
		<-time.After(50 * time.Millisecond) // a load that did not wait would go on meanwhile
		early = asked.Load()
		return time.Time{}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r := results["a"]; early != 3 || asked.Load() != 8 || r.Sent != 5 || r.Dialed != 1 {
		t.Errorf("%d requests came before the begin, %d in all: %+v; want 3 and 8 on one connection", early, asked.Load(), r)
	}
}

func TestLoadThatIsNotBegunEnds(t *testing.T) {
	errProxies := errors.New("the proxies cannot be read")
	for name, test := range map[string]struct {
		begin func(ctx context.Context, end context.CancelFunc) error
		want  error
	}{
		"an error":    {func(context.Context, context.CancelFunc) error { return errProxies }, errProxies},
		"interrupted": {func(ctx context.Context, end context.CancelFunc) error { end(); return ctx.Err() }, context.Canceled},
		"interrupted by somebody else": {func(ctx context.Context, end context.CancelFunc) error {
			end()
			<-ctx.Done()
			return nil
		}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			url, asked := target(t)
			c := serve(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			began := time.Now()
			_, err := c.Load(ctx, Request{Plans: warm(url)}, Handlers{Begin: func(ctx context.Context) (time.Time, error) { return time.Time{}, test.begin(ctx, cancel) }})
			if !errors.Is(err, test.want) || asked.Load() != 3 {
				t.Errorf("error %v after %d requests; want %v after 3", err, asked.Load(), test.want)
			}
			if took := time.Since(began); took > stopGrace {
				t.Errorf("it took %s", took)
			}
			idle(t, c, url)
		})
	}
}

func TestLoadEndsWhenTheClientIsGoneBeforeTheBegin(t *testing.T) {
	url, asked := target(t)
	c := serve(t)
	leaving, leave := leaver(t, c)
	_, err := leaving.Load(t.Context(), Request{Plans: warm(url)}, Handlers{Begin: func(context.Context) (time.Time, error) {
		leave()
		return time.Time{}, errors.New("gone")
	}})
	if err == nil || asked.Load() != 3 {
		t.Errorf("error %v after %d requests", err, asked.Load())
	}
	idle(t, c, url)
}

func TestOnlyALoadThatIsReadyCanBeBegun(t *testing.T) {
	c := serve(t)
	resp, err := c.do(t.Context(), http.MethodPost, "/begin", nil)
	if err == nil {
		_ = resp.Body.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "no load is ready to begin") {
		t.Errorf("error %v; want that none is ready", err)
	}
}

func TestLoadThatDoesNotWaitIsRefused(t *testing.T) {
	older := strings.NewReader(`{"progress":{"cohort":"a","sent":1}}`)
	if _, err := follow(t.Context(), older, func() {}, nil, Handlers{}); err == nil || !strings.Contains(err.Error(), "of the same version") {
		t.Errorf("error %v; want that the image is another", err)
	}
}

func TestALoadThatNobodyBeginsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s, out := &server{}, lines{w: httptest.NewRecorder(), cancel: func() {}}
		_, err := s.wait(t.Context(), &out)
		if err == nil || !strings.Contains(err.Error(), "not begun within 10m0s") || time.Since(began) != beginTimeout {
			t.Errorf("error %v after %s", err, time.Since(began))
		}
	})
}

func TestAnAgentSaysThatItIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := httptest.NewRecorder()
		out := lines{w: flushing{said}, cancel: func() { t.Error("it could not be said") }}
		leave := out.beat(t.Context())
		time.Sleep(10*time.Second + time.Millisecond) // within synctest
		leave()
		if text := said.Body.String(); text != strings.Repeat("{}\n", 10) {
			t.Errorf("within 10 s it says %q", text)
		}
	})
}

// flushing is a recorder with a deadline, which nobody waits for.
type flushing struct{ *httptest.ResponseRecorder }

func (flushing) SetWriteDeadline(time.Time) error { return nil }

func TestPlansThatAreNotUnderstoodAreRefused(t *testing.T) {
	c := serve(t)
	for name, test := range map[string]struct{ body, want string }{
		"a field of a newer build": {`{"plans":{"a":{"connections":1,"burst":3}}}`, "unknown field"},
		"a bound of a newer build": {`{"plans":{"a":{"connections":1}},"bytesPerSecond":3}`, "unknown field"},
		"a condition of a newer":   {`{"plans":{"a":{"connections":1}},"abortWhen":["a.bytes > 3"]}`, `unknown quantity of a load "bytes"`},
		"what an older build asks": {`{"a":{"connections":1}}`, "must be of the same version"},
		"no JSON":                  {"connections: 1", "reading the plans"},
		"no plan":                  {`{}`, "there is none"},
		"no request":               {`{"plans":{"a":{"connections":1}}}`, "a"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := c.do(t.Context(), http.MethodPost, "/load", []byte(test.body))
			if err == nil { // what loadgen refuses comes as the last line
				_, err = follow(t.Context(), resp.Body, func() {}, nil, Handlers{})
				_ = resp.Body.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v; want %q", err, test.want)
			}
		})
	}
}
