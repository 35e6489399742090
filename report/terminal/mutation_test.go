package terminal

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/report"
)

const mutationFace = `
slow: 6 mutants on the embedded mesh, seed 7

killed    apply[0]/dropped (line 7)
          the rule is left out
          by faults(ratings) == pages.sent (load), which was 0
SURVIVED  apply[0]/delay-halved (line 7)
          the delay of ratings is 1s, not 2s
          these would have killed it: pages.min >= 1.5s (half)
KILLED    apply[0]/delay-doubled (line 7)
          the delay of ratings is 4s, not 2s
          by point 1 of what a pass means: it never bit; yet spec.mutants says
          that nothing can tell it from the rule: take the excuse out
excused   apply[0]/also-503 (line 7)
          what ratings delays is aborted with 503 too
          nobody looks
excused   apply[0]/also-reviews (line 7)
          the same fault is on reviews too
          nobody waits. Yet in these runs this would have killed it: pages.max <
          4s; if it does so in all, the excuse is wrong.
unknown   apply[0]/also-details (line 7)
          the same fault is on details too
          it was interrupted

slow: 6 mutants: 2 killed, 1 survived, 2 excused, 1 unknown in 1.5s
`

func mutation() *report.Mutation {
	began := time.Unix(0, 0)
	failed := &report.Expectation{Expression: "faults(ratings) == pages.sent", Step: "load", Verdict: report.Fail, Observed: "0"}
	return &report.Mutation{
		Scenario: report.Scenario{Name: "slow"}, Seed: 7, Started: began, Ended: began.Add(1500 * time.Millisecond),
		Mutants: []report.Mutant{
			{ID: "apply[0]/dropped", Line: 7, What: "the rule is left out", Fate: report.Killed, By: &report.Killer{Expectation: failed}},
			{ID: "apply[0]/delay-halved", Line: 7, What: "the delay of ratings is 1s, not 2s", Fate: report.Survived, Wanted: []report.Want{{Expression: "pages.min >= 1.5s", Step: "half"}}, Advice: "not shown"},
			{ID: "apply[0]/delay-doubled", Line: 7, What: "the delay of ratings is 4s, not 2s", Fate: report.Killed, Excuse: "as slow", By: &report.Killer{Point: 1, Problem: "it never bit"}},
			{ID: "apply[0]/also-503", Line: 7, What: "what ratings delays is aborted with 503 too", Fate: report.Excused, Excuse: "nobody looks"},
			{ID: "apply[0]/also-reviews", Line: 7, What: "the same fault is on reviews too", Fate: report.Excused, Excuse: "nobody waits.", Wanted: []report.Want{{Expression: "pages.max < 4s"}}},
			{ID: "apply[0]/also-details", Line: 7, What: "the same fault is on details too", Fate: report.Unknown, Reason: "it was interrupted"},
		},
	}
}

func TestTheFaceOfMutantsIsAsShown(t *testing.T) {
	var out strings.Builder
	if err := WriteMutation(&out, mutation(), Options{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(mutationFace, out.String()); diff != "" {
		t.Error(diff)
	}
	for line := range strings.Lines(out.String()) {
		if len(line) > 81 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
}

func TestASurvivorIsRed(t *testing.T) {
	var out strings.Builder
	if err := WriteMutation(&out, mutation(), Options{Color: true}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "\x1b[31mSURVIVED\x1b[0m  apply[0]/delay-halved") {
		t.Errorf("%q", out.String())
	}
}

func TestAListOfMutantsThatCannotBeWrittenIsAnError(t *testing.T) {
	if err := WriteMutation(full{}, mutation(), Options{}); err == nil {
		t.Errorf("the error is %v", err)
	}
}
