package summary_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

func TestTheVerdictClaimsNoMoreThanTheRecordHolds(t *testing.T) {
	holds := report.Expectation{Expression: "a.max < 1s", Verdict: report.Pass, Observed: "2ms"}
	failed := report.Expectation{Expression: "a.status[503] == 0", Step: "one", Verdict: report.Fail, Observed: "503: 4"}
	open := report.Expectation{Expression: "a.p99 < 1s", Verdict: report.Inconclusive, Reason: "too few samples; send more"}
	bug := report.Expectation{Expression: "a.errors == 0", Verdict: report.Pass, Observed: "3", KnownBug: "SHOP-42"}
	gone := report.Expectation{Expression: "a.errors == 0", Verdict: report.Fail, Observed: "0", KnownBug: "SHOP-42"}
	ended := report.Expectation{Expression: "abortWhen: a.share(503) > 5%", Verdict: report.Fail, Observed: "6% (6 of 100)"}
	left := []report.Change{{Object: "VirtualService/shop/ratings", Before: json.RawMessage("{}")}}
	for name, one := range map[string]struct {
		verdict      report.Verdict
		claim        string
		expectations []report.Expectation
		problems     []string
		changes      []report.Change
		want         string
	}{
		"a pass":               {report.Pass, "It works.", []report.Expectation{holds, holds}, nil, nil, "PASS s: It works: all 2 expectations held over 7 requests on a cluster, namespace shop."},
		"without a claim":      {report.Pass, "", []report.Expectation{holds}, nil, nil, "PASS s: the one expectation held over 7 requests on a cluster, namespace shop."},
		"a known bug":          {report.Pass, "It works.", []report.Expectation{holds, bug}, nil, nil, "PASS s: It works: of 2 expectations 1 held, and 1 did not, as known (SHOP-42), over 7 requests on a cluster, namespace shop."},
		"one that has gone":    {report.Fail, "", []report.Expectation{gone}, nil, nil, "FAIL s: a.errors == 0 holds now, and SHOP-42 says that it does not; the one expectation failed, over 7 requests on a cluster, namespace shop."},
		"a fail":               {report.Fail, "It works.", []report.Expectation{holds, open, failed}, nil, nil, "FAIL s: “It works” was not shown: in step one a.status[503] == 0 was asked and 4 was observed; of 3 expectations 1 failed, 1 held and 1 could not be judged, over 7 requests on a cluster, namespace shop."},
		"one that was ended":   {report.Fail, "", []report.Expectation{ended, holds}, nil, nil, "FAIL s: abortWhen: a.share(503) > 5% came true and ended the load: 6% (6 of 100) was observed; of 2 expectations 1 failed and 1 held, over 7 requests on a cluster, namespace shop."},
		"too few samples":      {report.Inconclusive, "It works.", []report.Expectation{holds, open}, nil, nil, "INCONCLUSIVE s: no verdict on “It works”: a.p99 < 1s could not be judged: too few samples; of 2 expectations 1 held and 1 could not be judged, over 7 requests on a cluster, namespace shop."},
		"a problem":            {report.Inconclusive, "", []report.Expectation{holds, holds}, []string{"the fault never bit; take it out"}, nil, "INCONCLUSIVE s: no verdict: the fault never bit; all 2 expectations held over 7 requests on a cluster, namespace shop."},
		"nothing judged":       {report.Inconclusive, "", nil, []string{"the pod died"}, nil, "INCONCLUSIVE s: no verdict: the pod died; there was no expectation, over 7 requests on a cluster, namespace shop."},
		"what is not restored": {report.Inconclusive, "", []report.Expectation{holds}, nil, left, "INCONCLUSIVE s: no verdict: not everything is proved to be as it was; the one expectation held over 7 requests on a cluster, namespace shop; 1 object changed, 1 NOT restored."},
	} {
		r := &report.Record{
			Verdict: one.verdict, Restored: one.changes == nil, Scenario: report.Scenario{Name: "s", Summary: one.claim}, Mesh: report.Mesh{Kind: "istio", Namespace: "shop"},
			Expectations: one.expectations, Problems: one.problems, Changes: one.changes,
			Windows: []report.Window{{Name: report.Baseline, Loads: map[string]*loadgen.Result{"a": {Sent: 3}}}, {Name: report.During, Loads: map[string]*loadgen.Result{"a": {Sent: 4}}}},
		}
		if got := summary.Headline(r); got != one.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, one.want)
		}
		if why := summary.Why(r); (why == "") != (one.verdict == report.Pass) {
			t.Errorf("%s: it is no pass since %q", name, why)
		}
	}
}

