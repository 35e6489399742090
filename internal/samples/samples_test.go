package samples

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

func TestApps(t *testing.T) {
	got := map[string][]string{}
	for _, name := range Apps() {
		workloads, err := App(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range workloads {
			got[name] = append(got[name], w.Name())
			if found, err := Lookup(w.App, w.Version); err != nil || found.Name() != w.Name() || found.Port != w.Port {
				t.Errorf("Lookup(%q, %q) = %s on port %d, %v; want %s on port %d", w.App, w.Version, found.Name(), found.Port, err, w.Name(), w.Port)
			}
		}
	}
	for name, want := range map[string][]string{
		"bookinfo":  {"productpage-v1", "details-v1", "ratings-v1", "reviews-v1", "reviews-v2", "reviews-v3"},
		"httpbin":   {"httpbin-v1", "httpbin-v2", "httpbin-slow-v2"},
		"tcp-echo":  {"tcp-echo-v1", "tcp-echo-v2"},
		"micro-api": {"micro-api-v1", "micro-api-v2"},
		"ratings":   {"ratings-v1", "ratings-v-faulty", "ratings-v-delayed", "ratings-v-unavailable", "ratings-v-unhealthy"},
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("workloads of %s (-want +got):\n%s", name, diff)
		}
	}
}

func TestEveryApplicationIsDescribed(t *testing.T) {
	page, err := os.ReadFile("../../docs/samples.md")
	if err != nil {
		t.Fatal(err)
	}
	var described []string
	for line := range strings.Lines(string(page)) {
		if name, found := strings.CutPrefix(line, "## "); found {
			described = append(described, strings.TrimSpace(name))
		}
	}
	if diff := cmp.Diff(Apps(), described); diff != "" {
		t.Errorf("the sections of docs/samples.md (-want +got):\n%s", diff)
	}
}

func TestUnknownNamesAreAnsweredWithTheKnown(t *testing.T) {
	_, app := App("bokinfo")
	_, service := Lookup("review", "v1")
	_, version := Lookup("reviews", "v4")
	for _, row := range []struct {
		err  error
		want string
	}{
		{app, `finding application "bokinfo": there is no such sample; choose ` + strings.Join(Apps(), ", ")},
		{service, `finding service "review": there is no such service; choose productpage, details, ratings, reviews, httpbin, httpbin-slow`},
		{version, `finding version "v4" of service "reviews": there is no such version; choose v1, v2, v3`},
		{workload.Workload{App: "reviews", Version: "v4"}.Serve(t.Context(), newLoopback(t).listen(), workload.Env{}), "it says neither HTTP nor gRPC nor TCP"},
	} {
		if row.err == nil || !strings.Contains(row.err.Error(), row.want) {
			t.Errorf("error %v, want %s", row.err, row.want)
		}
	}
}
