package compare_test

import (
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
)

func TestAHistorySaysWhenAValueMoved(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	var runs []compare.Run
	for night, median := range []float64{0.1, 0.1, 0.1, 0.13, 0.13, 0.1} {
		r := made(uint64(night), 10, 0.1, around(median, 0.03))
		r.Started = began.AddDate(0, 0, night)
		runs = append([]compare.Run{{Record: r}}, runs...) // in no order
	}
	past := compare.Past(runs)
	for night, want := range []report.Became{"", "", "", report.Regressed, "", report.Improved} {
		var got report.Became
		for _, v := range past.Runs[night].Moved {
			if compare.Name(v) == "pages p50, under the rule" {
				got = v.Became
			}
		}
		if got != want || !past.Runs[night].Started.Equal(began.AddDate(0, 0, night)) {
			t.Errorf("night %d, %s: it became %q, want %q", night, past.Runs[night].Started, got, want)
		}
	}
	var out strings.Builder
	if err := compare.PastText(&out, &report.History{Scenarios: []report.Past{past}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"made: 6 runs\n", "2026-01-05 03:00:00 UTC, PASS", "    regressed  pages p50, under the rule: ", "  ▁▁▁██▁  pages p50, under the rule\n  \u00a0\u00a0\u00a0^\u00a0^  latest 99.9ms, from 99.9ms to 130ms\n", "  ▁▁▁▁▁▁  pages failed, under the rule: 0%\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it has no %q:\n%s", want, &out)
		}
	}
}

// TestAHistoryDrawsWhatWasExpected: the values of expectations that have a number, those of
// a split each by itself, where one moved, and none that is only known to be so much at
// least.
func TestAHistoryDrawsWhatWasExpected(t *testing.T) {
	const split = "split(pages) == reviews-v1 90%, reviews-v3 10%"
	began := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	var runs []compare.Run
	for night, third := range []int64{100, 101, 200, 201} {
		r := made(uint64(night), 10, 0.1, around(0.1, 0.03))
		r.Started = began.AddDate(0, 0, night)
		ninety, ten := 0.9, 0.1
		share := func(of string, count int64) report.Measure {
			return report.Measure{Of: of, Value: float64(count) / 1000, Unit: report.Share, Part: &report.Part{Count: count, Total: 1000}}
		}
		r.Expectations = []report.Expectation{
			{Expression: "faults(ratings) == 7", Verdict: report.Pass, Observed: "7", Values: []report.Measure{{Value: 7, Unit: report.Number}}},
			{Expression: "retries(ratings) >= 1", Verdict: report.Pass, Observed: "at least 2", Values: []report.Measure{{Value: 2, Unit: report.Number, Least: true}}},
			{
				Expression: split, Verdict: report.Pass, Values: []report.Measure{share("reviews-v1", 1000-third), share("reviews-v3", third)},
				Bounds: []report.Bound{{Of: "reviews-v1", Operator: "==", Value: &ninety}, {Of: "reviews-v3", Operator: "==", Value: &ten}},
			},
		}
		if night == 0 {
			r.Expectations[0].Values = nil
		}
		runs = append(runs, compare.Run{Record: r})
	}
	past := compare.Past(runs)
	asked := past.Trends[len(past.Trends)-3:]
	for i, want := range []string{"faults(ratings) == 7", split + " reviews-v1", split + " reviews-v3"} {
		if of := asked[i]; of.Of != want || of.Cohort != "" || *of.Values[3] != []float64{7, 0.799, 0.201}[i] {
			t.Errorf("trend %d is %+v, not that of %s", i, of, want)
		}
	}
	if asked[0].Values[0] != nil || asked[0].Moved != nil || len(asked[2].Moved) != 1 || asked[2].Moved[0] != 2 {
		t.Errorf("they are known, and have moved, when they have not: %+v", asked)
	}
	var out strings.Builder
	if err := compare.PastText(&out, &report.History{Scenarios: []report.Past{past}}); err != nil {
		t.Fatal(err)
	}
	text := folded(t, out.String(), 80)
	for _, want := range []string{"\n   ▁▁▁  faults(ratings) == 7: 7\n", "\n  ▁▁██  split(pages) == reviews-v1 90%, reviews-v3 10% reviews-v3\n    ^   latest 20.1%, from 10% to 20.1%\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("it has no %q:\n%s", want, text)
		}
	}
}

// TestAValueMovesOnceARun: also where its expectation has come to another verdict by it.
func TestAValueMovesOnceARun(t *testing.T) {
	var runs []compare.Run
	limit := 0.5
	for night, count := range []int64{900, 100} {
		r := made(uint64(night), 10, 0.1, around(0.1, 0.03))
		r.Started = time.Date(2026, 1, 2+night, 3, 0, 0, 0, time.UTC)
		r.Expectations = []report.Expectation{{
			Expression: `pages.share("stars") > 50%`, Verdict: []report.Verdict{report.Pass, report.Fail}[night], Bounds: []report.Bound{{Operator: ">", Value: &limit}},
			Values: []report.Measure{{Value: float64(count) / 1000, Unit: report.Share, Part: &report.Part{Count: count, Total: 1000}}},
		}}
		runs = append(runs, compare.Run{Record: r})
	}
	trends := compare.Past(runs).Trends
	if moved := trends[len(trends)-1].Moved; len(moved) != 1 || moved[0] != 1 {
		t.Errorf("it has moved in %v", moved)
	}
}

