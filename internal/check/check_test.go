package check

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// functions are what the proxies of the tests count.
func functions() []Function {
	return []Function{{Name: report.Requests, Versioned: true}, {Name: report.Connections, Versioned: true}, {Name: report.Imbalance, Versioned: true}, {Name: report.Faults}, {Name: report.Overflows}, {Name: report.Ejections}}
}

// shop is a scope with names of all sorts.
func shop() Scope {
	return Scope{
		Functions: functions(),
		Cohorts:   []string{"jason", "others", "client", "tcp-client", "while"},
		Checks:    []string{"reviews-lost", "stars"},
		Answers:   []string{"v1", "v2", "v3", "v1-canary"},
		Versions:  []string{"v1", "v2", "v3", "v4", "v1-canary"},
		Services:  []string{"reviews", "ratings", "httpbin", "tcp-echo", "package"},
	}
}

// load is a result with so many requests of each outcome, taking the times in
// turn. Response times are twice the service times.
func load(outcomes []loadgen.Outcome, times ...time.Duration) *loadgen.Result {
	r := &loadgen.Result{Elapsed: loadgen.Duration{Duration: 2 * time.Second}, Outcomes: outcomes, Response: &loadgen.Histogram{}, Service: &loadgen.Histogram{}}
	for _, o := range outcomes {
		r.Sent += o.Count
	}
	for i := range int(r.Sent) {
		r.Used++ // as of TCP
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

		"3.01s == jason.service.max": {
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
		"jason.connections == 5": {
			{Verdict: report.Pass, Observed: "5", Limit: "5", Samples: 5, Source: clients}},
		"baseline.jason.connections == 1": {
			{Verdict: report.Fail, Observed: "5", Limit: "1", Samples: 5, Source: clients, Reason: "5 is not 1"}},
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
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(report.Expectation{}, "Values", "Bounds")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

// One side that nobody knows leaves the other its place.
func TestOfWhatIsJoinedItIsSaidWhatIsNotKnown(t *testing.T) {
	got := mustCompile(t, "jason.p50 < 1s || others.p99 < 1s").Judge(observed())[0]
	if want := "6.02s; not known"; got.Verdict != report.Inconclusive || got.Observed != want {
		t.Errorf("it is %s, %q; want %q", got.Verdict, got.Observed, want)
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

func TestNamesWithHyphensAndThoseOfOtherLanguagesAreNames(t *testing.T) {
	e := mustCompile(t, `while.p50 < 1s && requests(tcp-echo, v1-canary)-faults(package) == 0 && recovery.tcp-client.sent == 5 && requests("reviews", "v3") == 0`)
	wantNeeds := []Need{
		{"requests", []string{"tcp-echo", "v1-canary"}},
		{"requests", []string{"tcp-echo"}},
		{"faults", []string{"package"}},
		{"requests", []string{"package"}},
		{"requests", []string{"reviews", "v3"}},
		{"requests", []string{"reviews"}},
	}
	wantLoads := []Load{{Window: report.During, Cohort: "while"}, {Window: report.Recovery, Cohort: "tcp-client"}}
	if diff := cmp.Diff(wantNeeds, e.Needs()); diff != "" {
		t.Errorf("needs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantLoads, e.Loads()); diff != "" {
		t.Errorf("loads (-want +got):\n%s", diff)
	}
}

func TestServicesAndVersionsThatAreNotKnownMayHaveAnyName(t *testing.T) {
	if _, err := Compile(Scope{Functions: functions(), Cohorts: []string{"jason"}}, "requests(my-shop, blue) == jason.sent && split(my-shop).is(blue == 100%)"); err != nil {
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
		err := Scope{Functions: functions(), Cohorts: []string{"jason", name}, Services: []string{"reviews"}}.Validate()
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
