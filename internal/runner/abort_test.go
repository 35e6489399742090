package runner_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh/meshtest"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
)

// suffering is a scenario whose fault, which is for jason, befalls others too.
const suffering = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: suffering}
spec:
  app: httpbin
%s
  steps:
    - name: harmless
      apply:
        - fault: {service: httpbin, delay: 20ms}
      load:
        others: {get: "http://httpbin:8000/status/200", connections: 2, requests: 40}
      expect:
        - others.status[200] == others.sent
        - others.min >= 20ms
    - name: fault
%s
      apply:
        - fault: {service: httpbin, abort: 503, percent: 30%%}
      load:
        others: {get: "http://httpbin:8000/status/200", connections: 4, %s}
      expect:
        - 10%% < others.share(503) < 90%%
    - name: later
      apply:
        - fault: {service: httpbin, abort: 500}
      load:
        others: {get: "http://httpbin:8000/status/200", requests: 4}
      expect:
        - others.status[500] == others.sent
`

func TestALoadOfWhichOthersSufferIsEndedAndUndone(t *testing.T) {
	const condition = "others.share(503) > 5%"
	for name, test := range map[string]struct{ spec, step, load string }{
		"of the file, a closed loop":        {"  abortWhen: " + condition, "", "duration: 30s"},
		"of the step, a closed loop":        {"", "      abortWhen: [others.errors > 0, " + condition + "]", "duration: 30s"},
		"of the file, an open loop":         {"  abortWhen: [" + condition + "]", "", "duration: 30s, qps: 100"},
		"a load that is over before a look": {"  abortWhen: " + condition, "", "requests: 200"},
		"of the step, an engine of its own": {"", "      abortWhen: " + condition, "engine: fortio, duration: 30s"},
		"of the file, beside one that is stuck": {"  abortWhen: " + condition, "", `duration: 30s, qps: 100}
        stuck: {get: "http://httpbin:8000/delay/9", engine: fortio, connections: 8, requests: 8`},
		"of the step, a load with a warm-up": {"", "      abortWhen: " + condition, "warmup: 40, duration: 30s, qps: 200"},
	} {
		t.Run(name, func(t *testing.T) {
			m := meshtest.Open(t, "httpbin", 1)
			stop := meshtest.Answered(t, m, nil)
			compare := meshtest.Remember(t, m)
			var undone time.Time
			record := run(t.Context(), t, m, fmt.Sprintf(suffering, test.spec, test.step, test.load), func(e runner.Event) {
				if strings.Contains(e.Phase, "undoing") && undone.IsZero() {
					undone = time.Now()
				}
			})
			compare()
			w := record.Window(report.During, "fault")
			if record.Verdict != report.Fail || !record.Restored || w == nil || w.Stopped == nil {
				t.Fatalf("verdict %s, restored %v, problems %q", record.Verdict, record.Restored, record.Against())
			}
			if w.Stopped.Condition != condition || w.Stopped.Line == 0 || w.Stopped.Samples < 20 {
				t.Errorf("it was ended by %+v", w.Stopped)
			}
			if values := w.Stopped.Values; len(values) != 1 || values[0].Unit != report.Share || values[0].Value <= 0.05 {
				t.Errorf("it was ended by %+v", values)
			}
			at, after, last := meshtest.Breach(stop(), w)
			if at.IsZero() || last.Sub(at) > 10*time.Second || undone.Sub(at) > 15*time.Second {
				t.Errorf("the proxy saw the breach at %v, the last request %v after it; it was undone %v after it", at, last.Sub(at), undone.Sub(at))
			}
			t.Logf("%d requests in %v after the breach; undone from %v after it", after, last.Sub(at), undone.Sub(at))
			if len(record.Windows) != 3 { // the baseline, the first step, the second: neither the third nor the recovery
				t.Errorf("there are %d windows", len(record.Windows))
			}
			judged := map[string]report.Verdict{}
			for _, e := range record.Expectations {
				judged[e.Step+": "+e.Expression] = e.Verdict
			}
			for row, want := range map[string]report.Verdict{
				"harmless: others.status[200] == others.sent": report.Pass,
				"fault: 10% < others.share(503) < 90%":        report.Inconclusive,
				"fault: abortWhen: " + condition:              report.Fail,
				"later: others.status[500] == others.sent":    report.Inconclusive,
			} {
				if judged[row] != want {
					t.Errorf("%s is %q; want %s", row, judged[row], want)
				}
			}
		})
	}
}

// Without a breach, and with one in a step that does not ask, a run comes to its end.
func TestALoadThatNobodySuffersOfIsNotEnded(t *testing.T) {
	text := fmt.Sprintf(suffering, "  abortWhen: others.share(503) > 99%", "", "requests: 200")
	text = strings.Replace(text, "- name: harmless\n", "- name: harmless\n      abortWhen: others.share(503) > 5%\n", 1)
	record := run(t.Context(), t, meshtest.Open(t, "httpbin", 1), text, nil)
	if len(record.Windows) != 5 || record.Verdict != report.Pass {
		t.Errorf("verdict %s, %d windows, problems %q", record.Verdict, len(record.Windows), record.Against())
	}
}

// Where no rule under test is in force, it is none of its fault.
func TestABreachOfTheBaselineIsInconclusive(t *testing.T) {
	text := fmt.Sprintf(suffering, "  abortWhen: others.share(418) > 5%", "", "requests: 200")
	text = strings.ReplaceAll(text, "/status/200", "/status/418")
	m := meshtest.Open(t, "httpbin", 1)
	compare := meshtest.Remember(t, m)
	record := run(t.Context(), t, m, strings.Replace(text, "requests: 40", "requests: 120", 1), nil)
	compare()
	if record.Verdict != report.Inconclusive || len(record.Windows) != 1 || record.Windows[0].Stopped == nil || len(record.Changes) > 0 {
		t.Errorf("verdict %s, windows %+v", record.Verdict, record.Windows)
	}
	if !strings.Contains(strings.Join(record.Against(), " "), "baseline: the load was ended") {
		t.Errorf("problems %q", record.Against())
	}
}

func TestALoadThatExceedsACapIsEndedAndUndone(t *testing.T) {
	for name, test := range map[string]struct {
		caps runner.Caps
		want string
	}{
		"too fast": {runner.Caps{QPS: 90}, "requests were begun within"},
		"too long": {runner.Caps{Duration: 1500 * time.Millisecond}, "and the cap is 1.5s"},
	} {
		t.Run(name, func(t *testing.T) {
			m := meshtest.Open(t, "httpbin", 1)
			compare := meshtest.Remember(t, m)
			record, err := runner.Run(t.Context(), m, read(t, fmt.Sprintf(suffering, "", "", "requests: 100000")), runner.Options{ID: "test", Caps: test.caps})
			if err != nil {
				t.Fatal(err)
			}
			compare()
			w := record.Window(report.During, "fault")
			if record.Verdict != report.Inconclusive || !record.Restored || w == nil || w.Stopped == nil || w.Stopped.Condition != "" {
				t.Fatalf("verdict %s, problems %q", record.Verdict, record.Against())
			}
			if problems := strings.Join(record.Against(), " "); !strings.Contains(problems, test.want) || !strings.Contains(problems, "--max-qps or --max-duration") {
				t.Errorf("problems %q", problems)
			}
		})
	}
}

func TestALoadThatAsksForMoreThanACapIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		load string
		want string
	}{
		"a rate":                 {"qps: 101, requests: 8", "the load others asks for 101 requests a second, and 100 are allowed"},
		"a ramp to a rate":       {"qps: {from: 1, to: 101, over: 5s}", "the load others asks for 101 requests a second, and 100 are allowed"},
		"a number up a ramp":     {"qps: {from: 0.01, to: 1, over: 100s}, requests: 50", "would last 1m"},
		"stages that last":       {"stages: [{target: 1, duration: 61s}]", "would last 1m1s, and 1m0s are allowed"},
		"a number by chance":     {"requests: 101, qps: 1, arrival: poisson", "would last 1m40s, and 1m0s are allowed"},
		"a duration":             {"duration: 61s", "would last 1m1s, and 1m0s are allowed; ask for less, or allow more by --max-duration"},
		"requests at a rate":     {"requests: 101, qps: 1", "would last 1m40s, and 1m0s are allowed"},
		"what is just allowed":   {"requests: 100, qps: 100, duration: 60s", ""},
		"and a rate that is not": {"requests: 100, qps: 100.5", "asks for 100.5 requests a second, and 100 are allowed; ask for less, or allow more by --max-qps"},
	} {
		t.Run(name, func(t *testing.T) {
			m := meshtest.Open(t, "httpbin", 1)
			_, err := runner.Run(t.Context(), m, read(t, fmt.Sprintf(suffering, "", "", test.load)), runner.Options{ID: "test", Caps: runner.Caps{QPS: 100, Duration: time.Minute}})
			if test.want == "" && err == nil {
				return
			}
			var refused *runner.RefusedError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "s.yaml:") {
				t.Errorf("error %v; want %q", err, test.want)
			}
		})
	}
}
