package scenarios_test

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/mutate"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/terminal"
	"github.com/meshchaos/meshchaos/scenarios"
	"github.com/meshchaos/meshchaos/test/sabotage"
)

// TestWhatSomebodyThoughtOfIsDerivedAndKilled: what was written by hand is the
// least that is to be derived, and each is noticed by what was meant to notice it.
func TestWhatSomebodyThoughtOfIsDerivedAndKilled(t *testing.T) {
	for i, wrong := range sabotage.Mutants() {
		t.Run(wrong.Scenario+"/"+wrong.ID, func(t *testing.T) {
			t.Parallel()
			s, err := wrong.Derived()
			if err != nil {
				t.Fatal(err)
			}
			record := carryOut(t, s, honest, runner.Options{Seed: uint64(i) + 1, Inert: true})
			if record.Verdict == report.Pass || !record.Restored {
				t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
			}
			if !(sabotage.Sabotage{Shows: wrong.Shows}).Seen(record) {
				t.Errorf("nothing shows %q", wrong.Shows)
			}
			if t.Failed() {
				show(t, record)
			}
		})
	}
}

// mutated are the scenarios of which every mutant is run: those that MESHCHAOS_MUTATE
// names, all of them if it is all, else one that takes seconds.
func mutated() []string {
	switch names := os.Getenv("MESHCHAOS_MUTATE"); names {
	case "":
		return []string{"breaker-httpbin"}
	case "all":
		return scenarios.Names()
	default:
		return strings.Split(names, ",")
	}
}

// TestNoMutantOfTheLibrarySurvives: each is killed, or the file says why nothing can
// tell it from the rule.
func TestNoMutantOfTheLibrarySurvives(t *testing.T) {
	for _, name := range mutated() {
		t.Run(name, func(t *testing.T) {
			s, err := scenarios.Find(name)
			if err != nil {
				t.Fatal(err)
			}
			m, err := mutate.Run(t.Context(), s, mutate.Options{Tool: report.Tool{Version: "test"}, Seed: 1, Parallel: 2 * runtime.GOMAXPROCS(0)})
			if err != nil {
				t.Fatal(err)
			}
			if m.Run.Verdict != report.Pass {
				show(t, m.Run)
				t.Fatalf("as it stands it is %s", m.Run.Verdict)
			}
			if err := terminal.WriteMutation(t.Output(), m, terminal.Options{}); err != nil {
				t.Error(err)
			}
			for _, one := range m.Mutants {
				if one.Wrong() || one.Fate != report.Killed && one.Fate != report.Excused {
					t.Errorf("%s: %s, excused by %q", one.ID, one.Fate, one.Excuse)
				}
			}
		})
	}
}
