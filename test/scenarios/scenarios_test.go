// Package scenarios_test runs the library on the embedded mesh: it passes, and
// under sabotage it never does.
package scenarios_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/terminal"
	"github.com/meshchaos/meshchaos/scenarios"
	"github.com/meshchaos/meshchaos/test/judged"
	"github.com/meshchaos/meshchaos/test/sabotage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// runs is how often each scenario of the library is run, each time with
// another seed: MESHCHAOS_RUNS, else 2.
func runs(t *testing.T) uint64 {
	text := os.Getenv("MESHCHAOS_RUNS")
	if text == "" {
		return 2
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		t.Fatalf("MESHCHAOS_RUNS: %v", err)
	}
	return n
}

// run runs a scenario of the library on an embedded mesh of its own.
func run(t testing.TB, name string, seed uint64, spoil func(mesh.Mesh) mesh.Mesh) *report.Record {
	t.Helper()
	s, err := scenarios.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return carryOut(t, s, spoil, runner.Options{Seed: seed})
}

// carryOut runs a scenario on an embedded mesh of its own.
func carryOut(t testing.TB, s *scenarios.Scenario, spoil func(mesh.Mesh) mesh.Mesh, o runner.Options) *report.Record {
	t.Helper()
	m, err := embedded.Open(t.Context(), embedded.Options{App: s.App, Seed: o.Seed})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	o.ID, o.Tool, o.LiveLimit = fmt.Sprintf("%08x", o.Seed), report.Tool{Version: "test"}, 5*time.Second
	record, err := runner.Run(t.Context(), spoil(m), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func honest(m mesh.Mesh) mesh.Mesh { return m }

// passing runs a scenario that is to pass, and again while it is inconclusive, up to three
// times: a machine that has much else to do keeps a load from its rate now and then, which
// says so.
func passing(t testing.TB, name string, seed uint64) (record *report.Record) {
	t.Helper()
	for range 3 {
		if record = run(t, name, seed, honest); record.Verdict != report.Inconclusive {
			break
		}
		t.Logf("%s is inconclusive: %q", name, record.Against())
	}
	return record
}

func show(t testing.TB, r *report.Record) {
	t.Helper()
	if err := terminal.Write(t.Output(), r, terminal.Options{Explain: true}); err != nil {
		t.Error(err)
	}
}

func TestTheLibraryPasses(t *testing.T) {
	for _, name := range scenarios.Names() {
		for seed := range runs(t) {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				t.Parallel()
				record := passing(t, name, seed+1)
				if record.Verdict != report.Pass || !record.Restored {
					show(t, record)
					t.Fatalf("verdict %s, restored %v", record.Verdict, record.Restored)
				}
				judged.Same(t, record)
				judged.Unchanged(t, record)
				otherwise(t, record)
			})
		}
	}
}

func TestUnderSabotageTheLibraryNeverPasses(t *testing.T) {
	for i, s := range sabotage.All() {
		t.Run(s.Scenario+"/"+s.Name, func(t *testing.T) {
			t.Parallel()
			record := run(t, s.Scenario, uint64(i)+1, s.Spoil)
			t.Logf("verdict %s", record.Verdict)
			show(t, record)
			judged.Same(t, record)
			if record.Verdict == report.Pass {
				t.Error("the run passed")
			}
			if !s.Seen(record) {
				t.Errorf("nothing shows %q", s.Shows)
			}
			if !record.Restored {
				t.Error("not everything was restored")
			}
		})
	}
}

func TestTwentyRunsInOneProcessDoNotDisturbEachOther(t *testing.T) {
	var group sync.WaitGroup
	for i := range 20 {
		name := []string{"breaker-httpbin", "tcp-shift"}[i%2]
		group.Go(func() {
			record := passing(t, name, uint64(i)+1)
			if record.Verdict != report.Pass || !record.Restored {
				t.Errorf("run %d of %s: verdict %s, restored %v", i, name, record.Verdict, record.Restored)
				show(t, record)
			}
		})
	}
	group.Wait()
}

func TestASeedRepeatsEveryDraw(t *testing.T) {
	counts := func(seed uint64) []int64 {
		var all []int64
		for _, w := range run(t, "tcp-shift", seed, honest).Windows {
			all = append(all, w.Loads["callers"].Count(func(o loadgen.Outcome) bool { return o.Version == "v2" }))
		}
		return all
	}
	first, again, other := counts(7), counts(7), counts(8)
	if !reflect.DeepEqual(first, again) {
		t.Errorf("seed 7 drew %v, then %v", first, again)
	}
	if reflect.DeepEqual(first, other) {
		t.Errorf("seeds 7 and 8 both drew %v", first)
	}
}

func TestARecordSurvivesJSON(t *testing.T) {
	record := run(t, "tcp-shift", 3, honest)
	text, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	var keys struct {
		Verdict      string
		Restored     bool
		Scenario     struct{ Name string }
		Mesh         struct{ Kind string }
		Expectations []map[string]any
	}
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	if keys.Verdict != "pass" || !keys.Restored || keys.Scenario.Name != "tcp-shift" || keys.Mesh.Kind != "embedded" || len(keys.Expectations) == 0 {
		t.Errorf("the fixed keys hold %+v", keys)
	}
	for _, e := range keys.Expectations {
		for _, key := range []string{"expression", "verdict", "observed", "limit", "samples"} {
			if _, ok := e[key]; !ok {
				t.Errorf("the expectation %v has no %s", e["expression"], key)
			}
		}
	}
}
