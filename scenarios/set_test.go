package scenarios

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// filled has a parameter of each kind, and refers to it in each way.
const filled = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: t}
spec:
  summary: $(canary), not $$(canary).
  params:
    canary: v2
    requests: 040
    wait: 0.5
    page: productpage
  app: bookinfo
  apply:
    - route: {service: reviews, to: {v1: 90, $(canary): 10}}
    - fault: {service: ratings, delay: 10ms}
  versions:
    v1: {body: reviews-v1}
    $(canary): {body: "reviews-$(canary)"}
  load:
    pages: {get: "http://$(page):9080/productpage", requests: $(requests), headers: {x: "$(requests)"}}
    others: {get: "http://productpage:9080/productpage", while: pages, qps: 5}
  expect:
    - pages.max < $(wait)s
    - {that: pages.errors == 0, knownBug: T-1}
`

func readWith(text string, set ...string) (*Scenario, error) {
	return parse("t.yaml", text, set, func(string, int64) (string, error) { return "", os.ErrNotExist })
}

func TestParametersStandWhereTheyAreReferredTo(t *testing.T) {
	for name, c := range map[string]struct {
		set      []string
		canary   string
		requests int64
		line     string
	}{
		"defaults":    {nil, "v2", 40, "pages.max < 0.5s"},
		"set":         {[]string{"params.canary=v3", "params.requests=012", "params.wait=2"}, "v3", 12, "pages.max < 2s"},
		"beside them": {[]string{"load.pages.requests=7", "expect[0]=pages.max < $(wait)0s"}, "v2", 7, "pages.max < 0.50s"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := readWith(filled, c.set...)
			if err != nil {
				t.Fatal(err)
			}
			pages := s.Steps[0].Cohorts[1].Plan
			if pages.Requests != c.requests || pages.HTTP.URL != "http://productpage:9080/productpage" {
				t.Errorf("the plan is %+v", pages)
			}
			if got := s.Steps[0].Expect[0]; got.Text() != c.line || got.Line != 22 {
				t.Errorf("line %d is %q, want %q", got.Line, got.Text(), c.line)
			}
			if s.Summary != c.canary+", not $(canary)." || pages.Versions[1].Name != c.canary || pages.Versions[1].Body != "reviews-"+c.canary {
				t.Errorf("%q, %+v", s.Summary, pages.Versions)
			}
			if s.Params["canary"] != c.canary || len(s.Set) != len(c.set) {
				t.Errorf("params %v, set %v", s.Params, s.Set)
			}
		})
	}
}

func TestAKeyOfTheGrammarIsAddedWhereItIsNot(t *testing.T) {
	s, err := readWith(filled, "load.pages.qps=20", "apply[1].fault.percent=50%", "onFailure=rollback", "load.pages.headers={end-user: jason}")
	if err != nil {
		t.Fatal(err)
	}
	pages := s.Steps[0].Cohorts[1].Plan
	if pages.QPS != 20 || !s.Rollback || pages.HTTP.Header["end-user"] != "jason" || !strings.Contains(s.Steps[0].Apply[1].Intent.String(), "ratings") {
		t.Errorf("%+v, rollback %v", pages, s.Rollback)
	}
}

func TestWhatIsWrongInASettingNamesIt(t *testing.T) {
	for set, want := range map[string]string{
		"load.pages.requets=5":                       `spec.load.pages has no "requets"; did you mean requests?`,
		"load.pags.requests=5":                       `spec.load has no "pags"; did you mean pages?`,
		"lod.pages.requests=5":                       `spec has no "lod"; did you mean load?`,
		"load.pages.requests=many":                   `requests takes a whole number from 1 to 1000000000, or auto, not "many"`,
		"load.pages.requests=0x10":                   "0x10 is no decimal number",
		"load.pages.requests=2":                      "requests is 2, so that some of 4 connections",
		"load.pages.headers.y=2":                     `spec.load.pages.headers has no "y"; did you mean x?`,
		"load.pages.headers.x=2":                     "x takes a text, and \"2\" is none to YAML; quote it",
		"load.others.headers.x=a":                    "spec.load.others has no headers; set it as a whole: load.others.headers={...}",
		"load.pages.requests.x=2":                    "spec.load.pages.requests has no keys",
		"load.pages.get=nowhere":                     `"nowhere" is no URL of a service in the mesh`,
		"load.pages.qps=":                            "load.pages.qps has no value",
		"load.pages.qps=null":                        "load.pages.qps has no value",
		"load.pages.qps=5 # a few":                   "YAML takes what follows # for a comment",
		"load.pages.qps=[5":                          "close the bracket",
		"load.pages.qps=*a":                          "anchors, aliases and tags have no place",
		"load.pages.qps=" + strings.Repeat("[", 200): "nested more than",
		"load.pages.body=a\nb":                       "the value has several lines",
		"load[0].requests=5":                         "spec.load is no list; go on with a key, as in .pages",
		"apply.0.fault.delay=5s":                     "spec.apply has no keys: it is a list; write [0] for an entry",
		"spec.load.pages.requests=5":                 `a path leads into spec, and "spec" is outside of it; leave out spec`,
		"metadata.name=a":                            `a path leads into spec, and "metadata" is outside of it`,
		"steps[0].load.pages.requests=5":             "spec has no steps; set it as a whole: steps=[...]",
		"expect[7]=a":                                "spec.expect has no entry [7], but 2 in all",
		"expect[0]=pages.mux < 1s":                   `unknown quantity of a load "mux"; did you mean max?`,
		"expect[1].knownBug=":                        "has no value",
		"expect[1].known=a":                          `spec.expect[1] has no "known"; did you mean knownBug?`,
		"apply[0].route.to.v9=5":                     `spec.apply[0].route.to has no "v9"`,
		"apply[1].fault.dely=5s":                     `spec.apply[1].fault has no "dely"; did you mean delay?`,
		"apply[1].fault.delay=5":                     `the duration "5" has no unit`,
		"apply[two].fault.delay=5s":                  `the entries of spec.apply have no names, and none is "two"; number them, from [0]`,
		"params.requests=many":                       `the parameter requests is a whole number, as its default "040" is, and not "many"`,
		"params.canary=3":                            `quote it: --set 'params.canary="3"'`,
		"params.canary=[v1]":                         "the parameter canary is a text",
		"params.canary=$(page)":                      "the parameter canary refers to $(page)",
		"params.canry=v3":                            `the scenario has no parameter "canry"; did you mean canary?`,
		"params={canary: v3}":                        "write params.NAME=VALUE",
		"summary=$(cannry)":                          `the scenario has no parameter "cannry"; did you mean canary?`,
		"app":                                        "there is no = in it",
		"=5":                                         "it is empty",
		"load..x=5":                                  "a name is missing",
		"expect[0=a":                                 "is no entry in brackets",
		"load.pages.headers[\"x\"y=a":                "no key in brackets and quotes",
		"app=bookinf":                                `unknown app "bookinf"; did you mean bookinfo?`,
	} {
		t.Run(set, func(t *testing.T) {
			_, err := readWith(filled, set)
			if err == nil {
				t.Fatal("it was read without an error")
			}
			if !strings.HasPrefix(err.Error(), "t.yaml: --set "+set+": ") || !strings.Contains(err.Error(), want) {
				t.Errorf("the error is\n%v\nwithout\n%s", err, want)
			}
		})
	}
}

func TestASettingIsGivenOnce(t *testing.T) {
	if _, err := readWith(filled, "load.pages.requests=5", "load.pages.requests=6"); err == nil || !strings.Contains(err.Error(), "load.pages.requests is set twice") {
		t.Errorf("the error is %v", err)
	}
}

func TestWhatIsWrongWithAParameterIsPlaced(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"unused":              {"    page: productpage\n", "    page: productpage\n    spare: 1\n", "t.yaml:11:5: nothing refers to the parameter spare; write $(spare)"},
		"unknown":             {"$(wait)s", "$(wat)s", `t.yaml:22:7: the scenario has no parameter "wat"; did you mean wait?`},
		"without a default":   {"canary: v2", "canary:", "t.yaml:7:12: the parameter canary is nothing; write its default"},
		"a list":              {"canary: v2", "canary: [v2]", "t.yaml:7:13: the parameter canary is a list"},
		"of another":          {"canary: v2", "canary: $(page)", "t.yaml:7:13: the parameter canary refers to $(page)"},
		"no name":             {"    page: productpage\n", "    page: productpage\n    a.b: 1\n", "no reference could name the parameter \"a.b\""},
		"of the wrong kind":   {"requests: $(requests),", "requests: $(page),", `requests takes a whole number from 1 to 1000000000, or auto, not "productpage" ($(page) is productpage)`},
		"a number as a text":  {"as: x", "as: $(requests)", `as takes a text, and "040" is none to YAML ($(requests) is 40); quote it`},
		"behind it a mistake": {"pages.max < $(wait)s", "pages.max < $(wait)s && pages.mux < 1s", `t.yaml:22:37: unknown quantity of a load "mux" ($(wait) is 0.5)`},
		"a key twice":         {"canary: v2", "canary: v1", `t.yaml:13:46: the key "v1" stands twice here`},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(strings.Replace(filled, "requests: $(requests),", "requests: $(requests), as: x,", 1), c.old, c.new, 1)
			_, err := readWith(text)
			if err == nil {
				t.Fatal("it was read without an error")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is\n%v\nwithout\n%s", err, c.want)
			}
		})
	}
}

func TestNoSettingIsTooOddToBeRefusedInWords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.SampledFrom([]string{"load", "load.pages", "load.pages.requests", "expect", "expect[0]", "apply[0]", "apply[1].fault.delay", "params.wait", "versions.v1", "summary"}).Draw(t, "path")
		value := rapid.StringMatching(`[-a-z0-9:,.$(){}\[\]'"&*!?#|>%@ ]{0,12}`).Draw(t, "value")
		s, err := readWith(filled, path+"="+value)
		if (s == nil) == (err == nil) {
			t.Fatalf("%v, %v", s, err)
		}
		for _, at := range regexp.MustCompile(`t\.yaml:(\d+):`).FindAllStringSubmatch(fmt.Sprint(err), -1) {
			if line, _ := strconv.Atoi(at[1]); line > strings.Count(filled, "\n") {
				t.Fatalf("it is placed behind the file: %v", err)
			}
		}
	})
}
