package check

import (
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

func TestMissingEvidenceIsInconclusiveAndNamed(t *testing.T) {
	w := observed()
	w.Recovery = nil
	w.During.Loads["while"] = &loadgen.Result{Failure: "logging in: 403"}
	w.During.Quantities = append(w.During.Quantities, quantity(-1, "faults", "package"))
	for line, want := range map[string][]string{
		"faults(reviews) == 0":                            {"faults(reviews) is not known: the proxies drop this counter; annotate them"},
		"faults(reviews) != 0":                            {"faults(reviews) is not known"},
		"!(faults(reviews) == 1)":                         {"faults(reviews) is not known"},
		"ejections(reviews) == 0":                         {"ejections(reviews) was not collected"},
		"faults(package) <= 0":                            {"faults(package) cannot be -1"},
		"recovery.jason.p99 < 1h":                         {"there was no recovery window"},
		"baseline.others.p99 < 1h":                        {"others has no result in the baseline"},
		"while.errors == 0":                               {"logging in: 403"},
		"jason.sent / (jason.sent - 5) < 100%":            {"it divides by 0"},
		"tcp-client.status[503] == 0":                     {"tcp-client in the load under the rule: the answers of TCP have no status"},
		"tcp-client.share(503) == 0%":                     {"the answers of TCP have no status"},
		"others.p50 < 1h || faults(reviews) == 0":         {"faults(reviews)"},
		"faults(reviews) == 0 || others.p50 < 1h":         {"faults(reviews)"},
		"!(others.p50 > 1h && faults(reviews) == 0)":      {"faults(reviews)"},
		"faults(reviews) + ejections(reviews) < 1000":     {"faults(reviews)", "ejections(reviews)"},
		"faults(reviews) < 5 || recovery.jason.p50 < 1s":  {"faults(reviews)", "no recovery window"},
		"split(recovery.jason).is(v1 == 100%)":            {"no recovery window"},
		"split(httpbin).is(v1 == 100%)":                   {"requests(httpbin) was not collected", "requests(httpbin, v1) was not collected"},
		"0 <= faults(reviews) <= recovery.jason.sent - 5": {"faults(reviews)", "no recovery window"},
	} {
		row := mustCompile(t, line).Judge(w)[0]
		if row.Verdict != report.Inconclusive {
			t.Errorf("%s is %s", line, row.Verdict)
		}
		for _, cause := range want {
			if !strings.Contains(row.Reason, cause) {
				t.Errorf("%s: the reason %q lacks %q", line, row.Reason, cause)
			}
		}
	}
}

func TestTheOtherSideOfMissingEvidenceIsShown(t *testing.T) {
	row := mustCompile(t, "faults(reviews) == client.status[503]").Judge(observed())[0]
	if row.Observed != "" || row.Limit != "12 (client.status[503])" {
		t.Errorf("observed %q, limit %q", row.Observed, row.Limit)
	}
	row = mustCompile(t, "client.status[503] == faults(reviews)").Judge(observed())[0]
	if row.Observed != "503: 12" || row.Limit != "faults(reviews)" {
		t.Errorf("observed %q, limit %q", row.Observed, row.Limit)
	}
}

func TestWithoutSamplesNothingPasses(t *testing.T) {
	silent := Windows{During: &report.Window{
		Loads:      map[string]*loadgen.Result{"jason": {Elapsed: loadgen.Duration{Duration: time.Second}}},
		Quantities: []report.Quantity{quantity(0, "faults", "ratings"), quantity(0, "requests", "reviews"), quantity(0, "requests", "reviews", "v1")},
	}}
	for _, line := range []string{
		"jason.errors == 0", "jason.status[503] == 0", `jason.share("stars") == 0%`, "jason.p50 < 1s", "jason.sent == 1", "jason.connections == 1", "jason.qps < 5",
		"faults(ratings) == 0", "requests(reviews, v1) == 0", "split(jason).is(v1 == 100%)", "split(reviews).is(v1 == 100%)",
	} {
		for _, w := range []Windows{silent, {}, {During: &report.Window{}}} {
			if row := mustCompile(t, line).Judge(w)[0]; row.Verdict != report.Inconclusive || row.Reason == "" {
				t.Errorf("%s is %s (%s)", line, row.Verdict, row.Reason)
			}
		}
	}
}

// As in a result of an agent that counts none.
func TestConnectionsThatNobodyCountedAreNotFew(t *testing.T) {
	w := observed()
	w.During.Loads["jason"].Used = 0
	for _, line := range []string{"jason.connections == 1", "jason.connections < 3"} {
		if row := mustCompile(t, line).Judge(w)[0]; row.Verdict != report.Inconclusive || !strings.Contains(row.Reason, "nobody counted the connections") {
			t.Errorf("%s is %s (%s)", line, row.Verdict, row.Reason)
		}
	}
}

func TestAResultThatDoesNotAddUpIsNoEvidence(t *testing.T) {
	w := observed()
	w.During.Loads["jason"].Sent++
	w.During.Loads["others"].Outcomes[0].Count--
	w.During.Loads["others"].Outcomes = append(w.During.Loads["others"].Outcomes, loadgen.Outcome{Error: loadgen.ErrorCanceled, Count: 2})
	w.During.Loads["others"].Sent++
	w.During.Loads["client"].Outcomes[0].Count++
	w.During.Loads["client"].Sent++
	for line, want := range map[string]string{
		"jason.errors == 0": "add up to 5, but 6 were sent",
		"others.max < 1s":   "2 of 41 requests had no answer",
		"client.max < 1s":   "of 101 requests, the time of 100 is known",
	} {
		if row := mustCompile(t, line).Judge(w)[0]; row.Verdict != report.Inconclusive || !strings.Contains(row.Reason, want) {
			t.Errorf("%s is %s: %s", line, row.Verdict, row.Reason)
		}
	}
}

func TestRowsTogetherAreAsGoodAsTheWorst(t *testing.T) {
	row := func(v report.Verdict) report.Expectation { return report.Expectation{Verdict: v} }
	for _, test := range []struct {
		rows []report.Expectation
		want report.Verdict
	}{
		{nil, report.Inconclusive},
		{[]report.Expectation{row(report.Pass)}, report.Pass},
		{[]report.Expectation{row(report.Pass), row(report.Inconclusive)}, report.Inconclusive},
		{[]report.Expectation{row(report.Inconclusive), row(report.Fail), row(report.Pass)}, report.Fail},
		{[]report.Expectation{row(report.Pass), row("")}, report.Inconclusive},
	} {
		if got := Overall(test.rows); got != test.want {
			t.Errorf("%v together are %s, not %s", test.rows, got, test.want)
		}
	}
}

func TestAKnownBugThatHasComeTrueFails(t *testing.T) {
	for line, want := range map[string]report.Verdict{
		"jason.p50 < 1s":                         report.Pass, // false, as expected
		"jason.p50 < 1s && others.p50 < 1s":      report.Pass, // false as a whole
		"jason.p50 > 1s":                         report.Fail,
		"jason.p50 > 1s && others.p50 < 1s":      report.Fail,
		"faults(reviews) == 0":                   report.Inconclusive,
		"faults(reviews) == 0 && jason.p50 > 1s": report.Inconclusive,
		"faults(reviews) == 0 && jason.p50 < 1s": report.Inconclusive,
	} {
		rows := mustCompile(t, line).JudgeKnownBug(observed(), "SHOP-42")
		if got := Overall(rows); got != want {
			t.Errorf("%s with a ticket is %s, not %s: %+v", line, got, want, rows)
		}
		if rows[0].KnownBug != "SHOP-42" || want == report.Fail && !strings.HasSuffix(rows[0].Reason, "has come true; correct the file") {
			t.Errorf("%s: ticket %q, reason %q", line, rows[0].KnownBug, rows[0].Reason)
		}
	}
}
