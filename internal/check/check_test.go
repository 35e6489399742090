package check

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// shop is a scope with names of all sorts.
func shop() Scope {
	return Scope{
		Cohorts:  []string{"jason", "others", "client", "tcp-client", "while"},
		Checks:   []string{"reviews-lost", "stars"},
		Answers:  []string{"v1", "v2", "v3", "v1-canary"},
		Versions: []string{"v1", "v2", "v3", "v4", "v1-canary"},
		Services: []string{"reviews", "ratings", "httpbin", "tcp-echo", "package"},
	}
}

// load is a result with so many requests of each outcome, taking the times in
// turn. Response times are twice the service times.
func load(outcomes []loadgen.Outcome, times ...time.Duration) *loadgen.Result {
	r := &loadgen.Result{Elapsed: 2 * time.Second, Outcomes: outcomes, Response: &loadgen.Histogram{}, Service: &loadgen.Histogram{}}
	for _, o := range outcomes {
		r.Sent += o.Count
	}
	for i := range int(r.Sent) {
		r.Response.Record(2 * times[i%len(times)])
		r.Service.Record(times[i%len(times)])
	}
	return r
}

// quantity is one that a source has.
func quantity(value int64, function string, args ...string) report.Quantity {
	return report.Quantity{Function: function, Args: args, Value: &value, Source: "envoy counters"}
}

// observed are windows in which all that the ten lines ask for was observed.
func observed() Windows {
	ok := func(count int64, checks ...string) loadgen.Outcome {
		return loadgen.Outcome{Status: 200, Count: count, Checks: checks, Version: "v1"}
	}
	return Windows{
		During: &report.Window{
			Name: report.During,
			Loads: map[string]*loadgen.Result{
				"jason":      load([]loadgen.Outcome{ok(3, "reviews-lost"), {Status: 503, Count: 2, Checks: []string{"reviews-lost"}}}, 3010*time.Millisecond),
				"others":     load([]loadgen.Outcome{ok(40, "stars")}, 10*time.Millisecond),
				"client":     load([]loadgen.Outcome{ok(88), {Status: 503, Count: 12}}, time.Millisecond),
				"tcp-client": load([]loadgen.Outcome{{Version: "v1", Count: 10}}, time.Millisecond),
			},
			Quantities: []report.Quantity{
				quantity(12, "overflows", "httpbin"),
				quantity(10, "faults", "ratings"),
				quantity(0, "ejections", "tcp-echo"),
				quantity(1000, "requests", "reviews"),
				quantity(910, "requests", "reviews", "v1"),
				quantity(90, "requests", "reviews", "v2"),
				{Function: "faults", Args: []string{"reviews"}, Absent: "the proxies drop this counter; annotate them"},
			},
		},
		Baseline: &report.Window{Name: report.Baseline, Loads: map[string]*loadgen.Result{"jason": load([]loadgen.Outcome{ok(5)}, 50*time.Millisecond)}},
		Recovery: &report.Window{Name: report.Recovery, Loads: map[string]*loadgen.Result{
			"jason":      load([]loadgen.Outcome{ok(5)}, 60*time.Millisecond),
			"tcp-client": load([]loadgen.Outcome{ok(5)}, time.Millisecond),
		}},
	}
}

// mustCompile compiles a line that is right.
func mustCompile(t *testing.T, line string) *Expectation {
	t.Helper()
	e, err := Compile(shop(), line)
	if err != nil {
		t.Fatalf("compiling %s: %v", line, err)
	}
	return e
}