func TestAPassIsToldByWhatItHasShown(t *testing.T) {
	sentences := func(texts ...string) (all []report.Conclusion) {
		for _, text := range texts {
			all = append(all, report.Conclusion{Text: text})
		}
		return all
	}
	const stands = " The one expectation held over 0 requests on the embedded mesh."
	for name, one := range map[string]struct {
		verdict     report.Verdict
		conclusions []report.Conclusion
		want        string
	}{
		"one sentence":             {report.Pass, sentences("It takes 6.01s."), "PASS s: It takes 6.01s." + stands},
		"of each step":             {report.Pass, sentences("It takes 1s", "Now 2s!", " ", "And 3s?"), "PASS s: It takes 1s. Now 2s! And 3s?" + stands},
		"none":                     {report.Pass, nil, "PASS s: It works: the one expectation held over 0 requests on the embedded mesh."},
		"one that says nothing":    {report.Pass, sentences(""), "PASS s: It works: the one expectation held over 0 requests on the embedded mesh."},
		"one beside a fail":        {report.Fail, sentences("It takes 6.01s."), "FAIL s: “It works” was not shown: an expectation failed; the one expectation held over 0 requests on the embedded mesh."},
		"one that no run reached":  {report.Inconclusive, sentences("It takes 6.01s."), "INCONCLUSIVE s: no verdict on “It works”: not everything is proved to be as it was; the one expectation held over 0 requests on the embedded mesh."},
		"one that is meant to act": {report.Pass, sentences("\x1b[2J<b>It</b> takes\n6.01s\u202e."), "PASS s: <b>It</b> takes 6.01s." + stands},
	} {
		r := &report.Record{
			Verdict: one.verdict, Restored: true, Scenario: report.Scenario{Name: "s", Summary: "It works."}, Mesh: report.Mesh{Kind: "embedded"},
			Expectations: []report.Expectation{{Expression: "a.max < 1s", Verdict: report.Pass, Observed: "2ms"}}, Conclusions: one.conclusions,
		}
		if got := summary.Headline(summary.Clean(r)); got != one.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, one.want)
		}
	}
}

