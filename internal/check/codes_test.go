package check

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// called is a window in which jason made calls of gRPC, and others asked by HTTP.
func called() Windows {
	calls := []loadgen.Outcome{
		{GRPC: loadgen.OK, Checks: []string{"stars"}, Count: 16}, {GRPC: "UNAVAILABLE", Message: "gone", Count: 3},
		{GRPC: "UNAVAILABLE", Message: "away", Count: 1}, {Error: loadgen.ErrorReset, Count: 5},
	}
	return Windows{During: &report.Window{Name: report.During, Loads: map[string]*loadgen.Result{
		"jason": load(calls, time.Millisecond), "others": load([]loadgen.Outcome{{Status: 200, Count: 9}}, time.Millisecond),
		"client": load([]loadgen.Outcome{{GRPC: "INTERNAL", Count: 4}}, time.Millisecond),
	}}}
}

func TestCallsAreJudgedByTheirCodes(t *testing.T) {
	const noCode, noStatus = "only calls of gRPC end by a code", "calls of gRPC end by a code, and have no status; judge .grpc[OK]"
	for line, want := range map[string]report.Expectation{
		"jason.grpc[UNAVAILABLE] == 4":    {Verdict: report.Pass, Observed: "UNAVAILABLE: 4", Limit: "4"},
		"jason.grpc[NOT_FOUND] == 0":      {Verdict: report.Pass, Observed: "NOT_FOUND: 0", Limit: "0"},
		"jason.grpc[OK] == jason.sent":    {Verdict: report.Fail, Observed: "OK: 16", Limit: "25 (jason.sent)"},
		"jason.share(UNAVAILABLE) <= 16%": {Verdict: report.Pass, Observed: "16% (4 of 25)", Limit: "<= 16%"},
		`jason.count("stars") == 16`:      {Verdict: report.Pass, Observed: "16", Limit: "16"},
		"jason.errors == 5":               {Verdict: report.Pass, Observed: "5", Limit: "5"},
		"jason.status[200] == 16":         {Verdict: report.Inconclusive, Reason: "jason in the during window: " + noStatus},
		"others.grpc[OK] == 9":            {Verdict: report.Inconclusive, Reason: "others in the during window: " + noCode},
		"others.share(UNAVAILABLE) == 0%": {Verdict: report.Inconclusive, Reason: "others in the during window: " + noCode},
		"client.p50 < 1s":                 {Verdict: report.Inconclusive},
	} {
		got := mustCompile(t, line).Judge(called())[0]
		if got.Verdict != want.Verdict || want.Observed != "" && (got.Observed != want.Observed || got.Limit != want.Limit) {
			t.Errorf("%s: %s, observed %s, limit %s", line, got.Verdict, got.Observed, got.Limit)
		}
		if want.Reason != "" && !strings.Contains(got.Reason, want.Reason[len(want.Reason)-20:]) {
			t.Errorf("%s: the reason is %q", line, got.Reason)
		}
	}
}

func TestALineSpeaksOfTheCodesThatItCounts(t *testing.T) {
	failed := map[string]loadgen.Outcome{
		"gone":  {GRPC: "UNAVAILABLE", Message: "gone", Count: 3},
		"bug":   {GRPC: "INTERNAL", Count: 2},
		"reset": {Error: loadgen.ErrorReset, Count: 1},
	}
	w := func() Windows {
		outcomes := []loadgen.Outcome{{GRPC: loadgen.OK, Count: 40}, failed["gone"], failed["bug"], failed["reset"]}
		return Windows{During: &report.Window{Name: report.During, Loads: map[string]*loadgen.Result{"jason": load(outcomes, time.Millisecond)}}}
	}
	for line, want := range map[string][]string{
		"jason.grpc[UNAVAILABLE] <= 3":                                  {"gone"},
		"jason.share(UNAVAILABLE) < 10%":                                {"gone"},
		"jason.grpc[INTERNAL] + jason.grpc[UNAVAILABLE] == 5":           {"bug", "gone"},
		"jason.grpc[OK] == 40":                                          nil,
		"jason.errors == 1":                                             {"reset"},
		"jason.grpc[OK] + jason.grpc[UNAVAILABLE] + jason.errors == 44": {"gone", "reset"},
		"jason.qps > 1 || jason.grpc[UNAVAILABLE] == 0":                 nil,
	} {
		var got []string
		for _, name := range []string{"bug", "gone", "reset"} {
			if mustCompile(t, line).Speaks(w(), Load{Window: report.During, Cohort: "jason"}, failed[name]) {
				got = append(got, name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

// What could not fail, or not hold, is known of codes as of statuses.
func TestCodesHoldTogether(t *testing.T) {
	for _, line := range []string{
		"jason.share(UNAVAILABLE) <= 100%", "jason.grpc[OK] <= jason.sent", "jason.grpc[OK] + jason.grpc[UNAVAILABLE] > jason.sent",
		"jason.grpc[OK] >= 0", "jason.share(OK) + jason.share(UNAVAILABLE) > 100%",
	} {
		if _, err := Compile(shop(), line); err == nil {
			t.Errorf("%s was taken", line)
		}
	}
}