func TestOfNoRunThereIsNoHistory(t *testing.T) {
	if past := compare.Past(nil); past.Runs == nil || past.Trends == nil || len(past.Runs)+len(past.Trends) > 0 {
		t.Errorf("it is %+v", past)
	}
}

// The steps of a scenario stand in its order, and a load that was cut off is none of a
// trend: nobody knows what it would have come to.
func TestATrendIsOfWholeLoadsAndInTheOrderOfTheSteps(t *testing.T) {
	night := func(seed uint64, cut string) *report.Record {
		r := made(seed, 10, 0.1, around(0.1, 0.03))
		second := r.Windows[0]
		r.Windows[0].Step, second.Step, second.Cut = "one-in-ten", "all", cut
		r.Windows = append(r.Windows, second)
		return r
	}
	first, later := night(1, ""), night(2, "interrupted")
	later.Started = first.Started.Add(time.Hour)
	past := compare.Past([]compare.Run{{Record: first}, {Record: later}})
	if len(past.Trends) != 6 || past.Trends[0].Step != "one-in-ten" || past.Trends[5].Step != "all" {
		t.Fatalf("they are %+v", past.Trends)
	}
	for _, trend := range past.Trends {
		if cut := trend.Step == "all"; trend.Values[0] == nil || cut != (trend.Values[1] == nil) {
			t.Errorf("step %s, %s: %v", trend.Step, trend.Of, trend.Values)
		}
	}
}

// Whatever is folded goes on below what it stands beside, and a curve is never folded.
func TestAHistoryStaysInItsColumnsWhereItIsFolded(t *testing.T) {
	half := 0.5
	past := report.Past{Scenario: "made", Trends: []report.Trend{{Of: "p50", Cohort: "pages", Step: "one-in-ten-of-all-the-requests-that-there-are", Unit: report.Seconds, Values: []*float64{&half, nil, nil, nil, &half}}}}
	past.Runs = []report.Night{{Moved: []report.Difference{
		{Of: `recovery.pages.share("a check with a name") == 100%`, Step: "one-in-ten", Became: report.Improved, Before: report.Observed{Words: "none"}, Now: report.Observed{Words: "all"}},
	}}}
	var out strings.Builder
	if err := compare.PastText(&out, &report.History{Scenarios: []report.Past{past}}); err != nil {
		t.Fatal(err)
	}
	text := folded(t, out.String(), 60)
	for _, want := range []string{"\n    improved   recovery.pages", "\n               == 100%, step one-in-ten: all, before none\n", "\n  ▁   ▁  pages p50, step\n         one-in-ten-of-all-the-requests-that-there-are:\n         500ms\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("it has no %q:\n%s", want, text)
		}
	}
}

// The words below a curve are of the runs that it is drawn of.
func TestATrendIsDrawnOfTheLatestForty(t *testing.T) {
	of := report.Trend{Of: "p50", Cohort: "pages", Unit: report.Seconds}
	for night := range 50 {
		seconds := 0.5
		switch {
		case night < 10:
			seconds = 3
		case night == 49:
			seconds = 1
		}
		of.Values = append(of.Values, &seconds)
	}
	var out strings.Builder
	if err := compare.PastText(&out, &report.History{Scenarios: []report.Past{{Scenario: "made", Trends: []report.Trend{of}}}}); err != nil {
		t.Fatal(err)
	}
	if want := "  " + strings.Repeat("▁", 39) + "█  pages p50, under the rule\n    latest 1s, from 500ms to 1s\n"; !strings.Contains(out.String(), want) {
		t.Errorf("it has no %q:\n%s", want, &out)
	}
}

// Nobody sees in a picture what no figure of it shows.
func TestATrendWhoseValuesReadAlikeIsFlat(t *testing.T) {
	one, two := 6.0171, 6.0189
	of := report.Trend{Of: "p50", Cohort: "pages", Unit: report.Seconds, Values: []*float64{&one, &two, &one}}
	var out strings.Builder
	if err := compare.PastText(&out, &report.History{Scenarios: []report.Past{{Scenario: "made", Trends: []report.Trend{of}}}}); err != nil {
		t.Fatal(err)
	}
	if want := "  ▁▁▁  pages p50, under the rule: 6.02s\n"; !strings.Contains(out.String(), want) {
		t.Errorf("it has no %q:\n%s", want, &out)
	}
}

func TestARunThatIsFoundTwiceStandsInAHistoryOnce(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	run := func(id string, at time.Time) compare.Run {
		r := made(1, 10, 0.1, around(0.1, 0.03))
		r.Run, r.Started = id, at
		return compare.Run{Record: r}
	}
	later := began.Add(time.Hour)
	past := compare.Past([]compare.Run{run("a", began), run("b", later), run("a", began), run("c", later), run("", later), run("", later)})
	if len(past.Runs) != 5 || len(past.Trends[0].Values) != 5 { // of those without a name nobody knows
		t.Errorf("it has %d runs, and trends of %d", len(past.Runs), len(past.Trends[0].Values))
	}
}