func TestALoadHasTheRateAtWhichItBegan(t *testing.T) {
	slow := &loadgen.Result{Sent: 3, TargetQPS: 2}
	slow.LastBegun.Duration, slow.Elapsed.Duration = time.Second, 10*time.Second
	closed := &loadgen.Result{Sent: 40, Planned: 100, Response: answered(40)}
	closed.Elapsed.Duration = 4 * time.Second
	one := &loadgen.Result{Sent: 1, TargetQPS: 20}
	one.Elapsed.Duration = time.Second
	alone := &loadgen.Result{Sent: 1, Response: answered(1)}
	alone.Elapsed.Duration = time.Millisecond
	canceled := &loadgen.Result{Sent: 5, Outcomes: []loadgen.Outcome{{Error: "canceled", Count: 5}}, Response: answered(0)}
	canceled.Elapsed.Duration = 5 * time.Second
	r := &report.Record{
		Asked:   []report.Asked{{Cohort: "slow"}, {Cohort: "closed"}, {Cohort: "a-one"}, {Cohort: "alone"}, {Cohort: "canceled"}},
		Windows: []report.Window{{Name: report.Baseline, Loads: map[string]*loadgen.Result{"slow": slow, "closed": closed, "a-one": one, "alone": alone, "canceled": canceled}}},
	}
	var got []string
	for _, l := range summary.Loads(r) {
		got = append(got, l.Cohort+": "+l.Requests()+", "+l.QPS())
	}
	if want := []string{"slow: 3, 2 of 2", "closed: 40 of 100, 10", "a-one: 1, - of 20", "alone: 1, -", "canceled: 5, -"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// answered has n requests, of a millisecond each.
func answered(n int) *loadgen.Histogram {
	histogram := &loadgen.Histogram{}
	for range n {
		histogram.Record(time.Millisecond)
	}
	return histogram
}

func TestAPercentileOfTooFewIsNone(t *testing.T) {
	for n, want := range map[int]string{0: "- - - -", 1: "- - - 1ms", 2: "1ms - - 1ms", 10: "1ms 1ms - 1ms", 99: "1ms 1ms - 1ms", 100: "1ms 1ms 1ms 1ms"} {
		r := &report.Record{Windows: []report.Window{{Loads: map[string]*loadgen.Result{"a": {Response: answered(n)}}}}}
		l := summary.Loads(r)[0]
		if got := strings.Join([]string{l.P50.String(), l.P90.String(), l.P99.String(), l.Max.String()}, " "); got != want {
			t.Errorf("of %d: %s, not %s", n, got, want)
		}
	}
}

func TestAReasonNamesAllOfAStepAtOnce(t *testing.T) {
	undriven := func(expression, step string) report.Expectation {
		return report.Expectation{Expression: expression, Step: step, Verdict: report.Inconclusive, Reason: "it was not driven"}
	}
	r := &report.Record{Expectations: []report.Expectation{{Expression: "a", Step: "one", Verdict: report.Pass}, undriven("b", "one"), undriven("c", "two"), undriven("d", "two"), undriven("e", "three")}}
	all := summary.Inconclusive(r)
	if len(all) != 1 {
		t.Fatalf("%d reasons", len(all))
	}
	if got, want := all[0].Which(r), []string{"b (one)", "all 2 expectations of step two", "e (three)"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	r.Expectations = r.Expectations[1:]
	if got := summary.Inconclusive(r)[0].Which(r); !slices.Equal(got, []string{"all 4 expectations"}) {
		t.Errorf("got %q", got)
	}
}

func TestTheSameOfSeveralObjectsIsSaidOnce(t *testing.T) {
	r := &report.Record{Problems: []string{
		"baseline: VirtualService/shop/a was changed; run again", "the log is off", "baseline: VirtualService/shop/b was changed; run again",
		"recovery: VirtualService/shop/b was changed; run again", "VirtualService/shop/a: spec.http[0].fault (a; b) never bit", "the log is off",
	}}
	var got []string
	for _, p := range summary.Problems(r) {
		got = append(got, p.What+"|"+strings.Join(p.More, "|")+"|"+strings.Join(p.Objects, " "))
	}
	want := []string{
		"baseline: each of 2 objects was changed|run again|VirtualService/shop/a VirtualService/shop/b", "the log is off||",
		"recovery: VirtualService/shop/b was changed|run again|", "VirtualService/shop/a: spec.http[0].fault (a; b) never bit||",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestWhatIsInBracketsStandsBelowItsPoint(t *testing.T) {
	points := summary.Points(`undoing it (version 2; not 1); it differs (a is "x; (y", and not "z"; b is gone); replace it`)
	want := []summary.Point{{Text: "undoing it:", Sub: []string{"version 2", "not 1"}}, {Text: "it differs:", Sub: []string{`a is "x; (y", and not "z"`, "b is gone"}}, {Text: "replace it"}}
	if !slices.EqualFunc(points, want, func(a, b summary.Point) bool { return a.Text == b.Text && slices.Equal(a.Sub, b.Sub) }) {
		t.Errorf("got %+v", points)
	}
}

func TestAReasonIsGivenThatTellsMore(t *testing.T) {
	for reason, tells := range map[string]bool{"3 is not 0": false, "2s is below 5.9s": false, "0% (0 of 5) is not 100%": false, "a.errors == 0 has come true; correct the file": true, "v1 80% (8 of 10) is not 90%: p is 0.001": true, "the window was cut off": true} {
		if got := summary.Telling(report.Expectation{Observed: "3", Reason: reason}) != ""; got != tells {
			t.Errorf("%q: %v", reason, got)
		}
	}
}

func TestTheCommandRepeatsTheRun(t *testing.T) {
	r := &report.Record{
		Seed: new(uint64(7)), Mesh: report.Mesh{Kind: "embedded"},
		Scenario: report.Scenario{File: "my nightly/it's.yaml", Set: []string{"params.host=a b"}, Load: []report.Override{{Connections: new(2), Requests: new(int64(30)), QPS: new(0.5), Cohort: "jason"}}},
	}
	if got, want := summary.Command(r), `meshchaos run 'my nightly/it'\''s.yaml' --seed 7 --set 'params.host=a b' -c 2 -n 30 --qps 0.5 --cohort jason`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestTheCommandOfAMaskedSettingAsksForTheSecret: the mask itself would be sent.
func TestTheCommandOfAMaskedSettingAsksForTheSecret(t *testing.T) {
	r := &report.Record{Mesh: report.Mesh{Kind: "embedded"}, Scenario: report.Scenario{File: "a.yaml", Set: []string{
		`params.pin="***"`, `load.jason.headers.x-api-key=Bearer ***2`, "load.a.headers.pin=\"*** of `$x`\"", `apply[0].regex="\\*\\*\\*"`,
	}}}
	command := summary.Command(r)
	if strings.Contains(command, "***") || !strings.Contains(command, `--set "params.pin=\"${PIN:?is masked in the report, set it}\""`) {
		t.Errorf("it is %s", command)
	}
	run := func(env ...string) (string, error) {
		sh := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(command, "meshchaos run a.yaml", `printf '%s\n'`, 1))
		sh.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
		out, err := sh.CombinedOutput()
		return string(out), err
	}
	if out, err := run(); err == nil || !strings.Contains(out, "PIN: is masked in the report, set it") {
		t.Errorf("without the secrets the shell says %s", out)
	}
	want := "--set\nparams.pin=\"0815\"\n--set\nload.jason.headers.x-api-key=Bearer sesame\n--set\nload.a.headers.pin=\"1 of `$x`\"\n--set\napply[0].regex=\"x\"\n"
	if out, err := run("PIN=0815", "PIN_2=1", "X_API_KEY=sesame", "REGEX=x"); err != nil || out != want {
		t.Errorf("with them it passes %s", out)
	}
}

func TestAnExpectationSpeaksOfTheCohortsThatItNames(t *testing.T) {
	window := func(name string) report.Window {
		return report.Window{Name: name, Loads: map[string]*loadgen.Result{"a": {}, "a-b": {}, "b": {}}}
	}
	for expression, want := range map[string]string{
		"a.max < 1s":                             "during a",
		"a-b.max < 1s":                           "during a-b",
		"a.max < 2 * baseline.b.max":             "baseline b, during a",
		"recovery.a.max < 1s":                    "recovery a",
		"split(a).is(v1 == 100%)":                "during a",
		"ab.max < 1s && b.max < 1s":              "during b",
		"faults(ratings) == 0":                   "during a, during a-b, during b", // of nobody by name: the load under the rule
		"baseline.a.errors == 0 || a.errors > 0": "baseline a, during a",
	} {
		r := &report.Record{Expectations: []report.Expectation{{Expression: expression, Verdict: report.Fail}}, Windows: []report.Window{window("baseline"), window("during"), window("recovery")}}
		var got []string
		for _, l := range summary.Failures(r)[0].Loads {
			got = append(got, l.Window.Name+" "+l.Cohort)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s speaks of %s, not %s", expression, got, want)
		}
	}
}
