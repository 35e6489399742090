package mutate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

const timed = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: timed}
spec:
  app: httpbin
  given:
    - timeout: {service: httpbin, after: 5s}
  apply:
    - fault: {service: httpbin, delay: 100ms}
  load:
    client: {get: "http://httpbin:8000/get", requests: 12}
  expect:
    - client.min >= 90ms
    - baseline.client.max < 50ms
    - client.max < 100 * baseline.client.max
    - recovery.client.max < 50ms
`

// mutantsOf are those of the text of a scenario.
func mutantsOf(t *testing.T, text string) []Mutant {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := Of(s)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestTheBaselineOfARuleUnderTestKillsNoMutantOfIt: it was over before the rule was
// written, and what failed in it is the machine.
func TestTheBaselineOfARuleUnderTestKillsNoMutantOfIt(t *testing.T) {
	for _, m := range mutantsOf(t, timed) {
		given := strings.HasPrefix(m.ID, "given")
		for line, killer := range map[string]bool{
			"baseline.client.max < 50ms":             given,
			"client.max < 100 * baseline.client.max": true,
			"recovery.client.max < 50ms":             true,
			"client.min >= 90ms":                     true,
		} {
			record := &report.Record{Restored: true, Verdict: report.Fail, Expectations: []report.Expectation{{Expression: line, Verdict: report.Fail, Observed: "70ms"}}}
			fate, by, reason := fateOf(record, m, nil)
			switch {
			case killer && (fate != report.Killed || by.Expectation.Expression != line):
				t.Errorf("%s: %s where %s fails: %s", m.ID, fate, line, reason)
			case !killer && (fate != report.Unknown || !strings.HasPrefix(reason, line+" was 70ms before the rule was in force")):
				t.Errorf("%s: %s where %s fails: %s", m.ID, fate, line, reason)
			}
		}
	}
}

// TestWhatIsWantedIsOfWhatTheRuleIsInForceIn: before and after a rule under test two
// runs differ by chance, and by nothing that it does.
func TestWhatIsWantedIsOfWhatTheRuleIsInForceIn(t *testing.T) {
	window := func(name string, status int) report.Window {
		return report.Window{Name: name, Loads: map[string]*loadgen.Result{"client": {Sent: 12, Outcomes: []loadgen.Outcome{{Status: status, Count: 12}}}}}
	}
	record := func(during, around int) *report.Record {
		return &report.Record{Windows: []report.Window{window(report.Baseline, around), window(report.During, during), window(report.Recovery, around)}}
	}
	for _, m := range mutantsOf(t, timed) {
		if strings.HasPrefix(m.ID, "given") != (len(wanted(m, record(200, 200), record(200, 404))) > 0) {
			t.Errorf("%s: what differs around the rule: %v", m.ID, wanted(m, record(200, 200), record(200, 404)))
		}
		if len(wanted(m, record(200, 200), record(404, 200))) == 0 {
			t.Errorf("%s: what differs under it is named nowhere", m.ID)
		}
	}
}

const stepped = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: stepped}
spec:
  app: bookinfo
  versions: {v1: {body: reviews-v1}, v2: {body: reviews-v2}}
  steps:
    - name: before
      apply:
        - route: {service: reviews, to: v3}
      load: {direct: {get: "http://reviews:9080/reviews/1", requests: 40}}
      expect: ['direct.status[200] == direct.sent']
    - name: half
      apply:
        - route: {service: reviews, to: {v1: 50, v2: 50}}
      load: {direct: {get: "http://reviews:9080/reviews/1", requests: 40}}
      expect: ['direct.status[200] == direct.sent']
`

// TestWhatIsWantedNamesItsStep: of a version that many answers were of it is enough
// that any are, among the expectations of the step that sends them.
func TestWhatIsWantedNamesItsStep(t *testing.T) {
	record := func(v1, v2 int64) *report.Record {
		var outcomes []loadgen.Outcome
		for version, count := range map[string]int64{"v1": v1, "v2": v2} {
			if count > 0 {
				outcomes = append(outcomes, loadgen.Outcome{Status: 200, Version: version, Count: count})
			}
		}
		loads := map[string]*loadgen.Result{"direct": {Sent: 40, Outcomes: outcomes}}
		return &report.Record{Windows: []report.Window{{Name: report.During, Step: "half", Loads: loads}}}
	}
	all := mutantsOf(t, stepped)
	at := slices.IndexFunc(all, func(m Mutant) bool { return m.ID == "half/apply[0]/v2-to-v1" })
	if at < 0 {
		t.Fatal("no part of a split is sent to another version")
	}
	if got, want := wanted(all[at], record(22, 18), record(40, 0)), (report.Want{Expression: `direct.answered("v2") > 0`, Step: "half"}); !slices.Contains(got, want) {
		t.Errorf("wanted %v, without %v", got, want)
	}
	if got := wanted(all[at], record(36, 4), record(40, 0)); len(got) > 0 {
		t.Errorf("of four answers, which another run might not have: %v", got)
	}
}
