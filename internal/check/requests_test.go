package check

import (
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// buying is a scope with a load that is a list of requests.
func buying() Scope {
	scope := shop()
	scope.Requests = map[string][]string{"client": {"login", "basket"}, "tcp-client": {"basket"}}
	return scope
}

// bought is what the client of it saw: of thirty logins ten without a token, and of twenty
// baskets five refused.
func bought() Windows {
	times := func(name string, n int, each time.Duration) loadgen.TimesOf {
		of := loadgen.TimesOf{Request: name, Response: &loadgen.Histogram{}, Service: &loadgen.Histogram{}}
		for range n {
			of.Response.Record(2 * each)
			of.Service.Record(each)
		}
		return of
	}
	r := load([]loadgen.Outcome{
		{Request: "login", Status: 200, Checks: []string{"stars"}, Version: "v1", Count: 20},
		{Request: "login", Error: loadgen.ErrorUntaken, Count: 10},
		{Request: "basket", Status: 200, Version: "v2", Count: 15},
		{Request: "basket", Status: 503, Count: 5},
	}, time.Second)
	r.Times = []loadgen.TimesOf{times("login", 30, time.Millisecond), times("basket", 20, 10*time.Millisecond)}
	loads := map[string]*loadgen.Result{"client": r}
	return Windows{During: &report.Window{Name: report.During, Loads: loads}, Baseline: &report.Window{Name: report.Baseline, Loads: loads}}
}

func TestARequestOfAListIsNamedAsAPartOfItsLoad(t *testing.T) {
	for line, want := range map[string]report.Verdict{
		"client.login.sent == 30 && client.basket.sent == 20 && client.sent == 50": report.Pass,
		"client.basket.status[503] == 5 && client.login.status[503] == 0":          report.Pass,
		"client.basket.share(503) == 25%":                                          report.Pass,
		"client.login.errors == 10 && client.basket.errors == 0":                   report.Pass,
		`client.login.count("stars") == 20 && client.basket.count("stars") == 0`:   report.Pass,
		"client.basket.answered(v2) == 15 && client.login.answered(v2) == 0":       report.Pass,
		"client.basket.qps == 10":                                                  report.Pass, // twenty in two seconds
		"client.basket.p90 <= 20ms":                                                report.Pass,
		"client.basket.p90 < 20ms":                                                 report.Fail,
		"client.basket.service.max == 10ms":                                        report.Pass,
		"baseline.client.basket.max == 20ms":                                       report.Pass,
		"client.basket.p90 - 5ms < 16ms":                                           report.Pass,
		"client.basket.p99 < 1s":                                                   report.Inconclusive, // twenty are too few
		"client.login.max < 1s":                                                    report.Inconclusive, // ten have no answer as it should be
		"client.p90 < 10s":                                                         report.Inconclusive, // likewise
		"split(client.login).is(v1 == 100%)":                                       report.Fail,         // ten are of no version
		"tcp-client.basket.sent == 1":                                              report.Inconclusive, // it has no result
		"client.basket.sent < client.login.sent":                                   report.Pass,
	} {
		compiled, err := Compile(buying(), line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		rows := compiled.Judge(bought())
		for _, row := range rows {
			if row.Verdict != want && want != report.Pass || want == report.Pass && row.Verdict != report.Pass {
				t.Errorf("%s: %s, %s %s; want %s", line, row.Verdict, row.Observed, row.Reason, want)
				break
			}
		}
	}
}

func TestWhatCannotBeSaidOfARequestIsRefused(t *testing.T) {
	for line, want := range map[string]string{
		"client.basket < 1s":                                                                        "write client.basket.p50",
		"client.basket.connections == 1":                                                            "write client.connections",
		"client.baskets.p50 < 1s":                                                                   "did you mean basket?",
		"client.baskett > 1":                                                                        "did you mean basket?",
		"jason.basket.p50 < 1s":                                                                     "no load",
		"client.basket.basket.p50 < 1s":                                                             "no load",
		"client.basket.sent <= client.sent":                                                         "always true",
		"client.basket.status[503] > client.status[503]":                                            "never be true",
		"client.basket.sent + client.login.sent <= client.sent":                                     "always true",
		"client.basket.errors + client.login.errors > client.errors":                                "never be true",
		"client.basket.sent + client.login.sent == client.sent":                                     "always true",
		"client.basket.status[503] + client.login.status[503] == client.status[503]":                "always true",
		"client.basket.errors + client.login.errors < client.errors":                                "never be true",
		"client.basket.count(\"stars\") + client.login.count(\"stars\") != client.count(\"stars\")": "never be true",
		"client.basket.max <= client.max":                                                           "always true",
		"client.basket.service.min < client.service.min":                                            "never be true",
		"client.basket.p50 <= client.max":                                                           "always true",
		"client.basket.mean < client.min":                                                           "never be true",
		"client.basket.p99 + 1ms > client.min":                                                      "always true",
		"client.basket.service.p90 <= client.max":                                                   "always true",
		"client.basket.service.p90 <= client.service.max":                                           "always true",
		"client.basket.p90 < client.service.min":                                                    "never be true",
		"baseline.client.basket.p50 > baseline.client.max":                                          "never be true",
		"client.basket.qps + client.login.qps <= client.qps":                                        "always true",
		"client.basket.qps + client.login.qps < client.qps":                                         "never be true",
		"client.basket.p50 <= client.basket.p99":                                                    "always true",
		"client.basket.sent > 0":                                                                    "always true",
		"client.basket.qps > client.qps":                                                            "never be true",
		"client.basket.share(503) <= 100%":                                                          "always true",
		"client.basket.status[503] <= client.basket.sent":                                           "always true",
		"client.basket.status[503] + client.basket.errors > client.sent":                            "never be true",
		"baseline.client.basket.sent + baseline.client.login.sent < 1":                              "never be true",
		"client.p50 < 1s && client.basket.errors > 0":                                               "never be true",
		"client.basket.answered(v1) * 100% <= client.answered(v1) && 1s <= 2s":                      "always true",
	} {
		_, err := Compile(buying(), line)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
	for _, line := range []string{ // which could come out otherwise
		"client.basket.sent < client.login.sent", "client.basket.sent == client.sent", "client.basket.p50 < client.p50",
		"client.basket.share(503) < client.share(503)", "client.basket.sent == client.login.sent",
		"client.login.status[503] + client.basket.status[503] == client.login.sent",
		"client.basket.p50 <= client.service.max", "client.basket.service.p50 >= client.min", "client.basket.p50 <= baseline.client.max",
		"client.basket.p50 <= client.login.max", "client.basket.qps < client.qps", "client.basket.p50 < client.mean",
	} {
		if _, err := Compile(buying(), line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, name := range []string{"p99", "status", "service", "a-b", "", "1", "sent"} {
		if ValidateRequest(name) == "" {
			t.Errorf("%q could be a request", name)
		}
	}
}

// A line that names a request speaks of its failures, and of those of no other.
func TestALineSpeaksOfTheRequestsThatItNames(t *testing.T) {
	w := bought()
	refused := loadgen.Outcome{Request: "basket", Status: 503, Count: 5}
	untaken := loadgen.Outcome{Request: "login", Error: loadgen.ErrorUntaken, Count: 10}
	for line, want := range map[string][2]bool{
		"client.status[503] == 5":                              {true, false},
		"client.basket.status[503] == 5":                       {true, false},
		"client.login.status[503] == 0":                        {false, false},
		"client.basket.share(503) < 50%":                       {true, false},
		"client.login.errors == 10":                            {false, true},
		"client.basket.errors == 0":                            {false, false},
		"client.errors == 10":                                  {false, true},
		"client.basket.sent == 20":                             {false, false},
		"client.basket.status[503] < 1000 || client.sent == 7": {false, false},
	} {
		compiled := mustIn(t, buying(), line)
		for i, o := range []loadgen.Outcome{refused, untaken} {
			if is := compiled.Speaks(w, Load{Window: report.During, Cohort: "client"}, o); is != want[i] {
				t.Errorf("%s speaks of %+v: %v", line, o, is)
			}
		}
	}
}

// An answer that lacks what its take asks for is one all the same, and is not said to be none.
func TestWhatWasNotTakenIsSaidToBeThat(t *testing.T) {
	for way, want := range map[string]string{
		loadgen.ErrorUntaken: "none of 2 requests had an answer with what its take asks for, so that there is nothing to count; judge .errors",
		loadgen.ErrorTimeout: "none of 2 requests had an answer, so that there is nothing to count; judge .errors",
	} {
		if said := unanswered(&loadgen.Result{Sent: 2, Outcomes: []loadgen.Outcome{{Error: way, Count: 2}}}); said != want {
			t.Errorf("%s: %s", way, said)
		}
	}
}

func mustIn(t *testing.T, scope Scope, line string) *Expectation {
	t.Helper()
	compiled, err := Compile(scope, line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return compiled
}

func TestAConditionNamesARequest(t *testing.T) {
	plans := map[string]loadgen.Plan{"client": {Send: []loadgen.Request{{Name: "login"}, {Name: "basket"}}}}
	for line, want := range map[string]bool{
		"client.basket.share(503) > 20%": true,
		"client.login.share(503) > 20%":  false,
		"client.basket.p90 > 1s":         false,
		"client.basket.p90 > 15ms":       true,
	} {
		watch, err := Watch(plans, []string{line})
		if err != nil {
			t.Fatal(err)
		}
		if stop := watch(bought().During.Loads); (stop != nil) != want {
			t.Errorf("%s: %v", line, stop)
		}
	}
	watch, err := Watch(plans, []string{"client.basket.share(503) > 20%"})
	if err != nil {
		t.Fatal(err)
	}
	few := bought().During.Loads
	few["client"].Outcomes[2].Count = 14 // nineteen baskets, and it takes twenty
	if stop := watch(few); stop != nil {
		t.Errorf("nineteen are judged: %v", stop)
	}
}

// Of a list that is sent in turn a request is never sent more often than one before it, and
// who says so has said nothing. Of one that is drawn it may be.
func TestARequestThatIsSentInTurnIsSentNoMoreThanOneBeforeIt(t *testing.T) {
	list := []loadgen.Request{{Name: "login"}, {Name: "basket"}}
	drawn := []loadgen.Request{{Name: "login", Weight: 1}, {Name: "basket", Weight: 1}}
	for _, tt := range []struct {
		line        string
		turn, drawn string // what is wrong; empty: nothing
	}{
		{"client.login.sent >= client.basket.sent", "always true", ""},
		{"client.basket.sent <= client.login.sent + 1", "always true", ""},
		{"client.basket.sent > client.login.sent", "never be true", ""},
		{"baseline.client.basket.sent > baseline.client.login.sent", "never be true", ""},
		{"client.login.sent > client.basket.sent", "", ""},
		{"client.login.sent == client.basket.sent", "", ""},
		{"client.login.status[200] >= client.basket.sent", "", ""},
		{"client.login.sent >= baseline.client.basket.sent", "", ""},
	} {
		for want, send := range map[*string][]loadgen.Request{&tt.turn: list, &tt.drawn: drawn} {
			bounds := BoundsOf(loadgen.Plan{Send: send, Connections: 3, Duration: loadgen.Duration{Duration: time.Second}})
			compiled, err := Read(buying(), tt.line)
			if err != nil {
				t.Fatalf("%s: %v", tt.line, err)
			}
			_, err = compiled.Within(map[Load]Bounds{{Window: report.During, Cohort: "client"}: bounds, {Window: report.Baseline, Cohort: "client"}: bounds})
			if (err == nil) != (*want == "") || err != nil && !strings.Contains(err.Error(), *want) {
				t.Errorf("%s, of a list that is drawn %v: %v, want %q", tt.line, send[0].Weight > 0, err, *want)
			}
		}
	}
}

// What is expected of one request of a list is nothing of the others, though it is limited by
// what all of them come to.
func TestASentenceTellsNothingOfALoadOfWhichOneRequestIsExpected(t *testing.T) {
	for amount, line := range map[string]string{"p50": "p50 < 1s", "max": "service.max < 1s", "status[503]": "status[503] < 6", "share(503)": "share(503) < 50%", "qps": "qps > 1"} {
		var lines []*Expectation
		for _, text := range []string{"client.basket." + line, "client.connections < 9"} {
			e, err := Compile(buying(), text)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, e)
		}
		_, err := ReadSentence(buying(), "It was {client."+amount+"}.", lines, nil)
		if err == nil || !strings.Contains(err.Error(), "no expectation is about client."+amount) {
			t.Errorf("{client.%s} beside %s: %v", amount, lines[0].Text(), err)
		}
	}
	for _, amount := range []string{"p50", "sent"} {
		line, err := Compile(buying(), "client.basket.p50 < 1s")
		if err == nil {
			_, err = ReadSentence(buying(), "It was {client.basket."+amount+"}.", []*Expectation{line}, nil)
		}
		if err != nil {
			t.Errorf("{client.basket.%s}: %v", amount, err)
		}
	}
}
