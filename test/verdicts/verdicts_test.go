package verdicts

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/meshtest"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/terminal"
	"github.com/meshchaos/meshchaos/scenarios"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limit is far above what any row takes: one that hangs is cut off, and then
// is no pass.
const limit = time.Minute

// live is how long the proxies may take to run a rule.
const live = 5 * time.Second

// runs is how often each row is run, each time with another seed:
// MESHCHAOS_RUNS, else once.
func runs(t *testing.T) uint64 {
	text := os.Getenv("MESHCHAOS_RUNS")
	if text == "" {
		return 1
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		t.Fatalf("MESHCHAOS_RUNS: %v", err)
	}
	return n
}

func rows(t *testing.T) []Row {
	t.Helper()
	all, err := Rows("testdata")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("the table is empty")
	}
	return all
}

// run runs a scenario that was read, and holds the mesh to what it was.
func run(t *testing.T, m mesh.Mesh, s *scenarios.Scenario, seed uint64, live time.Duration) Ended {
	t.Helper()
	compare := meshtest.Remember(t, m)
	ended := Ended{}
	for _, w := range s.Warnings {
		ended.Warnings = append(ended.Warnings, w.Message)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	ended.Record, ended.Err = runner.Run(ctx, m, s, runner.Options{ID: fmt.Sprintf("%08x", seed), Tool: report.Tool{Version: "test"}, Seed: seed, LiveLimit: live})
	if ctx.Err() != nil {
		ended.Err = fmt.Errorf("it had not ended after %v", limit)
	}
	compare()
	return ended
}

// tries is how often a row is run at the most that is inconclusive, and must not be: a
// machine that has much else to do keeps a load from its rate now and then, which says so.
const tries = 3

// runRow runs a file of the table on an embedded mesh of its own.
func runRow(t *testing.T, row Row, seed uint64) (ended Ended) {
	t.Helper()
	for range tries {
		s, err := scenarios.Read(row.Path)
		if err != nil {
			return Ended{Err: err}
		}
		ended = run(t, meshtest.Open(t, s.App, seed), s, seed, live)
		if ended.Err != nil || row.End == string(report.Inconclusive) || ended.Record.Verdict != report.Inconclusive {
			break
		}
		t.Logf("it is inconclusive: %q", ended.Record.Against())
	}
	return ended
}

func show(t *testing.T, e Ended) {
	t.Helper()
	if e.Record == nil {
		return
	}
	if err := terminal.Write(t.Output(), e.Record, terminal.Options{Explain: true}); err != nil {
		t.Error(err)
	}
}

// hold holds a row to its end, or a pending one to another.
func hold(t *testing.T, row Row, ended Ended) {
	t.Helper()
	if !holdTo(t, row, row.Held(ended)) {
		show(t, ended)
	}
}

// holdTo says whether a row ended as it must, by what it did otherwise, or
// whether it is known not to.
func holdTo(t *testing.T, row Row, err error) bool {
	t.Helper()
	if reason, waits := pending[row.ID()]; waits {
		if err == nil {
			t.Errorf("it ends as it must: take it out of pending, where it stands for %q", reason)
		}
		t.Logf("pending (%s): %v", reason, err)
		return true
	}
	if err != nil {
		t.Error(err)
	}
	return err == nil
}

func TestEveryFileEndsAsItMust(t *testing.T) {
	for _, row := range rows(t) {
		for seed := range runs(t) {
			t.Run(fmt.Sprintf("%s/%d", row.ID(), seed), func(t *testing.T) {
				t.Parallel()
				hold(t, row, runRow(t, row, seed+1))
			})
		}
	}
}

func TestTheClusterIsTriedWithRowsOfTheTable(t *testing.T) {
	rows, err := OnCluster("testdata")
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < 10 {
		t.Errorf("the cluster is tried with %d rows", len(rows))
	}
	for _, row := range rows {
		if reason, waits := pending[row.ID()]; waits {
			t.Logf("%s is pending: %s", row.ID(), reason)
		}
	}
}

func TestEverySentenceHasThreeFiles(t *testing.T) {
	healthy, sick := map[string]int{}, map[string]int{}
	ids := map[string]bool{}
	all := rows(t)
	for _, h := range hands() {
		all = append(all, h.Row)
	}
	for _, c := range calls() {
		ids[c.ID()] = true
	}
	for _, row := range all {
		ids[row.ID()] = true
		if row.Healthy() {
			healthy[row.Folder]++
		} else {
			sick[row.Folder]++
		}
	}
	folders := map[string]bool{}
	for _, row := range all {
		folders[row.Folder] = true
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		if healthy[name] < 1 || sick[name] < 2 && !strings.HasSuffix(name, "-warns") {
			t.Errorf("%s has %d files that must not pass and %d that must, not at least 2 and 1", name, sick[name], healthy[name])
		}
		if !strings.Contains(string(readme), "`"+name+"`") {
			t.Errorf("README.md does not say which sentence %s is about", name)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(pending)) {
		if !ids[id] {
			t.Errorf("pending names %s, which is no file", id)
		}
	}
}
