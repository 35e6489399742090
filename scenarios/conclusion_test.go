package scenarios

import (
	"fmt"
	"strings"
	"testing"
)

// concluded has a sentence, and a parameter in it.
const concluded = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: t}
spec:
  app: bookinfo
  params: {delay: 10ms}
  conclusion: %s
  apply:
    - fault: {service: ratings, delay: $(delay)}
  load:
    pages: {get: "http://productpage:9080/productpage", requests: 20}
    others: {get: "http://productpage:9080/productpage", requests: 20}
  expect:
    - pages.max < 3s
    - recovery.pages.max < 1s
`

func TestAConclusionIsReadWithItsParameters(t *testing.T) {
	for text, want := range map[string]string{
		"A delay of $(delay) makes it {pages.max}.":              "A delay of 10ms makes it {pages.max}.",
		`"{pages.max}: {recovery.pages.max} after"`:              "{pages.max}: {recovery.pages.max} after",
		">-\n    It takes\n    {pages.max}\n    of {pages.sent}": "It takes {pages.max} of {pages.sent}",
		"It takes\n    {pages.max}":                              "It takes {pages.max}",
	} {
		s, err := readWith(fmt.Sprintf(concluded, text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if c := s.Steps[0].Conclusion; c == nil || c.Text() != want || c.Line != 7 && !strings.HasPrefix(text, ">") {
			t.Errorf("%s: it is %+v", text, c)
		}
	}
}

func TestWhatIsWrongInAConclusionStandsAtItsPlace(t *testing.T) {
	for text, want := range map[string]string{
		`"It takes {pages.p99}"`:       `t.yaml:7:26: no expectation is about pages.p99, so that a pass says nothing of it; write one, or leave it out`,
		`It takes {pages.p5O}`:         `t.yaml:7:31: unknown quantity of a load "p5O"; did you mean p50?`,
		`After $(delay) {others.sent}`: `t.yaml:7:31: no expectation is about others, so that a pass says nothing of it ($(delay) is 10ms); write one, or leave it out`,
		`It takes {pages.max`:          `t.yaml:7:24: this brace is not closed; write } behind the amount, or {{ for a brace`,
		`{pages.max}`:                  `t.yaml:7:15: YAML reads this conclusion as a mapping; quote this sentence`,
		`[a]`:                          `t.yaml:7:15: YAML reads this conclusion as a list; quote this sentence`,
		`""`:                           `the conclusion is empty`,
		"\"a\\nb {pages.max}\"":        `the conclusion has several lines`,
		"All is well":                  `t.yaml:7:15: the conclusion names nothing that was observed`,
		"Of {$(dleay)}":                `the scenario has no parameter "dleay"`,
	} {
		_, err := readWith(fmt.Sprintf(concluded, text))
		if err == nil || !strings.Contains(strings.Join(strings.Fields(err.Error()), " "), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// stepped has a sentence in its second step, and one beside them if it is asked for.
const stepped = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: t}
spec:
  app: bookinfo
%s
  steps:
    - name: one
      apply:
        - fault: {service: ratings, delay: 10ms}
      load: {pages: {get: "http://productpage:9080/productpage", requests: 20}}
      expect: [pages.p50 < 3s, baseline.pages.max < 1s]
    - name: two
      load: {pages: {get: "http://productpage:9080/productpage", requests: 20}}
      expect: [pages.max < 3s]
      conclusion: %s
`

func TestAConclusionIsOfItsStep(t *testing.T) {
	for name, c := range map[string]struct{ beside, of, want string }{
		"of the step, and of the baseline": {"", `"{pages.max}, before {baseline.pages.max}"`, ""},
		"of another step":                  {"", `"{pages.p50}"`, "no expectation is about pages.p50"},
		"beside them":                      {`  conclusion: "{pages.p50}"`, `"{pages.max}"`, "t.yaml:6:15: a scenario with steps has no conclusion beside them; give the step one that it is of, or each its own"},
	} {
		s, err := readWith(fmt.Sprintf(stepped, c.beside, c.of))
		switch {
		case c.want == "" && (err != nil || s.Steps[0].Conclusion != nil || s.Steps[1].Conclusion == nil):
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// TestASentenceOfOtherRulesIsNotTold: it says what the file says, and where an option
// says otherwise that may be untrue. What it names by amounts may be larger or smaller.
func TestASentenceOfOtherRulesIsNotTold(t *testing.T) {
	const text = "A delay of $(delay) makes it {pages.max}."
	for set, told := range map[string]string{
		"params.delay=20ms":                         "A delay of 20ms makes it {pages.max}.",
		"load.pages.requests=30":                    "A delay of 10ms makes it {pages.max}.",
		"load.pages.qps=30":                         "A delay of 10ms makes it {pages.max}.",
		"summary=Slow.":                             "A delay of 10ms makes it {pages.max}.",
		"conclusion=It takes {pages.max}":           "It takes {pages.max}",
		"apply[0].fault.delay=1s":                   "",
		"load.pages.as=anna":                        "",
		"expect[0]=pages.max < 2s":                  "",
		"given=[route: {service: reviews, to: v2}]": "",
	} {
		s, err := readWith(fmt.Sprintf(concluded, text), set)
		if err != nil {
			t.Errorf("%s: %v", set, err)
			continue
		}
		got := ""
		if c := s.Steps[0].Conclusion; c != nil {
			got = c.Text()
		}
		if got != told {
			t.Errorf("%s: told %q, want %q", set, got, told)
		}
		if warned := len(s.Warnings) == 1 && s.Warnings[0].Option == "--set "+set && strings.Contains(s.Warnings[0].Words(), "is left out"); warned != (told == "") {
			t.Errorf("%s: warned of %+v", set, s.Warnings)
		}
	}
	for _, text := range []string{"It is slow by 10ms: {pages.max}.", "The $$(delay): {pages.max}."} {
		s, err := readWith(fmt.Sprintf(concluded, `"`+text+`"`), "params.delay=20ms")
		if err != nil || s.Steps[0].Conclusion != nil || len(s.Warnings) != 1 || s.Warnings[0].Option != "--set params.delay=20ms" {
			t.Errorf("%s: a parameter that does not stand in it: %v", text, err)
		}
		if s, err = readWith(fmt.Sprintf(concluded, `"`+text+`"`), "params.delay=10ms"); err != nil || s.Steps[0].Conclusion == nil || len(s.Warnings) > 0 {
			t.Errorf("%s: a parameter that is what it was: %v", text, err)
		}
	}
	s, err := readWith(fmt.Sprintf(concluded, text), "apply[0].fault.delay=1s", "conclusion=It takes {pages.max} by 1s")
	if err != nil || s.Steps[0].Conclusion == nil || len(s.Warnings) > 0 {
		t.Errorf("one that is set, too: %v", err)
	}
	s, err = readWith(fmt.Sprintf(stepped, "", `"{pages.max}"`), "steps[one].apply[0].fault.delay=1s")
	if err != nil || s.Steps[1].Conclusion != nil || len(s.Warnings) != 1 {
		t.Errorf("of a step behind another one: %v", err)
	}
	s, err = readWith(fmt.Sprintf(stepped, "", `"{pages.max}"`), "steps[one].load.pages.requests=30", "steps[1].conclusion=It takes {pages.max}")
	if err != nil || s.Steps[1].Conclusion == nil || s.Steps[1].Conclusion.Text() != "It takes {pages.max}" || len(s.Warnings) > 0 {
		t.Errorf("set in a step: %v", err)
	}
}

// sized has a sentence, and a load of each size.
const sized = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: t}
spec:
  app: bookinfo
  params: {many: 20, long: 10s, limit: 3s, host: productpage}
  conclusion: "%s"
  apply:
    - fault: {service: ratings, delay: 7s}
  load:
    pages: {get: "http://$(host):9080/productpage", requests: $(many), connections: 2}
    others: {get: "http://productpage:9080/productpage", duration: $(long)}
  expect:
    - pages.max < $(limit)
`

// TestASentenceWithANumberOfAnotherLoadIsNotTold: nobody but its author knows whether a
// number is that of the load, so any that might be is one.
func TestASentenceWithANumberOfAnotherLoadIsNotTold(t *testing.T) {
	n, c := Override{Requests: new(int64(30))}, Override{Connections: new(5)}
	qps, same := Override{QPS: new(5.0), Cohort: "others"}, Override{Requests: new(int64(20)), Connections: new(2), Cohort: "pages"}
	for _, test := range []struct {
		text string
		set  string
		with Override
		told bool
	}{
		{"All 20 pages took {pages.max}.", "", n, false},
		{"All 20 pages took {pages.max}.", "", same, true},
		{"All 20 pages took {pages.max}.", "load.pages.requests=30", Override{}, false},
		{"All 20 pages took {pages.max}.", "params.many=30", Override{}, false},
		{"All $(many) pages took {pages.max}.", "params.many=30", Override{}, true},
		{"All $(many) pages took {pages.max}.", "", n, false},
		{"Ten on each: {pages.max}.", "", qps, true},
		{"All twenty pages took {pages.max}.", "", n, false},
		{"A hundred and twenty-five pages took {pages.max}.", "", n, false},
		{"Every 2nd of {pages.sent}: {pages.max}.", "", c, false},
		{"Some (~30): {pages.max}.", "", c, false},
		{"33% of them took {pages.max}.", "", c, false},
		{"Both connections took {pages.max}.", "", c, false},
		{"On a single connection, two-fold: {pages.max}.", "load.pages.connections=1", Override{}, false},
		{"Four connections took {pages.max}.", "load.others.connections=1", Override{}, false},
		{"With one connection at v2 of /status/204, 70/30, a 7s delay and 1.5 seconds: {pages.max}.", "", c, true},
		{"With one connection at v2, 70/30, a 7s delay and 1.5 seconds: {pages.max}.", "params.many=30", Override{}, true},
		{"In 10s they took {pages.max}.", "params.long=20s", Override{}, false},
		{"In ten seconds they took {pages.max}.", "load.others.duration=20s", Override{}, false},
		{"Of {pages.sent} none took longer than {pages.max}.", "", n, true},
		{"It is below the limit: {pages.max}.", "params.limit=4s", Override{}, false},
		{"It is below $(limit): {pages.max}.", "params.limit=4s", Override{}, true},
		{"It takes {pages.max}.", "params.host=productpage.default", Override{}, false},
		{"On $(host) it takes {pages.max}.", "params.host=productpage.default", Override{}, true},
	} {
		var set []string
		if test.set != "" {
			set = []string{test.set}
		}
		s, err := readWith(fmt.Sprintf(sized, test.text), set...)
		if err == nil && test.with.Changes() {
			err = s.Override(test.with)
		}
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if told := s.Steps[0].Conclusion != nil; told != test.told {
			t.Errorf("%s, with %q and %+v: told %v", test.text, test.set, test.with, told)
		}
		left := false
		for _, w := range s.Warnings {
			left = left || strings.Contains(w.Words(), "is left out")
		}
		if left == test.told {
			t.Errorf("%s: warned of %+v", test.text, s.Warnings)
		}
		again, err := OfRecord(s.Recorded())
		if err != nil || (again.Steps[0].Conclusion != nil) != test.told {
			t.Errorf("%s: read again from a record it is otherwise: %v", test.text, err)
		}
	}
}
