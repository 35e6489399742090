package mutate_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/meshchaos/meshchaos/internal/mutate"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// read reads a scenario of httpbin, or of the application that its spec names.
func read(t *testing.T, spec string, set ...string) *scenarios.Scenario {
	t.Helper()
	if !strings.Contains(spec, "app:") {
		spec = "app: httpbin\n" + spec
	}
	text := "apiVersion: meshchaos/v1alpha1\nkind: Scenario\nmetadata: {name: t}\nspec:\n  " + strings.ReplaceAll(spec, "\n", "\n  ")
	path := filepath.Join(t.TempDir(), "t.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Read(path, set...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestTheMutantsOfTheLibraryAreToldApart: an excuse is for one, and a rule that is
// carried on into another step is not spoilt there again.
func TestTheMutantsOfTheLibraryAreToldApart(t *testing.T) {
	for _, name := range scenarios.Names() {
		s, err := scenarios.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		all, err := mutate.Of(s)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, m := range all {
			if seen[m.ID] {
				t.Errorf("%s has two mutants %s", name, m.ID)
			}
			seen[m.ID] = true
			if m.Line == 0 || m.What == "" || m.Advice == "" {
				t.Errorf("%s: the mutant %s says nothing: %+v", name, m.ID, m)
			}
		}
		if len(all) < 5 {
			t.Errorf("%s has %d mutants", name, len(all))
		}
		if err := mutate.Excuses(s); err != nil {
			t.Error(err)
		}
	}
}

// run runs a scenario and its mutants.
func run(t *testing.T, s *scenarios.Scenario) map[string]report.Mutant {
	t.Helper()
	return runSeeded(t, s, 1)
}

func runSeeded(t *testing.T, s *scenarios.Scenario, seed uint64) map[string]report.Mutant {
	t.Helper()
	m, err := mutate.Run(t.Context(), s, mutate.Options{Tool: report.Tool{Version: "test"}, Seed: seed, Parallel: 4})
	if err != nil {
		t.Fatal(err)
	}
	if m.Run.Verdict != report.Pass {
		t.Fatalf("as it stands it is %s: %v %v", m.Run.Verdict, m.Run.Against(), m.Run.Expectations)
	}
	all := map[string]report.Mutant{}
	for _, one := range m.Mutants {
		all[one.ID] = one
	}
	return all
}

// wants says whether the first of the expectations that would have killed a mutant
// begins so.
func wants(one report.Mutant, prefix string) bool {
	return len(one.Wanted) > 0 && strings.HasPrefix(one.Wanted[0].Expression, prefix)
}

func TestWhatNobodyExpectsSurvivesAndWhatWouldKillItIsNamed(t *testing.T) {
	all := run(t, read(t, "apply:\n  - fault: {service: httpbin, delay: 1200ms}"+load))
	for id, want := range map[string]string{
		"apply[0]/dropped":       "client.min >= ",
		"apply[0]/delay-halved":  "client.min >= ",
		"apply[0]/delay-doubled": "client.max < ",
	} {
		if one := all[id]; one.Fate != report.Survived || !wants(one, want) {
			t.Errorf("%s: %s, wanted %q; want %q", id, one.Fate, one.Wanted, want)
		}
	}
	if one := all["apply[0]/also-503"]; one.Fate != report.Killed || one.By.Expectation.Expression != "client.status[200] == client.sent" {
		t.Errorf("an abort beside the delay: %+v", one)
	}
}

// TestAnotherVersionIsThatAndNothingElse: where nobody looks at the versions, none of
// its mutants is killed by how it is written.
func TestAnotherVersionIsThatAndNothingElse(t *testing.T) {
	const given = `given:
  - apiVersion: networking.istio.io/v1
    kind: DestinationRule
    metadata: {name: httpbin}
    spec: {host: httpbin, subsets: [%s]}
`
	for name, c := range map[string]struct{ subsets, to string }{
		"subsets that ask for the app too":     {"{name: v1, labels: {app: httpbin, version: v1}}, {name: v2, labels: {app: httpbin, version: v2}}", "[{destination: {host: httpbin, subset: v1}}]"},
		"subsets of the names of other labels": {"{name: v2, labels: {version: v1}}", "[{destination: {host: httpbin, subset: v2}}]"},
		"weights":                              {"{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}", "[{destination: {host: httpbin, subset: v1}, weight: 80}, {destination: {host: httpbin, subset: v2}, weight: 20}]"},
	} {
		t.Run(name, func(t *testing.T) {
			all := run(t, read(t, "app: httpbin\n"+fmt.Sprintf(given, c.subsets)+`apply:
  - apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: httpbin}
    spec: {hosts: [httpbin], http: [{route: `+c.to+"}]}\n"+strings.ReplaceAll(strings.TrimPrefix(load, "\n"), "requests: 12", "requests: 48")))
			of := 0
			for id, one := range all {
				if !strings.Contains(id, "to-v") || strings.Contains(id, "client-to-v") {
					continue // of a client's own, the rule's entry is seen to do nothing
				}
				if of++; one.Fate != report.Survived {
					t.Errorf("%s: %s by %+v", id, one.Fate, one.By)
				}
			}
			if of < 2 {
				t.Errorf("%d mutants of versions: %v", of, all)
			}
		})
	}
}

func TestWhatIsExpectedKills(t *testing.T) {
	all := run(t, read(t, "apply:\n  - fault: {service: httpbin, delay: 600ms}"+load+"  - 550ms <= client.min\n  - client.p50 < 900ms\n  - faults(httpbin) == client.sent\n"))
	for id, one := range all {
		if one.Fate != report.Killed {
			t.Errorf("%s: %s", id, one.Fate)
		}
	}
}

func TestAnInconclusiveRunIsNoPassAndItsPointIsNamed(t *testing.T) {
	all := run(t, read(t, `apply:
  - breaker: {service: httpbin, maxConnections: 1, http1MaxPendingRequests: 1}
load:
  client: {get: "http://httpbin:8000/delay/0.05", connections: 3, requests: 12}
expect:
  - client.status[200] > 0
  - client.status[200] + client.status[503] == client.sent
`))
	one := all["apply[0]/http1MaxPendingRequests-x10"]
	if one.Fate != report.Killed || one.By.Expectation != nil || one.By.Point != 1 || !strings.Contains(one.By.Problem, "never bit") {
		t.Errorf("a limit that nothing exceeds: %+v by %+v", one, one.By)
	}
	if one := all["apply[0]/dropped"]; one.Fate != report.Survived {
		t.Errorf("without the breaker: %+v by %+v", one, one.By)
	}
}

// TestAMutantIsNotKilledByLot: of twelve requests none may be the one in ten that
// the mutant sends elsewhere, and then nothing of the scenario has noticed.
func TestAMutantIsNotKilledByLot(t *testing.T) {
	const none = 5 // a seed by which none is
	all := runSeeded(t, read(t, "apply:\n  - route: {service: httpbin, to: v1}"+load), none)
	if one := all["apply[0]/tenth-to-v2"]; one.Fate != report.Survived {
		t.Errorf("%s by %+v", one.Fate, one.By)
	}
}

func TestAnExcuseIsTakenAndAWrongOneIsFound(t *testing.T) {
	all := run(t, read(t, "apply:\n  - fault: {service: httpbin, delay: 600ms}"+load+`mutants:
  - {id: "apply[0]/delay-halved", equivalent: nobody looks at the time}
  - {id: "apply[0]/dropped", equivalent: nobody looks at the time}
  - {id: "apply[0]/also-503", equivalent: nobody looks at the status}
`))
	if one := all["apply[0]/dropped"]; one.Fate != report.Excused || !wants(one, "client.min >= ") {
		t.Errorf("an excuse that a limit on time would refute: %+v", one)
	}
	if one := all["apply[0]/delay-halved"]; one.Fate != report.Excused || one.Excuse != "nobody looks at the time" || one.Advice != "" {
		t.Errorf("the excused one: %+v", one)
	}
	if one := all["apply[0]/also-503"]; !one.Wrong() {
		t.Errorf("an excuse of one that is killed: %+v", one)
	}
}

func TestAnExcuseForNoMutantIsPlaced(t *testing.T) {
	s := read(t, "apply:\n  - fault: {service: httpbin, delay: 600ms}"+load+"mutants:\n  - {id: \"apply[0]/delay-halfed\", equivalent: nobody looks}\n")
	_, err := mutate.Run(t.Context(), s, mutate.Options{Parallel: 1})
	if err == nil || !strings.Contains(err.Error(), `t.yaml:13:8: there is no mutant "apply[0]/delay-halfed"; did you mean apply[0]/delay-halved?`) {
		t.Errorf("the error is %v", err)
	}
}

func TestNoMutantIsRunOfWhatIsNoPass(t *testing.T) {
	s := read(t, "apply:\n  - fault: {service: httpbin, abort: 503}"+load)
	m, err := mutate.Run(t.Context(), s, mutate.Options{Parallel: 1, Begin: func(int) { t.Error("mutants were begun") }})
	if err != nil || m.Run.Verdict != report.Fail || len(m.Mutants) > 0 {
		t.Errorf("%v, %+v", err, m)
	}
}

func TestTheReportSaysWhatStoodInThePlaceOfTheFilesOwn(t *testing.T) {
	s := read(t, "apply:\n  - fault: {service: httpbin, abort: 503}"+load, "load.client.requests=30")
	m, err := mutate.Run(t.Context(), s, mutate.Options{Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.Run.Scenario, m.Scenario); diff != "" || len(m.Scenario.Set) != 1 {
		t.Errorf("it says %q was set; beside the report of the run (-run +mutation):\n%s", m.Scenario.Set, diff)
	}
}

func TestWhatIsInterruptedIsNotKnown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := read(t, "apply:\n  - fault: {service: httpbin, delay: 600ms}"+load)
	m, err := mutate.Run(ctx, s, mutate.Options{Parallel: 1, Done: func(report.Mutant) { cancel() }})
	if err != nil {
		t.Fatal(err)
	}
	for i, one := range m.Mutants {
		if i > 0 && one.Fate != report.Unknown {
			t.Errorf("%s: %s", one.ID, one.Fate)
		}
	}
	if len(m.Mutants) < 3 || m.Mutants[0].Fate != report.Survived {
		t.Errorf("%+v", m.Mutants)
	}
}

// TestATrapThatAMutantIsCaughtInStopsNothing: its objects stand in no file.
func TestATrapThatAMutantIsCaughtInStopsNothing(t *testing.T) {
	all := run(t, read(t, "apply:\n  - fault: {service: httpbin, delay: 50ms}\n  - timeout: {service: httpbin, after: 30ms}\nload:\n  client: {get: \"http://httpbin:8000/delay/0.1\", connections: 4, requests: 4}\nexpect:\n  - client.status[504] == client.sent\n"))
	if one := all["apply[0]/delay-doubled"]; one.Fate != report.Survived {
		t.Errorf("a longer delay before a timeout: %+v", one)
	}
}
