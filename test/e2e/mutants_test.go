//go:build e2e

package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
	"github.com/meshchaos/meshchaos/test/sabotage"
)

func TestAMutantOfEachScenarioIsNoPassOnTheCluster(t *testing.T) {
	tried := map[string]bool{}
	for i, wrong := range sabotage.Mutants() {
		if tried[wrong.Scenario] {
			continue
		}
		tried[wrong.Scenario] = true
		t.Run(wrong.Scenario+"/"+wrong.ID, func(t *testing.T) {
			s, err := wrong.Derived()
			if err != nil {
				t.Fatal(err)
			}
			id := fmt.Sprintf("mut%x%02d", time.Now().Unix()&0xffff, i)
			record, err := carryOut(t, s, openIstio(t.Context(), t, id), runner.Options{ID: id, Inert: true})
			if err != nil {
				t.Fatal(err)
			}
			if record.Verdict == report.Pass || !record.Restored {
				t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
				show(t, record)
			}
			if !(sabotage.Sabotage{Shows: wrong.Shows}).Seen(record) {
				t.Errorf("nothing shows %q", wrong.Shows)
				show(t, record)
			}
		})
	}
	for _, name := range scenarios.Names() {
		if !tried[name] {
			t.Errorf("no mutant of %s is tried", name)
		}
	}
}
