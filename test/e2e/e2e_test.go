//go:build e2e

// Package e2e_test runs the library on both meshes and holds the verdicts
// against each other. The cluster is the one of MESHCHAOS_E2E_KUBECONFIG, with
// the sample applications of manifests in MESHCHAOS_E2E_NAMESPACE.
package e2e_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/olekukonko/tablewriter"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/mesh/istio"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/terminal"
	"github.com/meshchaos/meshchaos/scenarios"
	"github.com/meshchaos/meshchaos/test/judged"
	"github.com/meshchaos/meshchaos/test/sabotage"
)

// runs is how often each scenario is run on the cluster: MESHCHAOS_E2E_RUNS,
// else once.
func runs(t *testing.T) int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("MESHCHAOS_E2E_RUNS"), "1"))
	if err != nil {
		t.Fatalf("MESHCHAOS_E2E_RUNS: %v", err)
	}
	return n
}

func openIstio(ctx context.Context, t *testing.T, id string) mesh.Mesh {
	t.Helper()
	if os.Getenv("MESHCHAOS_E2E_KUBECONFIG") == "" {
		t.Fatal("MESHCHAOS_E2E_KUBECONFIG names no cluster; make e2e starts one")
	}
	m, err := istio.Open(ctx, optionsOf(id))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// optionsOf are those of the mesh of a run.
func optionsOf(id string) istio.Options {
	return istio.Options{
		Kubeconfig: os.Getenv("MESHCHAOS_E2E_KUBECONFIG"),
		Namespace:  cmp.Or(os.Getenv("MESHCHAOS_E2E_NAMESPACE"), "meshchaos-e2e"),
		Image:      image(),
		Run:        id,
	}
}

// run runs a scenario and takes away what the mesh made for it.
func run(t *testing.T, name, id string, m mesh.Mesh, spoil func(mesh.Mesh) mesh.Mesh) *report.Record {
	t.Helper()
	s, err := scenarios.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	record, err := runScenario(t, s, id, spoil(m))
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// runScenario returns what a run returns.
func runScenario(t *testing.T, s *scenarios.Scenario, id string, m mesh.Mesh) (*report.Record, error) {
	t.Helper()
	return carryOut(t, s, m, runner.Options{ID: id})
}

func carryOut(t *testing.T, s *scenarios.Scenario, m mesh.Mesh, o runner.Options) (*report.Record, error) {
	t.Helper()
	o.Tool, o.Seed, o.LiveLimit = report.Tool{Version: "e2e"}, 1, 20*time.Second
	record, err := runner.Run(t.Context(), m, s, o)
	if closeErr := m.Close(context.WithoutCancel(t.Context())); closeErr != nil {
		t.Error(closeErr)
	}
	return record, err
}

func honest(m mesh.Mesh) mesh.Mesh { return m }

func show(t testing.TB, r *report.Record) {
	t.Helper()
	if err := terminal.Write(t.Output(), r, terminal.Options{Explain: true}); err != nil {
		t.Error(err)
	}
}

// objectsOf is what stands in the namespace, to compare before with after.
func objectsOf(t *testing.T) []string {
	t.Helper()
	m := openIstio(t.Context(), t, "look")
	defer m.Close(context.WithoutCancel(t.Context()))
	objects, err := m.Objects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, o := range objects {
		all = append(all, string(o.Manifest))
	}
	slices.Sort(all)
	return all
}

func TestBothMeshesGiveTheSameVerdicts(t *testing.T) {
	before := objectsOf(t)
	c := connect(t, fmt.Sprintf("e2e%x", time.Now().Unix()&0xffff))
	var documented library
	for _, name := range scenarios.Names() {
		t.Run(name, func(t *testing.T) {
			s, err := scenarios.Find(name)
			if err != nil {
				t.Fatal(err)
			}
			m, err := embedded.Open(t.Context(), embedded.Options{App: s.App, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			here := run(t, name, "e2e0", m, honest)
			for i := range runs(t) {
				id := fmt.Sprintf("e2e%x%02d", time.Now().Unix()&0xffff, i)
				there := run(t, name, id, c.Mesh(id, nil), honest)
				compare(t, here, there)
				judged.Same(t, there)
				judged.Unchanged(t, there)
				if i == 0 {
					documented.add(here, there)
				}
			}
		})
	}
	if err := documented.write(); err != nil {
		t.Error(err)
	}
	if after := objectsOf(t); !slices.Equal(before, after) {
		t.Errorf("the namespace held\n%s\nand holds\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}

// compare prints the runs side by side and holds their verdicts together.
func compare(t *testing.T, here, there *report.Record) {
	t.Helper()
	table := tablewriter.NewTable(os.Stdout)
	table.Header(here.Scenario.Name, "embedded", "", "istio", "")
	for i, e := range here.Expectations {
		other := there.Expectations[i]
		if err := table.Append(e.Expression, string(e.Verdict), e.Observed, string(other.Verdict), other.Observed); err != nil {
			t.Fatal(err)
		}
		if e.Verdict != other.Verdict {
			t.Errorf("%s: %s on the embedded mesh, %s on istio: %s", e.Expression, e.Verdict, other.Verdict, other.Reason)
		}
	}
	table.Footer("verdict", string(here.Verdict), here.Ended.Sub(here.Started).Round(time.Millisecond).String(), string(there.Verdict), there.Ended.Sub(there.Started).Round(time.Millisecond).String())
	if err := table.Render(); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*report.Record{here, there} {
		if r.Verdict != report.Pass || !r.Restored {
			t.Errorf("%s: verdict %s, restored %v", r.Mesh.Kind, r.Verdict, r.Restored)
			show(t, r)
		}
	}
}

func TestUnderSabotageNothingPassesOnTheCluster(t *testing.T) {
	tried := map[string]bool{}
	for i, s := range sabotage.All() {
		if tried[s.Scenario] {
			continue
		}
		tried[s.Scenario] = true
		t.Run(s.Scenario+"/"+s.Name, func(t *testing.T) {
			id := fmt.Sprintf("sab%x%02d", time.Now().Unix()&0xffff, i)
			record := run(t, s.Scenario, id, openIstio(t.Context(), t, id), s.Spoil)
			judged.Same(t, record)
			if record.Verdict == report.Pass {
				t.Error("the run passed")
			}
			if !s.Seen(record) {
				t.Errorf("nothing shows %q", s.Shows)
				show(t, record)
			}
			if !record.Restored {
				t.Error("not everything was restored")
				show(t, record)
			}
		})
	}
}
