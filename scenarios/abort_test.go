package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/report"
)

// stepwise has a condition of the file, and one of its second step.
const stepwise = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: t}
spec:
  app: httpbin
  abortWhen: %s
  steps:
    - name: one
      apply: [{fault: {service: httpbin, delay: 10ms}}]
      load:
        others: {get: "http://httpbin:8000/get", requests: 100}
        few: {get: "http://httpbin:8000/get", requests: 4}
      expect: ["others.status[200] == others.sent"]
    - name: two
      abortWhen: %s
      apply: [{fault: {service: httpbin, abort: 503}}]
      load:
        others: {get: "http://httpbin:8000/get", requests: 30}
      expect: ["others.status[503] == others.sent"]
`

func texts(conditions []Condition) []string {
	var all []string
	for _, c := range conditions {
		all = append(all, fmt.Sprintf("%d: %s", c.Line, c.Text()))
	}
	return all
}

func TestConditionsHoldInTheirWindows(t *testing.T) {
	s, err := read(fmt.Sprintf(stepwise, "[others.errors > 3, others.p99 > 2s]", "others.share(503) > 5%"))
	if err != nil {
		t.Fatal(err)
	}
	file := []string{"6: others.errors > 3", "6: others.p99 > 2s"}
	two := append(slices.Clone(file), "15: others.share(503) > 5%")
	for _, test := range []struct {
		window string
		step   int
		want   []string
	}{
		{report.Baseline, 0, file}, {report.Recovery, 0, file}, {report.During, 0, file}, {report.During, 1, two},
	} {
		if got := texts(s.AbortWhen(test.window, s.Steps[test.step])); !slices.Equal(got, test.want) {
			t.Errorf("%s of step %d: %q; want %q", test.window, test.step, got, test.want)
		}
	}
	if line := s.Aborting(&report.Window{Name: report.During, Step: "two"}, "others.share(503) > 5%"); line != 15 {
		t.Errorf("it stands on line %d", line)
	}
	if line := s.Aborting(&report.Window{Name: report.During, Step: "one"}, "others.share(503) > 5%"); line != 0 {
		t.Errorf("a condition of another step stands on line %d", line)
	}
}

func TestAWrongConditionIsPlacedAndExplained(t *testing.T) {
	for name, test := range map[string]struct{ file, step, want string }{
		"a cohort that no step has":  {"othrs.errors > 3", "others.errors > 3", `t.yaml:6:14: unknown load "othrs"; did you mean others?`},
		"a cohort that one step has": {"[few.errors > 3]", "others.errors > 3", `t.yaml:6:15: in step two: unknown load "few"; write it as abortWhen of the steps that it is for`},
		"a counter of proxies":       {"others.errors > 3", "faults(httpbin) > 3", "t.yaml:15:18: faults(httpbin) is counted by proxies, which are read when the load is over"},
		"another window":             {"others.errors > 3", "others.sent > 3 && baseline.others.errors > 3", "t.yaml:15:37: baseline.others is not known while the load runs"},
		"what can never be true":     {"others.share(503) > 100%", "others.errors > 3", `t.yaml:6:14: "others.share(503) > 100%" can never be true; a share is from 0% to 100%`},
		"what is always true":        {"others.errors > 3", "others.share(503) >= 0%", `t.yaml:15:18: "others.share(503) >= 0%" is always true`},
		"a time beyond the timeout":  {"others.max > 2h", "others.errors > 3", "can never be true"},
		"too few to be judged":       {"others.errors > 3", "others.p99 > 1s", "t.yaml:15:18: others.p99 > 1s would never be judged: it takes 100 requests, and others sends 30; send more, or count them, as in others.status[503] > 0"},
		"too few in every step":      {"others.p999 > 1s", "others.errors > 3", "t.yaml:6:14: others.p999 > 1s would never be judged"},
		"a mapping":                  {"{that: others.errors > 3}", "others.errors > 3", "abortWhen takes a condition, or a list of them, not a mapping"},
		"a list in a list":           {"[[others.errors > 3]]", "others.errors > 3", "abortWhen takes a condition, or a list of them, not a list"},
		"an empty one":               {`""`, "others.errors > 3", "abortWhen takes a condition"},
		"nothing":                    {"", "others.errors > 3", "has no value"},
		"a quantity without a limit": {"others.errors", "others.errors > 3", "nothing is asked of it"},
		"a unit that is missing":     {"others.p50 > 3", "others.errors > 3", "t.yaml:6:27: \"3\" has no unit"},
		"or":                         {"others.errors > 3 || others.max > 2s", "others.errors > 3", "t.yaml:6:14: a condition has no ||"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(fmt.Sprintf(stepwise, test.file, test.step))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v; want %q", err, test.want)
			}
		})
	}
}

// A condition of the file is for the steps in which it can be judged.
func TestAConditionOfTheFileNeedNotBeJudgedInEachStep(t *testing.T) {
	s, err := read(fmt.Sprintf(stepwise, "others.p99 > 1s", "others.share(503) > 5%"))
	if err != nil {
		t.Fatal(err)
	}
	few := int64(10)
	if err := s.Override(Override{Requests: &few, Cohort: "others"}); err == nil || !strings.Contains(err.Error(), "would never be judged: it takes 20 requests, and others sends 10") {
		t.Errorf("-n 10: error %v", err)
	}
}

func TestAConditionIsOfCohortsFromOnePlace(t *testing.T) {
	text, _, _ := strings.Cut(fmt.Sprintf(stepwise, "[few.errors < others.errors - 3]", "others.errors > 3"), "    - name: two")
	if _, err := read(text); err != nil {
		t.Errorf("from one place: %v", err)
	}
	_, err := read(strings.Replace(text, "requests: 4}", "requests: 4, from: httpbin-v1}", 1))
	if err == nil || !strings.Contains(err.Error(), ":6:") || !strings.Contains(err.Error(), "names few and others, which are not from one place") {
		t.Errorf("from two: %v", err)
	}
}
