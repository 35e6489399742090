package html

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/report/summary"
	"github.com/meshchaos/meshchaos/test/records"
)

// TestTenThousandTextsOfAServiceFitAPage: a service that answers each request with another
// version, and fails each with another text, makes no page large, nor that of a
// comparison, nor the index.
func TestTenThousandTextsOfAServiceFitAPage(t *testing.T) {
	r := many(t)
	r.ComparedWith = earlier(r)
	if page := written(t, r); len(page) > most || !strings.Contains(page, "What is left out") || !strings.Contains(page, "Compared with an earlier run") || !strings.HasSuffix(page, "</html>\n") {
		t.Errorf("the page has %d bytes", len(page))
	}

	var both strings.Builder
	if err := compare.HTML(&both, r.ComparedWith.Comparison); err != nil {
		t.Fatal(err)
	}
	if both.Len() > most || !strings.HasSuffix(strings.TrimSpace(both.String()), "</html>") {
		t.Errorf("the page of a comparison has %d bytes", both.Len())
	}

	var index strings.Builder
	runs := []summary.Ended{{Name: "many", Record: r, Folder: "many"}}
	runs = append(runs, summary.Ended{Name: "refused", Word: "refused", Why: strings.Repeat("a huge text ", 500_000)})
	if err := Index(&index, runs); err != nil {
		t.Fatal(err)
	}
	if index.Len() > most || strings.Count(index.String(), "report.html") != 1 || !strings.Contains(index.String(), "refused") {
		t.Errorf("the index has %d bytes", index.Len())
	}
}

// many is failing with ten thousand of what a service has a say in.
func many(t *testing.T) *report.Record {
	r := records.Read(t, "failing")
	load := r.Windows[1].Loads["others"]
	for i := range 10_000 {
		text := fmt.Sprintf("%d of <script>alert(1)</script> %s", i, strings.Repeat("x", 100))
		load.Outcomes = append(load.Outcomes, loadgen.Outcome{Status: 200, Version: text, Count: 1}, loadgen.Outcome{Error: text, Count: 1})
		load.Series.Ended = append(load.Series.Ended, loadgen.SeriesOf{Error: text, Count: []int64{1}})
		load.Sent += 2
		r.Problems, r.Warnings = append(r.Problems, text), append(r.Warnings, text)
	}
	return r
}

// earlier is what a run with --baseline puts into its report, of which each text has
// regressed.
func earlier(now *report.Record) *report.Earlier {
	of := report.Compared{Scenario: now.Scenario.Name}
	for _, text := range now.Problems {
		of.Unlike = append(of.Unlike, text)
		of.Values = append(of.Values, report.Difference{Of: text, Became: report.Regressed, Before: report.Observed{Words: text}, Now: report.Observed{Words: text}, Remarks: text})
	}
	return &report.Earlier{File: "before/report.json", Comparison: &report.Comparison{Regressed: true, Scenarios: []report.Compared{of}}}
}

// TestTheWorstRecordFitsAPage: fifteen cohorts in twelve windows, for a day.
func TestTheWorstRecordFitsAPage(t *testing.T) {
	r := records.Read(t, "canary-reviews")
	first := r.Windows[1]
	r.Windows = nil
	for i := range 12 {
		w := first
		w.Step, w.Name = fmt.Sprint("step-", i), report.During
		w.Started = r.Started.Add(time.Duration(i) * 2 * time.Hour)
		w.Ended = w.Started.Add(2 * time.Hour)
		w.Loads = map[string]*loadgen.Result{}
		r.Stages = append(r.Stages, report.Stage{Step: w.Step, Applied: w.Started.Add(-time.Second), Live: new(w.Started), Undone: new(w.Ended), Gone: new(w.Ended)})
		for j := range 15 {
			w.Loads[fmt.Sprint("cohort-", j)] = day(first.Loads["pages"], w.Started, i*15+j)
		}
		r.Windows = append(r.Windows, w)
	}
	page := written(t, r)
	if len(page) > most {
		t.Errorf("the page has %d bytes", len(page))
	}
	for _, want := range []string{`id="cohort-4"`, "cohort-14", "step-11"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	t.Logf("the page has %d bytes, %d pictures; left out: %s", len(page), strings.Count(page, `role="img"`), leftOut(page))
}

// TestAPageOfLongNamesFits: of cohorts and steps of which each name is as long as a page
// shows one, and longer where it stands in HTML, with hundreds of ways to end.
func TestAPageOfLongNamesFits(t *testing.T) {
	r := records.Read(t, "canary-reviews")
	first := r.Windows[1]
	r.Windows = nil
	for i := range 12 {
		w := first
		w.Step, w.Loads = fmt.Sprint(strings.Repeat("&<", 100), i), map[string]*loadgen.Result{}
		for j := range 20 {
			l := day(first.Loads["pages"], w.Started, i*20+j)
			for status := range 100 {
				l.Outcomes = append(l.Outcomes, loadgen.Outcome{Status: 400 + status, Count: 1})
			}
			w.Loads[fmt.Sprint(strings.Repeat("&<", 100), j)] = l
		}
		r.Windows = append(r.Windows, w)
	}
	page := written(t, r)
	if len(page) > most || !strings.HasSuffix(page, "</html>\n") || !strings.Contains(page, "cohorts in the pictures, the last") {
		t.Errorf("the page has %d bytes, and lacks %s", len(page), leftOut(page))
	}
}

// day is a load of two hours with as many slots as a series has, each with failures of
// several kinds.
func day(of *loadgen.Result, started time.Time, seed int) *loadgen.Result {
	long := *of
	long.Started, long.Elapsed, long.TargetQPS = started, loadgen.Duration{Duration: 2 * time.Hour}, 20
	long.Series = &loadgen.Series{Width: loadgen.Duration{Duration: 24 * time.Second}}
	kinds := []loadgen.SeriesOf{{Status: 200}, {Status: 503}, {Status: 504}, {Error: "timeout"}, {Error: "reset"}, {Error: "eof"}}
	for k := range 300 {
		n := (k*7919 + seed*104729) % 997
		long.Series.Begun = append(long.Series.Begun, int64(n))
		long.Series.P50 = append(long.Series.P50, new(float64(1+n)/1000))
		long.Series.P99 = append(long.Series.P99, new(float64(3+n)/300))
		for i := range kinds {
			kinds[i].Count = append(kinds[i].Count, int64(n/(i+1)))
		}
	}
	long.Series.Ended = kinds
	return &long
}

// leftOut is what a page says that it lacks.
func leftOut(page string) string {
	_, rest, _ := strings.Cut(page, `id="omitted"`)
	list, _, _ := strings.Cut(rest, "</section>")
	return list
}
