package scenarios

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// good is a scenario in which each of the cases below spoils one place.
const good = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: t}
spec:
  app: bookinfo
  apply:
    - fault: {service: ratings, delay: 7s}
    - apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: reviews}
      spec:
        hosts: [reviews]
        http:
          - route:
              - {destination: {host: reviews, subset: v1}, weight: 90}
              - {destination: {host: reviews, subset: v2}, weight: 10}
  checks:
    lost: {body: Sorry}
  load:
    jason: {get: "http://productpage:9080/productpage", as: jason, requests: 5}
    others: {get: "http://productpage:9080/productpage", qps: 5, while: jason}
  expect:
    - 5.9s <= jason.p50 <= 6.6s
    - jason.share("lost") == 100%
`

func read(text string) (*Scenario, error) {
	return parse("t.yaml", text, nil, openBeside("."))
}

// TestWhatIsNoYAMLIsExplained: each mistake by what mends it, rather than by what a
// parser calls it alone.
func TestWhatIsNoYAMLIsExplained(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"a tab in the middle":             {"    - fault", "  \t- fault", "with blanks, not with tabs"},
		"a tab at the top":                {"apiVersion", "\tapiVersion", "with blanks, not with tabs"},
		"a bracket in a list in brackets": {"  checks:", "  given: [a.status[200] == 1]\n  checks:", "quote a text with brackets, : or # in it, or give each entry a line of its own"},
		"a bracket that stays open":       {"{service: ratings, delay: 7s}", "{service: ratings, delay: 7s", "close the bracket"},
		"a bracket closed twice":          {"{service: ratings, delay: 7s}", "{service: ratings, delay: 7s}}", "close no bracket twice"},
		"a quote that another one ends":   {"app: bookinfo", "app: \"bookinfo", "end each quote"},
		"a quote that stays open":         {"- jason.share(\"lost\") == 100%", "- \"jason.max < 7s", "end the text with the quote that it begins with"},
		"a key without a colon":           {"  app: bookinfo", "  app", "a colon and a blank behind the key"},
		"a top key without a colon":       {"spec:", "spec", "write a colon behind the key"},
		"a key too far in":                {"  checks:", "   checks:", "indent keys beside each other alike"},
		"a colon in a text":               {"  app: bookinfo", "  summary: a: b\n  app: bookinfo", "quote a text with a colon and a blank in it"},
		"a sign at which a block begins":  {"  checks:", "  given: [a.status[200] >= 1]\n  checks:", "quote a text with > or | in it, or give each entry a line of its own"},
		"a backslash in quotes":           {"body: Sorry", "match: \"\\d\"", `write \\ for a backslash`},
		"a reserved character":            {"body: Sorry", "body: @Sorry", "quote the text"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			if _, err := read(text); text == good || err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "this is no YAML") {
				t.Errorf("the error is %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestAGoodScenarioIsRead(t *testing.T) {
	s, err := read(good)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Steps) != 1 || len(s.Steps[0].Cohorts) != 2 || len(s.Steps[0].Expect) != 2 || len(s.Steps[0].Apply) != 2 {
		t.Errorf("read %+v", s.Steps)
	}
	if plan := s.Steps[0].Cohorts[0].Plan; plan.Connections != defaultConnections || plan.HTTP.Login.Form["username"] != "jason" {
		t.Errorf("the plan of jason is %+v", plan)
	}
}

func TestAManifestIsNoScenario(t *testing.T) {
	for text, want := range map[string]string{
		"apiVersion: networking.istio.io/v1\nkind: VirtualService\nspec: {hosts: [a]}\n": "t.yaml:2:1: this is a VirtualService, and no scenario; meshchaos lint checks it",
		"apiVersion: apps/v1\nkind: Deployment\nspec: {}\n":                              "t.yaml:2:1: this is a Deployment of apps/v1, and no scenario; a scenario has apiVersion: meshchaos/v1alpha1",
		"apiVersion: meshchaos/v1\nkind: Scenario\n":                                     `t.yaml:1:1: the apiVersion is "meshchaos/v1"`,
	} {
		if _, err := parse("t.yaml", text, nil, nil); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestWhatIsWrongIsPlacedAndExplained(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"an excuse without a reason":                  {"  checks:", "  mutants: [{id: \"apply[0]/dropped\", equivalent: \" \"}]\n  checks:", `t.yaml:17:13: the excuse of the mutant "apply[0]/dropped" has no reason`},
		"an excuse for nothing":                       {"  checks:", "  mutants: [{equivalent: because}]\n  checks:", "t.yaml:17:13: the excuse names no mutant"},
		"an excuse twice":                             {"  checks:", "  mutants: [{id: a, equivalent: x}, {id: a, equivalent: y}]\n  checks:", `the mutant "a" is excused twice`},
		"an unknown key of an excuse":                 {"  checks:", "  mutants: [{id: a, equivlent: x}]\n  checks:", "did you mean equivalent?"},
		"an unknown key":                              {"delay: 7s", "dely: 7s", `t.yaml:7:33: unknown key "dely" in fault; did you mean delay?`},
		"a key twice":                                 {"spec:\n", "spec:\n  app: httpbin\n", "already defined at [5:3]; take one of the two out"},
		"a tab":                                       {"    - fault", "\t- fault", "t.yaml:7:1: "},
		"an unknown key at the top":                   {"spec:\n  app", "spek:\n  app", `unknown key "spek" in the scenario; did you mean spec?`},
		"a wrong type":                                {"requests: 5}", "connections: many, requests: 5}", `connections takes a whole number, not "many"`},
		"a list for a mapping":                        {"checks:\n    lost: {body: Sorry}", "checks: [lost]", "t.yaml:17:11: checks takes a mapping, not a list"},
		"a duration without unit":                     {"delay: 7s", "delay: 7", `t.yaml:7:40: the duration "7" has no unit; write 7s or 7ms`},
		"a duration in an expectation":                {"jason.p50 <= 6.6s", "jason.p50 <= 6.6", "t.yaml:23:"},
		"an unknown load":                             {"5.9s <= jason.p50", "5.9s <= jasn.p50", `t.yaml:23:15: unknown load "jasn"; did you mean jason?`},
		"an unknown check":                            {`share("lost")`, `share("last")`, "did you mean"},
		"an unknown while":                            {"while: jason", "while: jasn", `did you mean jason?`},
		"an unknown app":                              {"app: bookinfo", "app: bookinf", `t.yaml:5:`},
		"a fault that does nothing":                   {", delay: 7s", "", "neither delays nor aborts"},
		"a field that Istio lacks":                    {"hosts: [reviews]", "host: [reviews]", `t.yaml:12:9: `},
		"weights that sum to 0":                       {"weight: 90}\n              - {destination: {host: reviews, subset: v2}, weight: 10}", "weight: 0}\n              - {destination: {host: reviews, subset: v2}, weight: 0}", "t.yaml:1"},
		"a load that never ends":                      {", as: jason, requests: 5", ", as: jason", `the load "jason" would never end`},
		"no expectation":                              {"  expect:\n    - 5.9s <= jason.p50 <= 6.6s\n    - jason.share(\"lost\") == 100%\n", "", "t.yaml:19:3: nothing is expected"},
		"an alias":                                    {"{body: Sorry}", "&a {body: Sorry}\n    b: *a", "anchors, aliases and tags have no place"},
		"a rule file that is not there":               {"- fault: {service: ratings, delay: 7s}", "- nothing.yaml", `this names a file of rules: reading "nothing.yaml": no such file`},
		"another apiVersion":                          {"meshchaos/v1alpha1", "meshchaos/v2", "write apiVersion: meshchaos/v1alpha1"},
		"two documents":                               {"  expect:", "---\na: b\n---\n  expect:", "t.yaml"},
		"a URL without scheme":                        {`get: "http://productpage:9080/productpage", as`, "get: productpage, as", "is no URL of a service in the mesh"},
		"a tag that eats the line":                    {"- 5.9s <= jason.p50 <= 6.6s", "- !(jason.p50 > 6s)", "t.yaml:23:"},
		"an expectation left out":                     {"- 5.9s <= jason.p50 <= 6.6s", "-", "has no value"},
		"a rule left out":                             {"- fault: {service: ratings, delay: 7s}", "-", "has no value"},
		"a number for a text":                         {"as: jason", "as: 007", "quote it"},
		"no connections":                              {"requests: 5}", "connections: 0, requests: 5}", "connections"},
		"a duration of nothing":                       {"delay: 7s", "delay: 0s", "is not a duration above 0"},
		"fewer requests than connections":             {"requests: 5}", "connections: 6, requests: 5}", `t.yaml:20:84: requests is 5, so that some of 6 connections would have nothing to send; write connections: 5`},
		"fewer requests than the default connections": {"requests: 5}", "requests: 3}", "requests is 3, so that some of 4 connections, which is the default, would have nothing to send; write connections: 3"},
		"a load of 2ns":                               {"requests: 5}", "duration: 2ns}", "t.yaml:20:68: duration is 2ns; a load lasts 1ms at least"},
		"lines over HTTP":                             {"as: jason", "lines: [a]", "lines is not for get"},
		"too many requests":                           {"requests: 5}", "requests: 9223372036854775807}", "from 1 to"},
		"an abort with the number of a code":          {"delay: 7s", "abort: 14", "abort takes an HTTP status from 200 to 599, not 14; of gRPC write grpcStatus: UNAVAILABLE"},
		"an abort of 0":                               {"delay: 7s", "abort: 0", "abort takes an HTTP status"},
		"a delay too short for Istio":                 {"delay: 7s", "delay: 1us", "t.yaml:7:33: the fault on ratings: the delay is 1µs"},
		"a percentage too small for Istio":            {"delay: 7s", "delay: 7s, percent: 0.00001%", "t.yaml:7:44: the fault on ratings: the percentage is"},
		"a header that is none":                       {"delay: 7s", "delay: 7s, when: {a: b, \"x y\": c}", "t.yaml:7:57: the fault on ratings: \"x y\" in when is not the name of a header"},
		"a check that is no expression":               {"lost: {body: Sorry}", "lost: {match: \"(\"}", "t.yaml:18:12: checks \"lost\": match is no RE2 expression"},
		"a check of nothing":                          {"lost: {body: Sorry}", "lost: {}", "t.yaml:18:5: checks \"lost\" must have exactly one of body and match"},
		"a version like another":                      {"lost: {body: Sorry}", "lost: {body: Sorry}\n  versions:\n    v1: {body: a}\n    v2: {body: a}", "t.yaml:21:5: versions \"v1\" and \"v2\" have the same text"},
		"a load with the name of a service":           {"  load:\n", "  load:\n    ratings: {get: \"http://productpage:9080/productpage\", requests: 5}\n", "t.yaml:20:5: naming the load \"ratings\": a service has this name"},
		"a rate below 0":                              {"qps: 5", "qps: -5", "t.yaml:21:58: qps is -5"},
		"an engine that is none":                      {"qps: 5", "engine: curl", "t.yaml:21:58: engine is \"curl\""},
		"a header of the load that is none":           {"qps: 5", "headers: {a: b, \"x y\": c}", "t.yaml:21:74: http.header has \"x y\""},
		"two targets":                                 {"qps: 5", "tcp: \"a:1\"", "t.yaml:21:58: a cohort has one of get, post, grpc, tcp, ws and send, not 2"},
		"auto without need":                           {"as: jason, requests: 5", "requests: auto, as: jason, duration: 5s", "requests"},
		"steps beside a load":                         {"  apply:\n", "  steps: [{name: a, load: {b: {tcp: \"a:1\"}}, expect: [b.errors == 0]}]\n  apply:\n", "t.yaml:7:3: a scenario with steps has no apply, load or expect beside them"},
		"a breaker that limits nothing":               {"fault: {service: ratings, delay: 7s}", "breaker: {service: ratings}", "t.yaml:7:7: the breaker of ratings"},
		"no intent":                                   {"fault: {service: ratings, delay: 7s}", "{}", "t.yaml:7:7: a rule has one of route, fault, breaker"},
		"two intents":                                 {"- fault: {service: ratings, delay: 7s}", "- fault: {service: ratings, delay: 7s}\n      breaker: {service: ratings, maxConnections: 1}", ", not 2; write a list entry for each"},
		"an unknown intent":                           {"- fault:", "- falt:", `t.yaml:7:7: unknown key "falt" in the rule; did you mean fault?`},
		"an intent without a value":                   {"- fault: {service: ratings, delay: 7s}", "- fault:", "fault has no value"},
		"an intent for no service":                    {"service: ratings, ", "", "t.yaml:7:7: the fault names no service; write service: with its name"},
		"a route to nowhere":                          {"fault: {service: ratings, delay: 7s}", "route: {service: ratings}", "it names no version to send to; write to: v1"},
		"a known bug without a ticket":                {"- 5.9s <= jason.p50 <= 6.6s", "- {that: jason.p50 < 6s, knownBug: \"\"}", "knownBug is empty"},
		"a known bug with a blank":                    {"- 5.9s <= jason.p50 <= 6.6s", "- {that: jason.p50 < 6s, knownBug: \"  \"}", "knownBug is empty"},
		"a version that is not listed":                {"- 5.9s <= jason.p50 <= 6.6s", "- jason.answered(v2) == 5", "nothing says which version an answer is from; list versions:"},
		"a split without versions":                    {"- 5.9s <= jason.p50 <= 6.6s", "- split(jason).is(v2 == 100%)", "nothing says which version an answer is from; list versions:"},
		"a time beyond the timeout":                   {"- 5.9s <= jason.p50 <= 6.6s", "- jason.max < 1h", "t.yaml:23:7: \"jason.max < 1h\" is always true"},
		"connections that must be there":              {"- 5.9s <= jason.p50 <= 6.6s", "- jason.connections >= 1", "t.yaml:23:7: \"jason.connections >= 1\" is always true"},
		"a folded expectation is fine, and a wrong one is placed": {"- 5.9s <= jason.p50 <= 6.6s", "- >-\n      jasn.p50\n      < 6s", "unknown load"},
		"a mapping by accident":                                   {"- 5.9s <= jason.p50 <= 6.6s", "- split(jason).is: v1", "quote this line"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			if text == good {
				t.Fatal("the case changes nothing")
			}
			_, err := read(text)
			if err == nil {
				t.Fatal("it was read without an error")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is\n%v\nwithout\n%s", err, c.want)
			}
		})
	}
}

func TestFilesThatAreNoScenarioAreRefusedAtOnce(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 9) + "]\n"
	}
	for name, text := range map[string]string{
		"empty":      "",
		"comments":   "# nothing\n",
		"binary":     "\x7fELF\x00\x01\x02",
		"12 MB":      strings.Repeat("a: b\n", 12<<20/5),
		"alias bomb": bomb,
		"deep":       strings.Repeat("[", 30_000),
		"dashes":     strings.Repeat("- ", 30_000) + "a",
		"many keys":  manyKeys(),
		"questions":  strings.Repeat("? ", 30_000) + "a",
		"a list":     "- a\n- b\n",
		"a word":     "delay",
		"no yaml":    "a: [b\nc: }",
		"tabs":       "spec:\n\tapp: bookinfo\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s.yaml")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_, err := Find(path)
			var own *Error
			if !errors.As(err, &own) || own.File != path {
				t.Errorf("the error is %v", err)
			}
			// What grows with the square of such a file takes minutes.
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func manyKeys() string {
	var b strings.Builder
	for i := range 6_000 {
		fmt.Fprintf(&b, "k%d: 1\n", i)
	}
	return b.String()
}

func TestEveryDocumentOfARuleFileIsRead(t *testing.T) {
	const rule = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: NAME}\nspec: {host: NAME}\n"
	a, b := strings.ReplaceAll(rule, "NAME", "ratings"), strings.ReplaceAll(rule, "NAME", "reviews")
	for name, text := range map[string]string{
		"plain":            a + "---\n" + b,
		"empty between":    a + "---\n---\n" + b,
		"comment between":  a + "---\n# nothing\n---\n" + b,
		"null between":     a + "---\nnull\n---\n" + b,
		"leading":          "---\n" + a + "--- \n" + b + "---\n",
		"carriage returns": strings.ReplaceAll(a+"---\n---\n"+b, "\n", "\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			with := strings.Replace(good, "- fault: {service: ratings, delay: 7s}", "- more.yaml", 1)
			s, err := parse("t.yaml", with, nil, func(string, int64) (string, error) { return text, nil })
			if err != nil {
				t.Fatal(err)
			}
			if objects := s.Steps[0].Apply[0].Objects; len(objects) != 2 || objects[0].Name != "ratings" || objects[1].Name != "reviews" {
				t.Errorf("read %v", objects)
			}
		})
	}
	wrong := a + "---\n---\n" + strings.Replace(b, "host", "hots", 1)
	with := strings.Replace(good, "- fault: {service: ratings, delay: 7s}", "- more.yaml", 1)
	if _, err := parse("t.yaml", with, nil, func(string, int64) (string, error) { return wrong, nil }); err == nil || !strings.Contains(err.Error(), "more.yaml:10:8:") {
		t.Errorf("the error is %v", err)
	}
}

func TestTheLibraryIsReadWithoutAWarning(t *testing.T) {
	for _, name := range Names() {
		s, err := Find(name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if s.Name != name || s.Summary == "" || len(s.Warnings) > 0 {
			t.Errorf("%s: name %q, summary %q, warnings %v", name, s.Name, s.Summary, s.Warnings)
		}
	}
	if _, err := Find("dely-jason"); err == nil || !strings.Contains(err.Error(), `did you mean delay-jason?`) {
		t.Errorf("the error is %v", err)
	}
}

func TestAnOverrideReachesItsCohorts(t *testing.T) {
	s, err := read(good)
	if err != nil {
		t.Fatal(err)
	}
	connections, requests := 3, int64(30)
	if err := s.Override(Override{Connections: &connections, Requests: &requests}); err != nil {
		t.Fatal(err)
	}
	jason, others := s.Steps[0].Cohorts[0].Plan, s.Steps[0].Cohorts[1].Plan
	if jason.Connections != 3 || jason.Requests != 30 || others.Connections != defaultConnections || others.Requests != 0 {
		t.Errorf("jason %+v, others %+v", jason, others)
	}
	if err := s.Override(Override{Cohort: "others", Connections: &connections, Requests: &requests}); err != nil {
		t.Fatal(err)
	}
	others = s.Steps[0].Cohorts[1].Plan
	if others.Requests != 0 || others.Connections != 3 || len(s.Warnings) != 1 || s.Warnings[0].Message != "-n is not for others, which is there as long as jason" {
		t.Errorf("a control group with a number of requests is %+v, with the warnings %v", others, s.Warnings)
	}
	few := int64(2)
	if err := s.Override(Override{Requests: &few}); err == nil || !strings.Contains(err.Error(), "fewer than the 3 connections") {
		t.Errorf("the error is %v", err)
	}
	if err := s.Override(Override{Cohort: "jasn", Connections: &connections}); err == nil || !strings.Contains(err.Error(), `did you mean jason?`) {
		t.Errorf("the error is %v", err)
	}
}