func TestALineIsJudgedWithBothSidesItsSamplesAndItsSource(t *testing.T) {
	const both = "clients, envoy counters"
	for line, want := range map[string][]report.Expectation{
		"5.9s <= jason.p50 <= 6.6s": {
			{Verdict: report.Pass, Observed: "6.02s", Limit: "5.9s to 6.6s", Samples: 5, Source: clients}},
		`jason.share("reviews-lost") == 100%`: {
			{Verdict: report.Pass, Observed: "100% (5 of 5)", Limit: "100%", Samples: 5, Source: clients}},
		`others.max < 1m30s && others.share("reviews-lost") == 0%`: {
			{Expression: "others.max < 1m30s", Verdict: report.Pass, Observed: "20ms", Limit: "< 1m30s", Samples: 40, Source: clients},
			{Expression: `others.share("reviews-lost") == 0%`, Verdict: report.Pass, Observed: "0% (0 of 40)", Limit: "0%", Samples: 40, Source: clients}},
		"jason.status[404] == 0": {
			{Verdict: report.Pass, Observed: "404: 0", Limit: "0", Samples: 5, Source: clients}},
		"5% < jason.share(503) <= 60%": {
			{Verdict: report.Pass, Observed: "40% (2 of 5)", Limit: "> 5%, <= 60%", Samples: 5, Source: clients}},
		"overflows(httpbin) == client.status[503]": {
			{Verdict: report.Pass, Observed: "12", Limit: "12 (client.status[503])", Samples: 155, Source: "envoy counters, clients"}},
		"overflows(httpbin) / client.sent <= 12.5%": {
			{Verdict: report.Pass, Observed: "12% (12 of 100)", Limit: "<= 12.5%", Samples: 100, Source: "envoy counters, clients"}},
		"split(reviews).is(v1 == 90%, v2 == 10%)": {
			{Verdict: report.Pass, Observed: "v1 91% (910 of 1000), v2 9% (90 of 1000)", Limit: "v1 90%, v2 10%", Samples: 1000, Source: "envoy counters"}},
		"recovery.jason.max <= 120% * baseline.jason.max + 5ms": {
			{Verdict: report.Pass, Observed: "120ms", Limit: "<= 125ms (120% * baseline.jason.max + 5ms)", Samples: 5, Source: clients}},
		"others.p95 < 250ms": {
			{Verdict: report.Pass, Observed: "20ms", Limit: "< 250ms", Samples: 40, Source: clients}},

		"3.01s == jason.service.p50": {
			{Verdict: report.Pass, Observed: "3.01s", Limit: "3.01s", Samples: 5, Source: clients}},
		"6.6s >= jason.mean > 5s": {
			{Verdict: report.Pass, Observed: "6.02s", Limit: "<= 6.6s, > 5s", Samples: 5, Source: clients}},
		"jason.p50 < 6s": {
			{Verdict: report.Fail, Observed: "6.02s", Limit: "< 6s", Samples: 5, Source: clients, Reason: "6.02s is not below 6s"}},
		"recovery.jason.min <= 119999µs": {
			{Verdict: report.Fail, Observed: "120ms", Limit: "<= 119999µs", Samples: 5, Source: clients, Reason: "120ms is above 119999µs"}},
		"faults(ratings) == 2 * jason.sent": {
			{Verdict: report.Pass, Observed: "10", Limit: "10 (2 * jason.sent)", Samples: 155, Source: "envoy counters, clients"}},
		"(jason.sent - jason.errors) / 2 != others.qps": {
			{Verdict: report.Pass, Observed: "2.5", Limit: "!= 20 (others.qps)", Samples: 5, Source: clients}},
		`jason.count("reviews-lost") + tcp-client.answered(v1) == 15`: {
			{Verdict: report.Pass, Observed: "15", Limit: "15", Samples: 5, Source: clients}},
		"recovery.tcp-client.p50-1ms < 2ms && ejections(tcp-echo) == 0": {
			{Expression: "recovery.tcp-client.p50-1ms < 2ms", Verdict: report.Pass, Observed: "1ms", Limit: "< 2ms", Samples: 5, Source: clients},
			{Expression: "ejections(tcp-echo) == 0", Verdict: report.Pass, Observed: "0", Limit: "0", Samples: 155, Source: "envoy counters"}},
		"jason.p50 < 1s || (others.p50 < 1s && overflows(httpbin) == 12)": {
			{Verdict: report.Pass, Observed: "6.02s; 20ms; 12", Limit: "< 1s or < 1s and 12", Samples: 5, Source: both}},
		"!(jason.p50 < 1s || jason.p50 > 7s)": {
			{Verdict: report.Pass, Observed: "6.02s; 6.02s", Limit: "not < 1s or > 7s", Samples: 5, Source: clients}},
		"!(jason.p50 > 1s)": {
			{Verdict: report.Fail, Observed: "6.02s", Limit: "not > 1s", Samples: 5, Source: clients, Reason: "jason.p50 > 1s is true"}},
	} {
		if len(want) == 1 {
			want[0].Expression = line
		}
		got := mustCompile(t, line).Judge(observed())
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

func TestComparisonsAreExact(t *testing.T) {
	third := Windows{During: &report.Window{Loads: map[string]*loadgen.Result{"jason": load([]loadgen.Outcome{
		{Status: 200, Count: 7}, {Status: 404, Count: 2}, {Status: 503, Count: 1},
	}, time.Second)}}}
	for line, want := range map[string]report.Verdict{
		"jason.share(200) + jason.share(404) + jason.share(503) == 100%": report.Pass, // not so in float64
		"jason.share(200) == 70%":                                       report.Pass,
		"jason.share(200) == 70.0000000000000000001%":                   report.Fail,
		"jason.sent / 3 * 3 == 10":                                      report.Pass,
		"50% * jason.share(404) == 10%":                                 report.Pass, // a share of a share
		"10% * jason.sent == 1":                                         report.Pass, // a share of a number
		"jason.status[200] + jason.status[404] - jason.status[503]== 8": report.Pass,
		"-jason.sent == -10":                                            report.Pass,
	} {
		if got := mustCompile(t, line).Judge(third)[0]; got.Verdict != want {
			t.Errorf("%s is %s, not %s: %s", line, got.Verdict, want, got.Reason)
		}
	}
}

func TestAnObservedAmountDoesNotReadLikeALimitThatItMisses(t *testing.T) {
	nearly := Windows{During: &report.Window{Loads: map[string]*loadgen.Result{"jason": load([]loadgen.Outcome{
		{Status: 200, Count: 29999}, {Status: 503, Count: 1},
	}, 500200*time.Microsecond)}}}
	for line, want := range map[string]string{
		"jason.share(200) == 100%": "99.997% (29999 of 30000)",
		"jason.max <= 1s":          "1.0004s",
		"jason.max <= 2s":          "1s",
		"jason.max < jason.service.max + 500200µs - 1ns": "1.0004s",
	} {
		if got := mustCompile(t, line).Judge(nearly)[0].Observed; got != want {
			t.Errorf("%s shows %q, not %q", line, got, want)
		}
	}
}

func TestAWrongLineIsExplainedWhereItIsWrong(t *testing.T) {
	for _, test := range []struct{ line, at, want string }{
		{"jasn.p50 < 6s", "jasn", `unknown load "jasn"; did you mean jason?`},
		{"baselin.jason.p50 < 6s", "baselin", `"baselin.jason" is no load; did you mean baseline?`},
		{"during.jason.p50 < 6s", "during", "a load's name without a window means during"},
		{"jason.share(503) == .5%", ".", "a decimal is written 0.5"},
		{".jason.p50 < 1s", ".", "unexpected"},
		{"jason.5 < 1", "5", "unexpected"},
		{"jason.p50 < 1 s", "s", "a duration is written 6s, without a space"},
		{"jason.p50 between 1s and 2s", "between", "write lo <= x <= hi"},
		{"not (jason.p50 < 1s)", "not", "write !"},
		{"jason.status(503) == 0", "status", "write status[503]"},
		{"baseline.requests(reviews) == 0", "baseline", "write requests(SERVICE)"},
		{"jason.shar(503) == 0%", "shar", "did you mean share?"},
		{"faults == 0", "faults", "write faults(SERVICE)"},
		{"baseline.jasn.p50 < 6s", "jasn", `unknown load "jasn"; did you mean jason?`},
		{"tcp-clent.p50 < 6s", "tcp-clent", `did you mean tcp-client?`},
		{"jason.p51 < 6s", "p51", `unknown quantity of a load "p51"; did you mean p50?`},
		{"jason.service.p9 < 6s", "p9", `unknown service time "p9"; did you mean p90?`},
		{"others.sent > 1 && jason.p50 < 6", "6", `"6" has no unit, and "jason.p50" is a duration; write 6s`},
		{"5.9 <= jason.p50 <= 6.6s", "5.9", "write 5.9s"},
		{"jason.share(503) < 5", "5", `"5" is a number, and "jason.share(503)" is a share; write 5%`},
		{"jason.p50 < 5%", "5%", `"jason.p50" is a duration and "5%" is a share: they cannot be compared`},
		{"jason.p50 + 5 < 6s", "5 <", "write 5s"},
		{"jason.p50 * 1s < 6s", "*", "has no meaning here"},
		{"jason.p50 < 6sec", "6sec", `"6sec" is neither a number nor a duration; write 6s`},
		{"jason.p50 < 1d", "1d", "the units are h, m, s, ms, µs and ns"},
		{`jason.share("reviews-los") == 0%`, `"reviews-los"`, `unknown check "reviews-los"; did you mean reviews-lost?`},
		{"jason.share(stars) == 0%", "stars", `write share("stars")`},
		{"jason.share(50) == 0%", "50)", "write a code from 100 to 599"},
		{"jason.status[60000] == 0", "60000", "write a code from 100 to 599"},
		{"jason.status == 0", "status", "write status[503]"},
		{"jason.share == 0%", "share", `write share("CHECK") or share(503)`},
		{"jason < 6s", "jason", "jason is a load, not a quantity; write jason.p50"},
		{"baseline.jason < 6s", "jason", "write baseline.jason.p50"},
		{"ratings.p50 < 6s", "ratings", "ratings is a service, not a load; write requests(ratings)"},
		{"fault(ratings) == 1", "fault", `unknown function "fault"; did you mean faults?`},
		{"faults(rating) == 1", "rating)", `unknown service "rating"; did you mean ratings?`},
		{"faults(tcp-ech) == 1", "tcp-ech", "did you mean tcp-echo?"},
		{"faults(ratings, v1) == 1", "faults", "write faults(SERVICE)"},
		{"requests(reviews, v9) == 1", "v9", `unknown version "v9"`},
		{"jason.answered(v4) == 1", "v4", `unknown version "v4"; did you mean v1?`}, // a service has it, answers do not show it
		{"split(jason).is(v1 == 90%, v4 == 10%)", "v4", `unknown version "v4"`},
		{"jason.p50", "jason.p50", `"jason.p50" is a duration, and nothing is asked of it; compare it, as in jason.p50 < 1s`},
		{"1s < 2s", "1s", "neither side is observed"},
		{"jason.p50 in [5.9s, 6.6s]", "in [", "write 5.9s <= jason.p50 <= 6.6s"},
		{"within(jason.p50, 5s, 6s)", "within", "write a range as lo <= x <= hi"},
		{"jason.p50 < 1s ? true : false", "?", "? : has no place here"},
		{"1s < jason.p50 > 2s", "> 2s", "runs one way"},
		{"1s <= jason.p50 <= 2s <= 3s", "<= 3s", "two limits"},
		{"6.6s <= jason.p50 <= 5.9s", "6.6s", "nothing is between 6.6s and 5.9s"},
		{"(jason.p50 < 1s) == true", "jason", "true or false, not a quantity"},
		{"jason.p50 < 1s and others.p50 < 1s", "and", `unexpected "and"; write &&`},
		{"jason.p50 = 1s", "=", "write == to compare"},
		{"jason.p50 ≤ 1s", "≤", "write <="},
		{"jason.share(503) < 5 %", "%", "a percentage is written 5%, without a space"},
		{"jason.p50 <", "", "the line ends too early"},
		{"others.p50 < 1s || (jason.p50 < 1s", "(jason", "a bracket is not closed; write )"},
		{"jason.status[503 == 0", "[503", "a bracket is not closed; write ]"},
		{"faults(ratings == 0", "(ratings", "a bracket is not closed; write )"},
		{"faults(ratings; 1) == 0", ";", "unexpected"},
		{"faults(ratings,) == 0", ") ==", "unexpected"},
		{"[jason.p50] < 1s", "[", "lists and maps have no place here"},
		{"jason.p50 in 5s", "in 5s", "write lo <= x <= hi"},
		{"in < 5s", "in", "unexpected"},
		{"jason.", "", "the line ends too early"},
		{"jason.p50(1) < 1s", "p50", "unknown function of a load"},
		{"\"jason\"(1) < 1s", "(1)", "unexpected"},
		{"jason.p50 < 1s == true", "==", "a range has two limits and runs one way"},
		{"jason.p50 < 1s)", ")", `unexpected ")"`},
		{`jason.share("stars == 1%`, `"`, "this quote is not closed"},
		{"jason.p50 < 6s6", "6s6", "is neither a number nor a duration"},
		{`jason.p50 < 5%"x"`, `"x"`, "unexpected"},
		{"{jason: 1}", "{", "unexpected"},
		{"", "", "the line is empty"},
		{"split(reviews) == 90%", "split", "write split(reviews).is(v1 == 90%, v2 == 10%)"},
		{"split(reviews).is(v1 == 90%, v2 == 20%)", "is", "add up to 110%, not 100%"},
		{"split(reviews).is(v1 == 90, v2 == 10)", "90", "write 90%"},
		{"split(reviews).is(v1 == 90%, v1 == 10%)", "v1 == 10%", `version "v1" is listed twice`},
		{"split(review).is(v1 == 100%)", "review)", "did you mean reviews?"},
		{"split(reviews).is(v1 == 100%).detecting(80%)", "detecting", "from 0.1% to 50%"},
		{"split(reviews).is(v1 == 25%, v2 == 75%).detecting(50%) && split(reviews).is(v1 == 100%) > 1", "split(reviews).is(v1 == 100%)", "a split is true or false"},
		{"!split(reviews).is(v1 == 90%, v2 == 10%)", "!", "a split cannot be negated"},
		{strings.Repeat("(", 40) + "jason.p50" + strings.Repeat(")", 40) + " < 1s", "", "too deeply nested"},
		{strings.Repeat("jason.p50 < 1s && ", 100), "", "at most 1000 are read"},
		{"jason.p50 < \xff", "", "not valid UTF-8"},
	} {
		_, err := Compile(shop(), test.line)
		var wrong *Error
		if !errors.As(err, &wrong) {
			t.Errorf("%s: compiled, or a strange error: %v", test.line, err)
			continue
		}
		if !strings.Contains(wrong.Error(), test.want) {
			t.Errorf("%s: says %q, not %q", test.line, wrong, test.want)
		}
		if test.at != "" && !strings.HasPrefix(test.line[wrong.Offset:], test.at) {
			t.Errorf("%s: points at %q, not at %q (%v)", test.line, test.line[wrong.Offset:], test.at, wrong)
		}
	}
}

func TestNamesWithHyphensAndReservedByCELAreNames(t *testing.T) {
	e := mustCompile(t, `while.p50 < 1s && requests(tcp-echo, v1-canary)-faults(package) == 0 && recovery.tcp-client.sent == 5 && requests("reviews", "v3") == 0`)
	wantNeeds := []Need{{"requests", []string{"tcp-echo", "v1-canary"}}, {"faults", []string{"package"}}, {"requests", []string{"reviews", "v3"}}}
	wantLoads := []Load{{report.During, "while"}, {report.Recovery, "tcp-client"}}
	if diff := cmp.Diff(wantNeeds, e.Needs()); diff != "" {
		t.Errorf("needs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantLoads, e.Loads()); diff != "" {
		t.Errorf("loads (-want +got):\n%s", diff)
	}
	if got := e.Cohorts(); !slices.Equal(got, []string{"while", "tcp-client"}) {
		t.Errorf("cohorts are %v", got)
	}
}

func TestServicesAndVersionsThatAreNotKnownMayHaveAnyName(t *testing.T) {
	if _, err := Compile(Scope{Cohorts: []string{"jason"}}, "requests(my-shop, blue) == jason.sent && split(my-shop).is(blue == 100%)"); err != nil {
		t.Error(err)
	}
}

func TestWithoutVersionsNothingIsSaidOfThoseOfAnswers(t *testing.T) {
	scope := shop()
	scope.Answers = nil
	for line, at := range map[string]string{
		"jason.sent > 5 && jason.answered(v1) == jason.sent":      "v1",
		"split(recovery.jason).is(v1 == 90%, v2 == 10%)":          "v1 ==",
		`others.p50 < 1s || split(jason).is("v1-canary" == 100%)`: `"v1-canary"`,
	} {
		_, err := Compile(scope, line)
		var wrong *Error
		if !errors.As(err, &wrong) || !strings.Contains(wrong.Error(), "nothing says which version an answer is from; list versions:") || !strings.HasPrefix(line[wrong.Offset:], at) {
			t.Errorf("%s: %v", line, err)
		}
	}
	if _, err := Compile(scope, "split(reviews).is(v1 == 90%, v2 == 10%) && requests(reviews, v4) == 0"); err != nil {
		t.Errorf("what proxies count by version: %v", err)
	}
}

func TestAScopeWithNamesThatCannotBeToldApartIsRefused(t *testing.T) {
	if err := shop().Validate(); err != nil {
		t.Errorf("a good scope: %v", err)
	}
	for name, want := range map[string]string{
		"reviews": "a service has this name", "baseline": "has a meaning", "split": "has a meaning", "faults": "has a meaning",
		"a b": "could not name it", "1st": "could not name it", "": "could not name it",
	} {
		err := Scope{Cohorts: []string{"jason", name}, Services: []string{"reviews"}}.Validate()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "jason") {
			t.Errorf("cohort %q: %v", name, err)
		}
	}
}

func TestARecordThatWasReadBackIsJudgedAlike(t *testing.T) {
	w := observed()
	data, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	var back Windows
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	e := mustCompile(t, `5.9s <= jason.p50 <= 6.6s && overflows(httpbin) == client.status[503] && recovery.jason.max < 1s && split(reviews).is(v1 == 90%, v2 == 10%)`)
	if diff := cmp.Diff(e.Judge(w), e.Judge(back)); diff != "" {
		t.Error(diff)
	}
}
