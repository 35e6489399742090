package check

import (
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// quiet is a window of a breaker that never refused: client sent 12 requests, and
// pages 10, which came to reviews twice each.
func quiet() Windows {
	ok := func(count int64) []loadgen.Outcome { return []loadgen.Outcome{{Status: 200, Count: count}} }
	return Windows{During: &report.Window{
		Name:  report.During,
		Loads: map[string]*loadgen.Result{"client": load(ok(12), time.Millisecond), "others": load(ok(10), time.Millisecond)},
		Quantities: []report.Quantity{
			quantity(0, "overflows", "httpbin"), quantity(0, "ejections", "httpbin"), quantity(12, "requests", "httpbin"),
			quantity(0, "overflows", "reviews"), quantity(40, "requests", "reviews"), quantity(0, "requests", "reviews", "v2"), quantity(20, "faults", "reviews"),
			quantity(0, "overflows", "ratings"), {Function: "requests", Args: []string{"ratings"}, Absent: "no source has it"},
			quantity(0, "overflows", "tcp-echo"), quantity(0, "requests", "tcp-echo"),
			quantity(2, "imbalance", "reviews", "v1"), quantity(9, "requests", "reviews", "v1"), quantity(3, "imbalance", "reviews"),
			quantity(12, "connections", "reviews"), quantity(0, "connections", "reviews", "v2"),
		},
	}}
}

func TestALineThatCouldNotHaveFailedInItsWindowIsInconclusive(t *testing.T) {
	for line, want := range map[string]string{
		"overflows(httpbin) < 1000000":                           "overflows(httpbin) was 22 at most",
		"overflows(httpbin) <= 22":                               "overflows(httpbin) == 0",
		"overflows(httpbin) != 999999":                           "22 at most",
		"ejections(httpbin) <= 100":                              "ejections(httpbin) was 22 at most",
		"faults(reviews) < 1000000":                              "faults(reviews) was 120 at most",
		"requests(reviews, v2) <= 40":                            "40 at most",
		"overflows(httpbin) <= 1000000 * client.sent":            "22 at most",
		"overflows(httpbin) / client.sent < 1000000%":            "could not have failed",
		"overflows(httpbin) / requests(httpbin) < 1000000%":      "could not have failed",
		"overflows(httpbin) * 0.000001 < 1":                      "could not have failed",
		"-overflows(httpbin) > -1000000":                         "could not have failed",
		"client.share(200) * overflows(httpbin) < 1000000":       "could not have failed",
		"0 <= overflows(httpbin) < 1000000":                      "could not have failed",
		"!(overflows(httpbin) > 1000000)":                        "could not have failed",
		"overflows(httpbin) < 1000 || ejections(httpbin) < 1000": "could not have failed",
		"overflows(httpbin) < 1000000 || client.status[503] > 0": "could not have failed",
		"overflows(httpbin) < 1000000 + client.status[503]":      "could not have failed",
		"overflows(httpbin) < 1000000 + requests(httpbin)":       "could not have failed",
		"overflows(httpbin) + ejections(httpbin) <= 1000":        "could not have failed",
		"client.status[503] <= 1000":                             "12",
		"client.errors <= 50 && client.status[200] > 0":          "12",
		"client.share(503) != 33%":                               "could not have failed",
		"overflows(tcp-echo) <= 50":                              "22 at most",
		"imbalance(reviews, v1) <= 9":                            "imbalance(reviews, v1) was 9 at most",
		"imbalance(reviews) <= 40":                               "imbalance(reviews) was 40 at most",
		"imbalance(reviews, v1) <= 8":                            "",
		"imbalance(reviews, v1) <= imbalance(reviews)":           "", // of a version it may be more than of all
		"overflows(httpbin) == 0":                                "",
		"overflows(httpbin) <= 10":                               "",
		"overflows(httpbin) <= 21":                               "",
		"overflows(httpbin) == client.status[503]":               "",
		"overflows(httpbin) <= client.status[503]":               "",
		"overflows(httpbin) + client.status[200] == client.sent": "",
		"overflows(tcp-echo) == 0":                               "",
		"overflows(ratings) < 1000000":                           "", // nobody knows how many requests there were
		"ejections(httpbin) == 0":                                "",
		"faults(reviews) == 2 * others.sent":                     "",
		"faults(reviews) <= 2 * others.sent":                     "",
		"10% < faults(reviews) / others.sent <= 200%":            "",
		"requests(reviews, v2) == 0":                             "",
		"requests(reviews) <= 1000":                              "", // whoever calls it may ask again
		"requests(reviews) == 40":                                "",
		"connections(reviews) <= 1000":                           "", // a proxy may connect in vain
		"connections(reviews, v2) <= 40":                         "",
		"connections(reviews) >= others.connections":             "",
		"client.sent >= 10":                                      "", // it may have sent fewer
		"client.qps >= 1":                                        "",
		"client.status[503] <= 11":                               "",
		"client.status[200] == client.sent":                      "",
		"client.max < 5s || client.status[503] > 0":              "",
		"overflows(httpbin) > 1000 || client.status[200] > 0":    "",
	} {
		row := mustCompile(t, line).Judge(quiet())[0]
		switch {
		case want == "" && row.Verdict != report.Pass, want != "" && row.Verdict != report.Inconclusive, !strings.Contains(row.Reason, want):
			t.Errorf("%s is %s: %s", line, row.Verdict, row.Reason)
		}
	}
}

// faulty is a window in which twenty requests of client were delayed on their way to
// httpbin, and none was aborted; pages were delayed and aborted, each; and reviews
// could eject its endpoint.
func faulty() Windows {
	bite := func(kind, service string, count int64) report.Bite {
		return report.Bite{Kind: kind, Service: service, Count: &count}
	}
	ejections := quantity(1, "ejections", "reviews")
	ejections.Each = 5
	seldom := quantity(0, "ejections", "httpbin")
	seldom.Each, seldom.Most = 5, 2
	never := quantity(0, "ejections", "ratings")
	never.None = true
	few := quantity(0, "ejections", "package")
	few.Each, few.None = 30, true
	limited := quantity(2, "overflows", "reviews")
	limited.Most = 6
	return Windows{During: &report.Window{
		Name:  report.During,
		Loads: map[string]*loadgen.Result{"client": load([]loadgen.Outcome{{Status: 200, Count: 20}}, time.Millisecond)},
		Quantities: []report.Quantity{
			quantity(20, "faults", "httpbin"), quantity(20, "requests", "httpbin"), seldom,
			quantity(40, "faults", "ratings"), quantity(0, "requests", "ratings"),
			ejections, quantity(20, "requests", "reviews"),
			quantity(20, "faults", "reviews"), never, few, quantity(20, "requests", "package"), limited,
		},
		Bites: []report.Bite{bite("delay", "httpbin", 20), bite("delay", "ratings", 20), bite("abort", "ratings", 20)},
	}}
}

func TestACountIsHeldAgainstWhatItTakes(t *testing.T) {
	for line, want := range map[string]string{
		"faults(httpbin) <= 3 * client.sent": "faults(httpbin) was 40 at most",
		"faults(httpbin) <= 40":              "40 at most",
		"faults(ratings) <= 2 * client.sent": "40 at most", // each request has both
		"ejections(reviews) < 15":            "ejections(reviews) was 4 at most",
		"ejections(reviews) <= 4":            "4 at most",
		"ejections(httpbin) < 4":             "ejections(httpbin) was 2 at most",
		"ejections(ratings) == 0":            "no outlierDetection in force lets one endpoint go",
		"ejections(package) == 0":            "ejections(package) was 0 whatever happened, since one takes 30 errors",
		"overflows(reviews) <= 6":            "overflows(reviews) was 6 at most",
		"overflows(reviews) <= 5":            "",
		"faults(httpbin) == client.sent":     "",
		"faults(httpbin) <= client.sent":     "",
		"faults(httpbin) < 40":               "",
		"faults(ratings) == 2 * client.sent": "",
		"faults(reviews) <= 3 * client.sent": "", // they may all have been aborted, and twenty more came
		"ejections(reviews) == 1":            "",
		"ejections(reviews) <= 3":            "",
		"ejections(httpbin) == 0":            "",
		"ejections(httpbin) <= 1":            "",
		"0 < ejections(reviews) < 4":         "",
	} {
		row := mustCompile(t, line).Judge(faulty())[0]
		switch {
		case want == "" && row.Verdict != report.Pass, want != "" && row.Verdict != report.Inconclusive, !strings.Contains(row.Reason, want):
			t.Errorf("%s is %s: %s", line, row.Verdict, row.Reason)
		}
	}
}

// A cohort with while has no number of its own, and it is known what its rate was when
// it is over: of twelve requests none begins before the eleventh part of its time.
func TestARateIsHeldAgainstTheRequestsThatThereWere(t *testing.T) {
	for line, want := range map[string]report.Verdict{
		"client.qps < 55":  report.Inconclusive,
		"client.qps < 54":  report.Pass,
		"client.qps > 5":   report.Pass,
		"client.qps < 500": report.Inconclusive,
		"others.qps < 500": report.Pass,
	} {
		line := mustCompile(t, line)
		bound, err := line.Within(map[Load]Bounds{{Window: report.During, Cohort: "client"}: {Scheduled: 50, Fastest: 1e6}, {Window: report.During, Cohort: "others"}: {Fastest: 1e6}})
		if err != nil {
			t.Fatal(err)
		}
		if row := bound.Judge(quiet())[0]; row.Verdict != want {
			t.Errorf("%s is %s: %s", line.Text(), row.Verdict, row.Reason)
		}
	}
}

func TestAKnownBugThatCouldNotHaveGoneIsInconclusive(t *testing.T) {
	for line, want := range map[string]report.Verdict{
		"overflows(httpbin) > 1000000":                           report.Inconclusive,
		"client.status[503] > 12":                                report.Inconclusive,
		"overflows(httpbin) > 0":                                 report.Pass,
		"client.status[503] >= 12":                               report.Pass,
		"overflows(httpbin) > 0 && ejections(httpbin) == 0":      report.Pass,
		"overflows(httpbin) > 0 && ejections(httpbin) < 1000000": report.Inconclusive,
	} {
		if got := Overall(mustCompile(t, line).JudgeKnownBug(quiet(), "SHOP-1")); got != want {
			t.Errorf("%s is %s", line, got)
		}
	}
}

func TestALineThatHingesOnACount(t *testing.T) {
	for line, want := range map[string]bool{
		"overflows(httpbin) == 0":                                                true,
		"overflows(httpbin) <= 10":                                               true,
		"overflows(httpbin) == client.status[503]":                               true,
		"overflows(httpbin) / client.sent < 50%":                                 true,
		"overflows(httpbin) > 0":                                                 true,
		"overflows(httpbin) < 1000000":                                           false,
		"requests(httpbin) + overflows(httpbin) < 1000000":                       false,
		"overflows(httpbin) == 0 || client.status[200] > 0":                      false,
		"overflows(httpbin) > 1000 || client.status[200] > 0":                    false,
		"(overflows(httpbin) < 1000000 && client.errors == 0) || client.qps > 1": false,
		"overflows(httpbin) / requests(httpbin) < 1000000%":                      false,
	} {
		if got := mustCompile(t, line).Hinges(quiet(), Need{"overflows", []string{"httpbin"}}, nil); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
	for own, want := range map[int64]bool{0: false, 10: false, 11: true} {
		if got := mustCompile(t, "overflows(httpbin) <= 10").Hinges(quiet(), Need{"overflows", []string{"httpbin"}}, &own); got != want {
			t.Errorf("of a rule that could have refused %d: %v", own, got)
		}
	}
}

// There were no overflows.
func TestALineThatHingesOnNumbersOfACount(t *testing.T) {
	for line, want := range map[string]bool{
		"overflows(httpbin) <= 5": true,
		"overflows(httpbin) <= 6": false, // holds of the first as well
		"overflows(httpbin) != 7": false, // holds of the first as well
		"overflows(httpbin) == 0": true,
		"overflows(httpbin) < 9":  false, // holds of both
	} {
		if got := mustCompile(t, line).HingesOn(quiet(), Need{"overflows", []string{"httpbin"}}, 6, 7); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

// What shows several versions may be of either.
func TestAnswersThatCannotBeToldApartAreNotPassed(t *testing.T) {
	answers := func(version string, count int64) loadgen.Outcome {
		return loadgen.Outcome{Status: 200, Version: version, Count: count}
	}
	w := Windows{During: &report.Window{Name: report.During, Loads: map[string]*loadgen.Result{
		"client": load([]loadgen.Outcome{answers(loadgen.Mixed, 4), answers("v2", 8)}, time.Millisecond),
		"others": load([]loadgen.Outcome{answers("v2", 8)}, time.Millisecond),
	}, Quantities: []report.Quantity{quantity(8, "requests", "reviews", "v2"), quantity(12, "requests", "reviews")}}}
	for line, want := range map[string]report.Verdict{
		`client.answered("v1") == 0`:                                  report.Inconclusive,
		`!(client.answered("v1") > 0)`:                                report.Inconclusive,
		`client.answered("v1") == 0 || client.errors > 0`:             report.Inconclusive,
		`client.answered("v1") / client.sent < 5%`:                    report.Inconclusive,
		`client.answered("v2") == requests(reviews, v2)`:              report.Inconclusive,
		`client.answered("v1") - client.answered("v2") < 0`:           report.Inconclusive,
		`client.answered("v2") < client.sent`:                         report.Inconclusive,
		`client.answered("v2") == client.sent`:                        report.Fail,
		"split(client).is(v2 == 100%)":                                report.Fail,
		`others.answered("v1") == 0`:                                  report.Pass,
		"client.status[200] == client.sent && client.errors == 0":     report.Pass,
		`others.answered("v2") == 8 && client.answered("v3") == 0`:    report.Inconclusive,
		`client.answered("v1") + others.answered("v2") == 8`:          report.Inconclusive,
		`0 <= client.answered("v1") - client.answered("v3") < 1`:      report.Inconclusive,
		`others.sent > client.answered("v1") * 2`:                     report.Inconclusive,
		`client.answered("v1") == client.answered("v3")`:              report.Inconclusive,
		`client.share(200) == 100% || client.answered("v1") == 0`:     report.Inconclusive,
		`client.status[200] - client.answered("v2") <= others.sent`:   report.Inconclusive,
		`others.share(200) * client.answered("v1") < client.sent / 2`: report.Inconclusive,
	} {
		if got := Overall(mustCompile(t, line).Judge(w)); got != want {
			t.Errorf("%s is %s", line, got)
		}
	}
	if got := Overall(mustCompile(t, `client.answered("v1") > 0`).JudgeKnownBug(w, "SHOP-1")); got != report.Inconclusive {
		t.Errorf("a bug that nobody can tell to be there is %s", got)
	}
}
