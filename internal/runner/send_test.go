package runner_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/internal/mesh/meshtest"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/internal/verdict"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// chain asks httpbin for what it tells, and then for that, beside requests that are drawn.
const chain = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: chain}
spec:
  app: httpbin
  apply:
    - fault: {service: httpbin, abort: 503, percent: 20%}
  load:
    chain:
      send:
        - {name: first, post: "http://httpbin:8000/post?who={{.name}}", take: {name: who, pointer: /args/who/0}}
        - {name: second, get: "http://httpbin:8000/get?id={{.who}}", take: {name: id, match: '"id": \[\s*"([^"]+)'}}
        - {name: third, post: "http://httpbin:8000/post", body: "{{.id}}"}
      values: names.csv
      requests: 300
    mixed:
      send:
        - {name: a, get: "http://httpbin:8000/get", weight: 3}
        - {name: b, get: "http://httpbin:8000/headers", weight: 1}
      requests: 100
  expect:
    - chain.errors == 0
    - chain.first.status[503] + chain.second.status[503] + chain.third.status[503] > 10
    - chain.second.share(503) < 90%
    - chain.third.sent < chain.second.sent
    - mixed.share(503) < 40%
    - mixed.a.sent > mixed.b.sent
    - recovery.chain.third.status[200] == recovery.chain.third.sent
    - 5% < faults(httpbin) / (chain.sent + mixed.sent) < 50%
`

// A list of requests is run as any load is, comes to the same verdict from its record, and
// draws by the seed of the run.
func TestAListOfRequestsIsRunAndJudgedAgain(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{"chain.yaml": chain, "names.csv": "name\nann & bo\n\"cy, di\"\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	drawn := map[int64][]loadgen.Outcome{}
	for range 2 {
		record, again := passed(t, filepath.Join(folder, "chain.yaml"))
		was := record.Verdict
		if verdict.Judge(record, again).Enter(record); record.Verdict != was {
			t.Errorf("it was %s, and is %s", was, record.Verdict)
		}
		for _, w := range record.Windows {
			mixed := w.Loads["mixed"]
			if mixed.Seed != record.LoadSeed(&w, "mixed") {
				t.Errorf("the %s draws by %d", w.Words(), mixed.Seed)
			}
			for _, name := range []string{"a", "b"} {
				drawn[mixed.Seed] = append(drawn[mixed.Seed], loadgen.Outcome{Request: name, Count: mixed.Of(name).Sent})
			}
		}
	}
	if len(drawn) != 3 {
		t.Errorf("three windows have drawn by %d seeds", len(drawn))
	}
	for seed, all := range drawn {
		if diff := cmp.Diff(all[:2], all[2:]); diff != "" {
			t.Errorf("by the seed %d: %s", seed, diff)
		}
	}
}

// passed runs a scenario of httpbin that is to pass, and returns its record, which nothing has
// changed, with the scenario that stands in it.
func passed(t *testing.T, path string) (record *report.Record, again *scenarios.Scenario) {
	t.Helper()
	scenario, err := scenarios.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	record, err = runner.Run(t.Context(), meshtest.Open(t, "httpbin", 1), scenario, runner.Options{ID: "test", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if record.Verdict != report.Pass {
		t.Errorf("%s: %v %v", record.Verdict, record.Against(), record.Expectations)
	}
	again, err = scenarios.OfRecord(record.Scenario)
	if err != nil {
		t.Fatal(err)
	}
	if err := verdict.Unchanged(record, again); err != nil {
		t.Error(err)
	}
	return record, again
}
