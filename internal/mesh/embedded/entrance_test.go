package embedded

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

// from is a cohort that calls httpbin, which shows who its caller is.
func from(workload string) mesh.Cohort {
	return mesh.Cohort{Name: "a", From: workload, Plan: loadgen.Plan{
		HTTP: &loadgen.HTTP{Method: "GET", URL: "http://httpbin:8000/headers"}, Connections: 1, Requests: 1,
		Checks: []loadgen.Check{{Name: "borrowed", Body: "URI=spiffe://cluster.local/ns/default/sa/httpbin-v2\""}, {Name: "own", Body: "/sa/" + clientName + "\""}},
	}}
}

func TestALoadWorkloadPassesForAnother(t *testing.T) {
	m := open(t, "httpbin", 1)
	// A rule that is written before the load workload is made holds for it too.
	create(t, m, `{"kind":"VirtualService","metadata":{"name":"v"},"spec":{"hosts":["httpbin"],"http":[
		{"match":[{"sourceLabels":{"app":"httpbin","version":"v2"}}],"route":[{"destination":{"host":"httpbin"}}]},
		{"fault":{"abort":{"percentage":{"value":100},"httpStatus":404}},"route":[{"destination":{"host":"httpbin"}}]}]}}`)
	cohorts := []mesh.Cohort{from("httpbin-v2"), from(mesh.FromClient), from("httpbin-v2")}
	if err := m.Prepare(t.Context(), cohorts); err != nil {
		t.Fatal(err)
	}
	for workload, want := range map[string]string{"httpbin-v2": "200 borrowed", mesh.FromClient: "404 "} {
		r, err := m.Load(t.Context(), []mesh.Cohort{from(workload)}, mesh.Guard{}, begun, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range r["a"].Outcomes {
			if got := fmt.Sprint(o.Status, " ", strings.Join(o.Checks, ",")); got != want {
				t.Errorf("from %s: %s, want %s", workload, got, want)
			}
		}
	}
	proxies, err := m.Proxies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]string{}
	for _, p := range proxies {
		if p.Client {
			got[p.Borrows] = p.Labels
			if p.Address != "" || p.Workload != p.Name {
				t.Errorf("%s is of %s, at %q", p.Name, p.Workload, p.Address)
			}
		}
	}
	want := map[string]map[string]string{"": {"app": clientName}, "httpbin-v2": {"app": "httpbin", "version": "v2"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the load workloads (-want +got):\n%s", diff)
	}
	services, err := m.Services(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(services, func(s mesh.Service) bool { return s.Name == "httpbin" })
	if len(services[at].Ready) != 2 {
		t.Errorf("behind httpbin there are %d pods", len(services[at].Ready))
	}
}

func TestALoadFromNobody(t *testing.T) {
	m := open(t, "httpbin", 1)
	err := m.Prepare(t.Context(), []mesh.Cohort{from("httpbin-v3")})
	if err == nil || !strings.Contains(err.Error(), `preparing the load a: the application has no workload "httpbin-v3"; did you mean httpbin-v1?`) {
		t.Errorf("preparing: %v", err)
	}
	if _, err := m.Load(t.Context(), []mesh.Cohort{from("httpbin-v1")}, mesh.Guard{}, begun, nil); err == nil || !strings.Contains(err.Error(), "prepared without this load") {
		t.Errorf("loading: %v", err)
	}
}

func TestWorkloadsOfAnApplication(t *testing.T) {
	got := map[string][]string{}
	for _, app := range []string{"httpbin", "micro-api"} {
		var err error
		if got[app], err = Workloads(app); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string][]string{"httpbin": {"httpbin-slow-v2", "httpbin-v1", "httpbin-v2"}, "micro-api": {"micro-api-v1", "micro-api-v2"}}
	for app := range maps.Keys(want) {
		if diff := cmp.Diff(want[app], got[app]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", app, diff)
		}
	}
}
