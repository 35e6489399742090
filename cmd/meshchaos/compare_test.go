package main

import (
	"slices"
	"testing"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/test/records"
)

// A bound that was loosened is held against what the later run observed, as the one before.
func TestABoundThatWasChangedIsJudgedByTheLaterRun(t *testing.T) {
	for asked, want := range map[string]report.Became{"jason.min >= 5.8s": report.Changed, "jason.min >= 6.5s": report.Regressed} {
		before, now := records.Read(t, "delay-jason"), records.Read(t, "delay-jason")
		before.Expectations[0].Expression = asked
		c := compare.Compare(compare.Pair{Before: compare.Run{Record: before}, Now: runOf(source{record: now})})
		if c.Regressed != (want == report.Regressed) {
			t.Errorf("%s: regressed %v", asked, c.Regressed)
		}
		of := func(v report.Difference) bool { return v.Of == asked && v.Became == want && v.Now.Words != "" }
		if !slices.ContainsFunc(c.Scenarios[0].Values, of) {
			t.Errorf("%s: it is not %s among %+v", asked, want, c.Scenarios[0].Values)
		}
	}
}
