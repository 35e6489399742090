package verdict_test

import (
	"testing"

	"github.com/meshchaos/meshchaos/internal/verdict"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
	"github.com/meshchaos/meshchaos/test/records"
)

// What a run is asked for by another is judged as what it was asked for itself.
func TestAnExpectationOfAnotherRunIsJudgedAsOnesOwn(t *testing.T) {
	for _, name := range records.Names(t) {
		r := records.Read(t, name)
		scenario, err := scenarios.OfRecord(r.Scenario)
		if err != nil {
			t.Fatal(err)
		}
		for _, own := range r.Expectations {
			got, known := verdict.Of(report.Expectation{Expression: own.Expression, Step: own.Step, KnownBug: own.KnownBug}, r, scenario)
			if !known || got.Verdict != own.Verdict || got.Observed != own.Observed || got.Step != own.Step {
				t.Errorf("%s: %s: known %v, %s %s; of its own %s %s", name, own.Expression, known, got.Verdict, got.Observed, own.Verdict, own.Observed)
			}
		}
	}
}

func TestAnExpectationThatARunWasNotAskedForIsJudgedWhereItCanBe(t *testing.T) {
	for _, one := range []struct {
		asked, step, bug string
		want             report.Verdict // empty: nobody can tell
	}{
		{"jason.min >= 5.8s", "", "", report.Pass},
		{"jason.min >= 6.5s", "", "", report.Fail},
		{"jason.min >= 6.5s", "", "BUG-1", report.Pass},
		{"jason.min >= 5.8s", "", "BUG-1", report.Fail},
		{"jason.errors == 0", "", "", report.Pass},
		{"overflows(reviews) == 0", "", "", report.Inconclusive}, // nobody counted them
		{"jane.min >= 5.8s", "", "", ""},
		{"jason.min >= 5.8s", "later", "", ""},
		{`jason.share("***") == 100%`, "", "", ""},
		{"abortWhen: jason.errors > 0", "", "", ""},
		{"jason.min >= 5.8s && jason.errors == 0", "", "", ""}, // no row is two comparisons
	} {
		r := records.Read(t, "delay-jason")
		scenario, err := scenarios.OfRecord(r.Scenario)
		if err != nil {
			t.Fatal(err)
		}
		e := report.Expectation{Expression: one.asked, Step: one.step, KnownBug: one.bug}
		got, known := verdict.Of(e, r, scenario)
		if known != (one.want != "") || got.Verdict != one.want {
			t.Errorf("%+v: known %v, %q: %s", one, known, got.Verdict, got.Reason)
		}
		r.Window(report.During, "").Cut = "interrupted"
		if got, known = verdict.Of(e, r, scenario); known && got.Verdict != report.Inconclusive {
			t.Errorf("%+v, of a load that was cut off: %s", one, got.Verdict)
		}
	}
}
