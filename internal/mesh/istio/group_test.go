package istio

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/agent"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

// agents is a mesh whose load workloads, one that borrows none and one that borrows
// page-v1, are agents of this process.
func agents(t *testing.T) *Mesh {
	t.Helper()
	m := &Mesh{Cluster: &Cluster{}, workloads: map[string]*starting{}}
	for _, borrows := range []string{"", "page-v1"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var serving sync.WaitGroup
		serving.Go(func() {
			if err := agent.Serve(ctx, l); err != nil {
				t.Error(err)
			}
		})
		transport := &http.Transport{}
		t.Cleanup(func() {
			transport.CloseIdleConnections()
			cancel()
			serving.Wait()
		})
		s := &starting{done: make(chan struct{}), cancel: func() {}}
		s.lent = &workload{
			name: "client" + borrows, as: borrowed{workload: borrows},
			agent: &agent.Client{HTTP: &http.Client{Transport: transport}, Base: "http://" + l.Addr().String()},
			vigil: &vigil{over: make(chan struct{})},
		}
		close(s.done)
		m.workloads[borrows] = s
	}
	return m
}

// page answers, and counts.
func page(t *testing.T) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			panic(http.ErrAbortHandler)
		}
		asked.Add(1)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

// calls is a cohort that sends 100 requests a second.
func calls(url, name, from string, requests int64, while string) mesh.Cohort {
	return mesh.Cohort{Name: name, From: from, Plan: loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 1, QPS: 100, Requests: requests, While: while}}
}

func TestALoadFromTwoPlacesIsOne(t *testing.T) {
	m := agents(t)
	url, asked := page(t)
	begins, early := 0, int64(0)
	results, err := m.Load(t.Context(), []mesh.Cohort{
		calls(url, "theirs", "page-v1", 140, ""),
		calls(url, "beside", mesh.FromClient, 0, "theirs"),
		calls(url, "ours", mesh.FromClient, 5, ""),
		calls(url, "back", "page-v1", 0, "ours"),
	}, mesh.Guard{}, func(context.Context) error {
		begins++
		<-time.After(50 * time.Millisecond) // a part that did not wait would go on meanwhile
		early = asked.Load()
		return nil
	}, func(loadgen.Progress) {})
	if err != nil || begins != 1 || early != 0 || len(results) != 4 {
		t.Fatalf("error %v, %d begins, %d requests before, results of %d cohorts", err, begins, early, len(results))
	}
	for while, of := range map[string]string{"beside": "theirs", "back": "ours"} {
		// Each began a moment apart from the other, so that their ends are compared.
		longer := results[while].Started.Add(results[while].Elapsed.Duration).Sub(results[of].Started.Add(results[of].Elapsed.Duration))
		few := results[while].Sent+results[while].Missed < results[of].Sent-2
		if longer < 0 || longer > 30*time.Second || few || len(results[while].Outcomes) != 1 {
			t.Errorf("%s was there %v longer than %s, and saw %+v", while, longer, of, results[while].Outcomes)
		}
	}
	if results["theirs"].Sent != 140 || results["ours"].Sent != 5 || results["back"].Elapsed.Duration > results["theirs"].Elapsed.Duration {
		t.Errorf("theirs sent %d and ours %d; back lasted %v, theirs %v", results["theirs"].Sent, results["ours"].Sent, results["back"].Elapsed, results["theirs"].Elapsed)
	}
}

func TestWhatEndsALoadInOnePlaceEndsItInAll(t *testing.T) {
	url, _ := page(t)
	errProxies := errors.New("the proxies cannot be read")
	endless := []mesh.Cohort{calls(url, "theirs", "page-v1", 0, ""), calls(url, "ours", mesh.FromClient, 0, "")}
	fast := calls(url, "ours", mesh.FromClient, 0, "")
	fast.Plan.QPS = 0
	for name, test := range map[string]struct {
		cohorts []mesh.Cohort
		guard   mesh.Guard
		begin   func(context.Context, context.CancelFunc) error
		want    string // of the error; empty: there is none
	}{
		"a condition":     {endless, mesh.Guard{AbortWhen: []string{"theirs.sent > 10"}}, nil, "theirs.sent > 10 came true"},
		"a cap":           {[]mesh.Cohort{endless[0], fast}, mesh.Guard{QPS: 200}, nil, "and the cap is 50 qps"},
		"a refusal":       {endless, mesh.Guard{}, func(context.Context, context.CancelFunc) error { return errProxies }, errProxies.Error()},
		"an interruption": {endless, mesh.Guard{}, func(_ context.Context, end context.CancelFunc) error { end(); return nil }, "context canceled"},
		"a failed login": {[]mesh.Cohort{endless[0], {Name: "ours", From: mesh.FromClient, Plan: loadgen.Plan{
			HTTP: &loadgen.HTTP{Method: "GET", URL: url, Login: &loadgen.Login{URL: url + "/login"}}, Connections: 1, Requests: 1,
		}}}, mesh.Guard{}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := agents(t)
			ctx, end := context.WithCancel(t.Context())
			defer end()
			heard := 0
			test.guard.Stopped = func(*loadgen.StopError) { heard++ }
			began := time.Now()
			results, err := m.Load(ctx, test.cohorts, test.guard, func(ctx context.Context) error {
				if test.begin == nil {
					return nil
				}
				return test.begin(ctx, end)
			}, nil)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v; want %q", err, test.want)
			}
			var stop *loadgen.StopError
			if (heard == 1) != errors.As(err, &stop) {
				t.Errorf("it was heard of %d times", heard)
			}
			if took := time.Since(began); took > time.Minute {
				t.Errorf("it took %v", took)
			}
			// A part that is ended before it was asked for has seen nothing.
			ours, theirs := results["ours"], results["theirs"]
			if name == "a failed login" && (ours == nil || ours.Failure == "" || theirs != nil && theirs.Sent > 0) {
				t.Errorf("ours: %+v; theirs: %+v", ours, theirs)
			}
		})
	}
}

func TestAConditionThatNoPlaceCanJudgeIsJudgedHere(t *testing.T) {
	m := agents(t)
	url, _ := page(t)
	cohorts := []mesh.Cohort{calls(url, "theirs", "page-v1", 0, ""), calls(url, "ours", mesh.FromClient, 1, "")}
	results, err := m.Load(t.Context(), cohorts, mesh.Guard{AbortWhen: []string{"theirs.sent > 20 * ours.sent"}}, begunAtOnce, nil)
	var stop *loadgen.StopError
	if !errors.As(err, &stop) || stop.Condition != "theirs.sent > 20 * ours.sent" || stop.Sent < 22 || stop.After.Duration == 0 || results["theirs"].Sent < 21 {
		t.Errorf("error %v (%+v)", err, stop)
	}
}

func TestADeadLoadWorkloadEndsTheOthersToo(t *testing.T) {
	m := agents(t)
	url, _ := page(t)
	dead := m.workloads["page-v1"].lent.vigil
	dead.why, dead.logged = errors.New("somebody deleted it"), make(chan struct{})
	close(dead.logged)
	var once sync.Once
	_, err := m.Load(t.Context(), []mesh.Cohort{calls(url, "theirs", "page-v1", 0, ""), calls(url, "ours", mesh.FromClient, 0, "")}, mesh.Guard{}, begunAtOnce,
		func(p loadgen.Progress) {
			if p.Sent > 0 {
				once.Do(func() { close(dead.over) })
			}
		})
	if err == nil || !strings.Contains(err.Error(), "clientpage-v1, died: somebody deleted it") {
		t.Errorf("error %v", err)
	}
}

func begunAtOnce(context.Context) error { return nil }
