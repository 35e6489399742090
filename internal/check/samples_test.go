package check

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// of are windows in which jason saw these outcomes, each taking longer than
// the one before.
func of(outcomes ...loadgen.Outcome) Windows {
	var times []time.Duration
	for _, o := range outcomes {
		for range o.Count {
			times = append(times, time.Duration(len(times)+1)*time.Millisecond)
		}
	}
	return Windows{During: &report.Window{Loads: map[string]*loadgen.Result{"jason": load(outcomes, times...)}}}
}

func TestAPercentileTakesAsManySamplesAsTellItFromTheMaximum(t *testing.T) {
	for name, least := range map[string]int64{"p50": 2, "p90": 10, "p95": 20, "p99": 100, "p999": 1000} {
		for _, field := range []string{name, "service." + name} {
			line := "jason." + field + " < jason.max"
			for _, n := range []int64{1, least - 1} {
				row := mustCompile(t, line).Judge(of(loadgen.Outcome{Status: 200, Count: n}))[0]
				if row.Verdict != report.Inconclusive || !strings.Contains(row.Reason, fmt.Sprintf("it takes %d; write .max", least)) {
					t.Errorf("%s of %d samples is %s: %s", field, n, row.Verdict, row.Reason)
				}
			}
			for _, n := range []int64{least, least + 1, 10 * least} {
				if row := mustCompile(t, line).Judge(of(loadgen.Outcome{Status: 200, Count: n}))[0]; row.Verdict != report.Pass {
					t.Errorf("%s of %d samples is %s: %s", field, n, row.Verdict, row.Reason)
				}
			}
		}
		e := mustCompile(t, "recovery.jason."+name+" < 1s")
		if got := e.SamplesNeeded(); len(got) != 1 || got[0] != (Size{Load: Load{Window: report.Recovery, Cohort: "jason"}, Requests: least}) {
			t.Errorf("%s says that it needs %v", name, got)
		}
	}
	for _, line := range []string{"jason.max < 1s", "jason.min < 1s", "jason.mean < 1s"} {
		e := mustCompile(t, line)
		if row := e.Judge(of(loadgen.Outcome{Status: 200, Count: 1}))[0]; row.Verdict != report.Pass || len(e.SamplesNeeded()) > 0 {
			t.Errorf("%s of one sample is %s: %s", line, row.Verdict, row.Reason)
		}
	}
}

// How quickly one request was answered says nothing of how many a second there were, of a
// request of a list neither.
func TestOneRequestHasNoRate(t *testing.T) {
	for requests, want := range map[int64]report.Verdict{1: report.Inconclusive, 2: report.Pass} {
		w := of(loadgen.Outcome{Status: 200, Count: requests})
		row := mustCompile(t, "jason.qps > 0.5").Judge(w)[0]
		if row.Verdict != want || want == report.Inconclusive && !strings.Contains(row.Reason, "one request has no rate") {
			t.Errorf("of %d requests: %s: %s", requests, row.Verdict, row.Reason)
		}
	}
}

func TestOfACohortWithoutAnyAnswerOnlyItsErrorsAreJudged(t *testing.T) {
	w := of(loadgen.Outcome{Error: loadgen.ErrorTimeout, Count: 15}, loadgen.Outcome{Error: loadgen.ErrorReset, Checks: []string{"stars"}, Count: 5})
	for line, want := range map[string]report.Verdict{
		"jason.status[503] == 0":                report.Inconclusive,
		"jason.share(503) == 0%":                report.Inconclusive,
		`jason.share("reviews-lost") == 0%`:     report.Inconclusive,
		`jason.count("stars") == 5`:             report.Inconclusive,
		"jason.answered(v1) == 0":               report.Inconclusive,
		"split(jason).is(v1 == 90%, v2 == 10%)": report.Inconclusive,
		"jason.max < 1s":                        report.Inconclusive,
		"jason.qps > 1":                         report.Inconclusive,
		"jason.errors == jason.sent":            report.Pass,
		"jason.errors == 0":                     report.Fail,
	} {
		row := mustCompile(t, line).Judge(w)[0]
		if row.Verdict != want || want == report.Inconclusive && !strings.Contains(row.Reason, "had") {
			t.Errorf("%s is %s: %s", line, row.Verdict, row.Reason)
		}
	}
	w.During.Loads["jason"] = load([]loadgen.Outcome{{Status: 200, Count: 1}, {Error: loadgen.ErrorTimeout, Count: 19}}, time.Millisecond)
	if row := mustCompile(t, "jason.status[503] == 0").Judge(w)[0]; row.Verdict != report.Pass {
		t.Errorf("with one answer: %s: %s", row.Verdict, row.Reason)
	}
}

func TestALatencyIsNotJudgedOnAnswersThatAreAllFailures(t *testing.T) {
	const line, service = "jason.max < 3s", "jason.service.p50 < 3s"
	failures := of(loadgen.Outcome{Status: 503, Count: 19}, loadgen.Outcome{Status: 404, Count: 1})
	for _, line := range []string{line, service} {
		row := mustCompile(t, line).Judge(failures)[0]
		if row.Verdict != report.Inconclusive || !strings.Contains(row.Reason, "all 20 answers are failures") {
			t.Errorf("%s of failures is %s: %s", line, row.Verdict, row.Reason)
		}
	}
	one := of(loadgen.Outcome{Status: 503, Count: 1})
	if row := mustCompile(t, line).Judge(one)[0]; row.Verdict != report.Inconclusive || !strings.Contains(row.Reason, "the one answer is a failure,") {
		t.Errorf("of one failure it is %s: %s", row.Verdict, row.Reason)
	}
	for _, w := range []Windows{of(loadgen.Outcome{Status: 503, Count: 19}, loadgen.Outcome{Status: 200, Count: 1}), of(loadgen.Outcome{Version: "v1", Count: 20})} {
		if row := mustCompile(t, line).Judge(w)[0]; row.Verdict != report.Pass {
			t.Errorf("where not all are: %s: %s", row.Verdict, row.Reason)
		}
	}
}

func TestRequestsThatWereDueAndNeverBegunHaveNoResponseTime(t *testing.T) {
	w := of(loadgen.Outcome{Status: 200, Count: 200})
	w.During.Loads["jason"].Missed = 3
	for line, want := range map[string]report.Verdict{
		"jason.p99 < 3s": report.Inconclusive, "jason.max < 3s": report.Inconclusive,
		"jason.service.p99 < 3s": report.Pass, "jason.status[200] == 200": report.Pass,
	} {
		row := mustCompile(t, line).Judge(w)[0]
		if row.Verdict != want || want == report.Inconclusive && !strings.Contains(row.Reason, "3 requests were due and never begun") {
			t.Errorf("%s is %s: %s", line, row.Verdict, row.Reason)
		}
	}
}
