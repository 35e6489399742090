package embedded

import (
	"context"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

func TestSendersEnterByProxiesOfTheirOwn(t *testing.T) {
	t.Setenv(agentEnv, "1")
	m := open(t, "httpbin", 1)
	get := &loadgen.HTTP{Method: "GET", URL: "http://httpbin:8000/status/418"}
	cohorts := []mesh.Cohort{
		{Name: "three", From: mesh.FromClient, Plan: loadgen.Plan{HTTP: get, Connections: 6, QPS: 200, Requests: 100, Senders: 3}},
		{Name: "two", From: "httpbin-v2", Plan: loadgen.Plan{HTTP: get, Connections: 2, Requests: 21, Senders: 2}},
		{Name: "one", From: mesh.FromClient, Plan: loadgen.Plan{HTTP: get, Connections: 1, QPS: 50, While: "three"}},
	}
	if err := m.Prepare(t.Context(), cohorts); err != nil {
		t.Fatal(err)
	}
	ready := len(m.senders)
	begins := 0
	results, err := m.Load(t.Context(), cohorts, mesh.Guard{}, func(context.Context) error { begins++; return nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, senders := range map[string]int{"three": 3, "two": 2, "one": 0} {
		r := results[name]
		if len(r.Senders) != senders || r.Count(func(o loadgen.Outcome) bool { return o.Status == 418 }) != r.Sent {
			t.Errorf("%s: %+v by %+v", name, r.Outcomes, r.Senders)
		}
	}
	if results["three"].Sent != 100 || results["two"].Sent != 21 || results["one"].Sent < 15 || begins != 1 || ready != 3 || len(m.senders) != 3 {
		t.Errorf("%d, %d and %d sent, of %d begins, by %d processes of which %d were prepared", results["three"].Sent, results["two"].Sent, results["one"].Sent, begins, len(m.senders), ready)
	}
	proxies, err := m.Proxies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]uint64{}
	for _, p := range proxies {
		if !p.Client {
			continue
		}
		stats, err := p.Admin.Stats(t.Context(), "downstream_rq_total")
		if err != nil {
			t.Fatal(err)
		}
		for name, n := range stats {
			if strings.HasSuffix(name, "downstream_rq_total") {
				counted[p.Name] += n
			}
		}
	}
	for i, name := range []string{clientName, clientName + "-1", clientName + "-2"} {
		want := uint64(results["three"].Senders[i].Sent)
		if i == 0 {
			want += uint64(results["one"].Sent)
		}
		if counted[name] != want {
			t.Errorf("%s has counted %d requests, and %d were sent by it", name, counted[name], want)
		}
	}
	processes := m.senders
	if err := m.Close(t.Context()); err != nil {
		t.Error(err)
	}
	for _, p := range processes {
		if p.Alive() {
			t.Error("a sender goes on when its mesh is closed")
		}
	}
}

func TestASenderThatDiedIsReplacedForTheNextLoad(t *testing.T) {
	t.Setenv(agentEnv, "1")
	m := open(t, "httpbin", 1)
	cohorts := []mesh.Cohort{{Name: "two", From: mesh.FromClient, Plan: loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: "http://httpbin:8000/status/200"}, Connections: 2, Requests: 4, Senders: 2}}}
	if err := m.Prepare(t.Context(), cohorts); err != nil {
		t.Fatal(err)
	}
	m.senders[0].Close()
	results, err := m.Load(t.Context(), cohorts, mesh.Guard{}, begun, nil)
	if err != nil || results["two"].Sent != 4 || results["two"].Missed != 0 {
		t.Errorf("error %v: %+v", err, results["two"])
	}
}

func TestWithoutAProgramThereIsOneSender(t *testing.T) {
	m, err := Open(t.Context(), Options{App: "httpbin", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(context.Background())
	cohorts := []mesh.Cohort{{Name: "two", From: mesh.FromClient, Plan: loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: "http://httpbin:8000/"}, Connections: 2, Requests: 4, Senders: 2}}}
	if err := m.Prepare(t.Context(), cohorts); err == nil || !strings.Contains(err.Error(), "take senders out") {
		t.Errorf("error %v", err)
	}
}
