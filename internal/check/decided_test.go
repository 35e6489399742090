package check

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

func TestALineThatCouldNotFailIsRefused(t *testing.T) {
	for line, at := range map[string]string{
		"jason.p50 <= jason.p50":                                                   "",
		"jason.max - jason.max == 0s":                                              "",
		"jason.p50 <= jason.p99":                                                   "",
		"jason.min <= jason.mean <= jason.max":                                     "",
		"jason.max >= 50% * jason.max":                                             "",
		"jason.service.p50 <= jason.p99":                                           "",
		"jason.service.min <= jason.mean":                                          "",
		"recovery.jason.service.max <= recovery.jason.max":                         "",
		"jason.service.min >= 0s":                                                  "",
		"jason.share(503) <= 100%":                                                 "",
		`jason.share("stars") >= 0%`:                                               "",
		"0% <= jason.share(503) <= 100%":                                           "",
		"jason.share(503) != 101%":                                                 "",
		"jason.share(200) + jason.share(503) <= 100%":                              "",
		"jason.p50 < 1h || jason.p50 >= 1h":                                        "",
		"jason.p50 < 1h || jason.p50 > 30m":                                        "",
		"jason.p50 < 1h || !(jason.p50 < 1h)":                                      "",
		"jason.p50 < 1s || jason.p99 >= 1s":                                        "",
		"!(jason.share(503) <= 100%)":                                              "jason.share",
		"jason.status[503] == 0 || jason.status[503] > 0":                          "",
		"jason.status[503] == 0 || jason.status[503] >= 1":                         "", // counts are whole
		"jason.sent >= 0":                                                          "",
		"jason.sent > 0":                                                           "", // nothing sent is inconclusive
		"jason.sent == jason.sent":                                                 "",
		"jason.qps > 0":                                                            "",
		"jason.max != 0s":                                                          "",
		"jason.min > 0s":                                                           "",
		"jason.service.p99 > 1ns":                                                  "",
		"0s < jason.p50 < 6s || jason.p50 >= 6s":                                   "0s <",
		"jason.p50 + jason.p99 > 0s":                                               "",
		"jason.p50 / jason.max > 0%":                                               "",
		"jason.p50 <= 1000 * jason.mean":                                           "",
		"jason.p50 / jason.mean <= 200%":                                           "", // the same, divided
		"jason.max / jason.min >= 100%":                                            "",
		"1ms / jason.max <= 100000%":                                               "",
		"1 / jason.sent <= 100%":                                                   "",
		"jason.status[503] / (jason.sent / 2) <= 200%":                             "",
		"(jason.status[200] - jason.status[503]) / jason.sent >= -100%":            "",
		"jason.p50 * jason.share(200) + jason.p50 * jason.share(503) <= jason.p50": "", // of shares of one whole
		"jason.max * jason.share(503) / jason.max <= 100%":                         "",
		"jason.max * jason.share(503) / jason.max == jason.share(503)":             "",
		"jason.share(200) * jason.share(503) <= 25%":                               "", // as those of a sum of 100%
		"imbalance(reviews) <= requests(reviews)":                                  "",
		"connections(reviews, v1) <= connections(reviews)":                         "",
		"imbalance(reviews, v1) / requests(reviews, v1) <= 100%":                   "",
		"requests(reviews, v1) / requests(reviews) + requests(reviews, v2) / requests(reviews) <= 100%": "",
		"jason.p50 <= 2 * jason.mean":                                                               "", // half of them are as long
		"jason.p90 - jason.min <= 10 * (jason.mean - jason.min)":                                    "",
		"jason.max < 3s || jason.errors == 0":                                                       "", // where one failed, no time is judged
		"jason.max < 3s || jason.status[503] < jason.sent":                                          "", // nor where all did
		"jason.p50 < 1s || jason.share(503) + jason.share(500) < 100%":                              "",
		"jason.status[200] > 5 || jason.errors < jason.sent":                                        "", // of no answer nothing is counted
		`jason.share("stars") > 5% || jason.errors / jason.sent < 100%`:                             "",
		"jason.status[200] <= jason.sent":                                                           "",
		"jason.status[200] + jason.status[503] <= jason.sent":                                       "",
		"jason.answered(v1) + jason.errors <= jason.sent":                                           "",
		`jason.count("stars") + jason.errors <= jason.sent`:                                         "", // an error fulfils no check
		"jason.share(503) * jason.sent == jason.status[503]":                                        "",
		"jason.status[200] / jason.sent <= 100%":                                                    "",
		"jason.status[200] / jason.sent == jason.share(200)":                                        "",
		"jason.errors / jason.sent >= 0%":                                                           "",
		`jason.share("stars") * jason.sent <= jason.sent`:                                           "",
		"jason.status[200] != 0.5":                                                                  "",
		"faults(ratings) >= 0":                                                                      "",
		"faults(ratings) > -1":                                                                      "",
		"requests(reviews, v1) <= requests(reviews)":                                                "",
		"requests(reviews, v1) + requests(reviews, v2) <= requests(reviews)":                        "",
		"requests(reviews, v1) / requests(reviews) <= 100%":                                         "",
		"overflows(httpbin) / client.sent >= 0%":                                                    "",
		"others.max < 1s && faults(ratings) + jason.sent >= 1":                                      "faults(ratings) +",
		"others.max < 1s && (jason.errors > 5 || jason.share(200) <= 1%) || jason.p90 <= jason.p95": "jason.p90",
		"recovery.jason.max < 1s && recovery.jason.p95 <= recovery.jason.p999":                      "recovery.jason.p95",
		"split(jason).is(v1 == 100%) || jason.share(200) <= 100%":                                   "jason.share",
	} {
		refused(t, line, at, "always true")
	}
}

func TestALineThatCanNeverHoldIsRefused(t *testing.T) {
	for line, at := range map[string]string{
		"jason.share(503) > 100%":            "",
		"jason.share(503) < 0%":              "",
		"jason.p50 < 0s":                     "",
		"jason.p50 > jason.p50":              "",
		"jason.p99 < jason.p50":              "",
		"jason.max < jason.max - 1ns":        "",
		"jason.sent == 0":                    "",
		"jason.sent < 1":                     "",
		"jason.errors == -1":                 "",
		"jason.max == 0s":                    "",
		"jason.p50 < 1ns":                    "",
		"jason.max < 3s && jason.errors > 0": "jason.max",
		"jason.status[200] == 0.5":           "",
		"0.2 < jason.status[200] < 0.8":      "",
		"2 * jason.status[200] == 5":         "",
		"jason.status[200] + jason.status[503] == jason.sent + 1":               "",
		"jason.share(200) + jason.share(503) > 100%":                            "",
		"!(jason.p50 < 1s && jason.p50 > 2s)":                                   "jason.p50 < 1s && jason.p50 > 2s",
		"jason.p50 < 1s && others.max < 1s && jason.p50 > 2s":                   "jason.p50 < 1s",
		"jason.status[200] == jason.sent && jason.status[503] > 0":              "jason.status[200]",
		"(jason.p50 < 1s && jason.min > 1s) || others.max < 5s":                 "jason.p50 < 1s",
		"jason.share(200) == 100% && jason.errors > 0 && 1% < jason.share(503)": "jason.share(200)",
	} {
		refused(t, line, at, "can never be true")
	}
}

func TestATimeIsNotLongerThanItsTimeout(t *testing.T) {
	scope := shop()
	scope.Longest = map[string]Longest{"jason": {Response: 2 * time.Minute, Service: 2 * time.Minute}, "others": {Service: time.Minute}}
	for line, want := range map[string]string{
		"jason.max < 3m":                 "always true",
		"jason.p50 <= 2m":                "always true",
		"recovery.jason.min > 2m":        "can never be true",
		"jason.p50 + jason.p99 <= 4m":    "always true",
		"others.service.max < 1h":        "always true",
		"jason.max < 2m":                 "",
		"jason.p50 + others.p99 <= 4m":   "",
		"others.max < 1h":                "",
		"others.service.max < 60s":       "",
		"jason.max <= others.max":        "",
		"jason.max > others.service.max": "",
		"jason.service.max >= 2m":        "",
		"client.max < 1h":                "", // nothing is known of its timeout
	} {
		_, err := Compile(scope, line)
		if got := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// What is looked for by one check may stand in all that another one looks for.
func TestACheckThatAnotherOneImpliesDecidesALine(t *testing.T) {
	scope := shop()
	scope.Checks = []string{"header", "headers", "other"}
	scope.Implied = Implied{
		ByCheck:   map[string][]string{"headers": {"header"}},
		ByVersion: map[string][]string{"v1": {"headers", "header"}, "v2": {"header"}},
	}
	for line, want := range map[string]string{
		`jason.count("header") >= jason.count("headers")`:                           "always true",
		`jason.share("headers") <= jason.share("header")`:                           "always true",
		`jason.share("header") * jason.sent >= jason.count("headers")`:              "always true",
		`jason.count("header") / jason.sent >= jason.share("headers")`:              "always true",
		`jason.answered(v1) <= jason.count("headers")`:                              "always true",
		`jason.answered(v1) + jason.answered(v2) <= jason.count("header")`:          "always true",
		`jason.count("headers") > jason.count("header")`:                            "can never be true",
		`jason.share("header") == 0% && jason.share("headers") > 0%`:                "can never be true",
		`jason.count("headers") >= jason.count("header")`:                           "",
		`jason.count("header") >= jason.count("other")`:                             "",
		`jason.answered(v2) <= jason.count("headers")`:                              "",
		`jason.answered(v1) + jason.count("headers") <= jason.count("header")`:      "",
		`jason.count("header") >= recovery.jason.count("headers")`:                  "",
		`jason.answered(v1) + jason.answered(v2) == jason.count("header")`:          "",
		`jason.count("header") >= jason.answered(v1) + jason.answered("v1-canary")`: "",
	} {
		_, err := Compile(scope, line)
		if got := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// What is decided depends on how many requests a load has in its window: jason
// sends twenty under the rule and seven before it, and others at most ten.
func TestALoadThatIsTooSmallDecidesALine(t *testing.T) {
	bounds := map[Load]Bounds{
		{Window: report.During, Cohort: "jason"}:   {Least: 20, Most: 20, Slowest: 0.01, Fastest: 1e6, Connections: 4},
		{Window: report.Baseline, Cohort: "jason"}: {Least: 7, Most: 7},
		{Window: report.During, Cohort: "others"}:  {Most: 10, OwnConnections: true},
		{Window: report.During, Cohort: "client"}:  {Least: 5},
	}
	scope := shop() // others have a rate, and a second for each request
	scope.Longest = map[string]Longest{"others": {Service: time.Second}}
	for line, want := range map[string]string{
		"jason.status[503] <= 20":                                "always true",
		"jason.status[503] < 100":                                "always true",
		"jason.errors + jason.status[200] <= 20":                 "always true",
		"jason.sent <= 20":                                       "always true",
		"jason.sent == 20":                                       "always true",
		"jason.sent != 19":                                       "always true",
		"jason.sent >= 5":                                        "always true",
		"jason.sent == 19":                                       "can never be true",
		"jason.sent > 20":                                        "can never be true",
		`jason.count("stars") != 21`:                             "always true",
		"jason.status[200] == 21":                                "can never be true",
		"jason.status[200] > 15 && jason.errors > 5":             "can never be true",
		"jason.share(503) != 33%":                                "always true", // 6.6 of 20
		"jason.share(503) == 33%":                                "can never be true",
		"0% < jason.share(503) < 5%":                             "can never be true",
		"jason.share(200) <= 50% || jason.status[200] > 10":      "always true",
		"jason.status[503] / jason.sent != 12%":                  "always true",
		"jason.status[503] > jason.sent - 21":                    "always true",
		"baseline.jason.status[503] <= 7":                        "always true",
		"baseline.jason.sent == 7":                               "always true",
		"baseline.jason.status[200] > 7":                         "can never be true",
		"baseline.jason.share(503) != 20%":                       "always true",
		"baseline.jason.status[503] < jason.sent":                "always true",
		"baseline.jason.status[503] + jason.status[503] <= 27":   "always true",
		"others.status[503] <= 10":                               "always true",
		"others.sent <= 10":                                      "always true",
		"client.sent >= 5":                                       "always true",
		"client.sent > 1":                                        "always true",
		"jason.connections <= 20":                                "always true",
		"jason.connections >= 4":                                 "always true",
		"jason.connections == 1":                                 "can never be true",
		"jason.connections > jason.sent":                         "can never be true",
		"others.connections == others.sent":                      "always true",
		"baseline.jason.connections > 7":                         "can never be true",
		"jason.connections == 4":                                 "",
		"jason.connections + jason.errors <= 20":                 "",
		"baseline.jason.connections == 1":                        "",
		"client.connections == client.sent":                      "",
		"client.connections < 1000":                              "",
		"jason.qps < 10000000":                                   "always true",
		"jason.qps >= 0.001":                                     "always true",
		"jason.status[503] + baseline.jason.sent != 5":           "always true",
		"jason.max <= 20 * jason.mean":                           "always true", // their sum
		"jason.max + 19 * jason.min <= 20 * jason.mean":          "always true",
		"jason.mean <= jason.max - 5% * (jason.max - jason.min)": "always true",
		"jason.mean <= (jason.p50 + jason.max) / 2":              "always true",
		"jason.service.max > 20 * jason.service.mean":            "can never be true",
		"baseline.jason.max <= 7 * baseline.jason.mean":          "always true",
		"jason.max <= 19 * jason.mean":                           "",
		"jason.mean <= (jason.p50 + jason.p90) / 2":              "",
		"client.max <= 20 * client.mean":                         "",
		"jason.max <= 20 * others.mean":                          "",
		"jason.status[503] < 20":                                 "",
		"jason.qps > 1":                                          "",
		"jason.share(503) <= 5%":                                 "",
		"jason.share(503) != 35%":                                "",
		`jason.status[200] + jason.count("stars") <= 20`:         "",
		"baseline.jason.status[503] <= 6":                        "",
		"baseline.jason.status[200] == baseline.jason.sent":      "",
		"baseline.jason.status[200] >= 7":                        "",
		"recovery.jason.sent == 20":                              "",
		"others.sent >= 10":                                      "",
		"others.share(503) != 33%":                               "",
		"client.sent > 5":                                        "",
		"client.status[503] <= 1000":                             "",
		"faults(ratings) <= 20":                                  "",
		"faults(ratings) == 2 * jason.sent":                      "",
		"jason.status[200] + jason.status[503] == jason.sent":    "",
		"jason.status[200] > baseline.jason.status[200]":         "",
		"jason.share(200) >= baseline.jason.share(200)":          "",
		"10% < faults(ratings) / jason.sent < 90%":               "",
		"recovery.jason.max <= 120% * baseline.jason.max + 5ms":  "",
		"jason.sent - jason.status[200] == overflows(ratings)":   "",
		`jason.answered("v2") == requests(reviews, v2)`:          "",
		`jason.count("stars") == jason.answered("v2")`:           "",
		"0 < jason.share(503) * jason.sent <= 1":                 "",
	} {
		open, err := Compile(scope, line)
		if err == nil {
			_, err = open.Within(bounds)
		}
		if got := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// refused checks that a line is, for the reason and at the place.
func refused(t *testing.T, line, at, reason string) {
	t.Helper()
	_, err := Compile(shop(), line)
	var wrong *Error
	if !errors.As(err, &wrong) || !strings.Contains(wrong.Message, reason) || wrong.Hint == "" || !strings.HasPrefix(line[wrong.Offset:], at) || at == "" && wrong.Offset != 0 {
		t.Errorf("%s: %v", line, err)
	}
}

func TestALineThatCouldComeOutEitherWayIsNot(t *testing.T) {
	for _, line := range []string{
		"jason.p50 * jason.share(200) + jason.p99 * jason.share(503) <= jason.p50",
		`jason.p50 * jason.share(200) + jason.p50 * jason.share("stars") <= jason.p50`, // an answer may have both
		"jason.p50 * jason.share(200) + jason.p50 * jason.share(503) < jason.p50",
		"jason.p50 * jason.share(200) + jason.p50 * jason.share(503) <= 500ms",
		"jason.max * jason.share(503) / jason.p50 <= 100%",
		"jason.p50 < 1ms",
		"jason.p50 > 1ms",
		"jason.p50 <= jason.mean",
		"jason.p90 <= 5 * jason.mean",
		"jason.p90 / jason.mean <= 500%",
		"jason.max / jason.min >= 200%",
		`jason.share(200) * jason.share("stars") <= 25%`,
		"jason.share(200) * jason.share(503) <= 24%",
		"imbalance(reviews) <= requests(reviews, v1)",
		"connections(reviews) <= requests(reviews)", // one may be made in vain
		"connections(reviews) >= requests(reviews)", // or carry many
		"jason.status[200] / jason.status[503] > 100%",
		"faults(ratings) / (jason.sent - 5) < 100%",
		"jason.max <= 20 * jason.mean",
		"jason.min == jason.max",
		"jason.p50 < others.p50",
		"jason.p50 <= recovery.jason.p50",
		"recovery.jason.p99 <= 120% * baseline.jason.p99 + 5ms",
		"0s <= jason.p50 <= 6s",
		"0% <= jason.share(503) <= 5%",
		"jason.share(503) == 100%",
		"jason.share(503) < 100%",
		"jason.share(503) >= 0.001%",
		"jason.sent > 1",
		"jason.sent >= 2",
		"jason.errors < jason.sent",
		"jason.status[200] > 0",
		"jason.status[200] == jason.sent",
		"jason.status[200] + jason.status[503] == jason.sent",
		`jason.count("stars") + jason.status[503] <= jason.sent`,
		`jason.count("stars") + jason.count("reviews-lost") <= jason.sent`,
		"jason.status[200] < others.sent",
		"jason.share(200) > others.share(200)",
		"faults(ratings) == 2 * jason.sent",
		"faults(ratings) <= jason.sent",
		"requests(reviews, v2) <= requests(ratings)",
		"requests(reviews, v2) < requests(reviews)",
		"overflows(httpbin) / client.sent <= 100%",
		"faults(ratings) - jason.sent >= 0",
		"jason.sent / (jason.sent - 5) < 100%",
		"jason.p50 * jason.share(200) < 1s",
		"jason.p50 / jason.max <= others.p50 / others.max",
		"jason.p50 < 1s || jason.p50 > 2s",
		"jason.p50 < 1s || others.p50 >= 1s",
		"jason.p99 < 1s || jason.p50 >= 1s",
		"jason.p50 > 1s && jason.p99 < 2s",
		"!(jason.p50 > 1s && jason.p99 < 2s)",
		"split(jason).is(v1 == 90%, v2 == 10%) || jason.errors > 0",
		"jason.status[200] == 0 || jason.status[200] >= 2",
		"jason.service.p99 <= jason.p50",
		"jason.service.p50 < jason.p50",
	} {
		if _, err := Compile(shop(), line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// claims draws a claim of jason and of what proxies counted, as a text and as
// what it is compiled to, without a look at whether it is decided.
func claims(c *compiler, depth int) *rapid.Generator[claim] {
	terms := map[kind][]string{
		number: {"0", "1", "-1", "0.5", "3", "jason.sent", "jason.errors", "jason.status[200]", "jason.status[503]", `jason.count("stars")`, "jason.answered(v1)", "jason.answered(v2)",
			"faults(ratings)", "jason.sent - 1", "2 * jason.sent", "jason.status[200] + jason.status[503]", "jason.sent * jason.share(200)", "-jason.errors", "jason.qps", "jason.connections", "jason.connections - jason.errors"},
		share: {"0%", "100%", "50%", "-5%", "101%", "jason.share(200)", "jason.share(503)", `jason.share("stars")`, "jason.errors / jason.sent", "jason.status[503] / jason.sent",
			"jason.share(200) + jason.share(503)", "jason.share(200) * jason.share(503)", "100% - jason.share(200)", "jason.answered(v1) / jason.status[200]", "faults(ratings) / jason.sent", "jason.p50 / jason.max"},
		duration: {"0s", "1ms", "1h", "-1ns", "jason.min", "jason.p50", "jason.p90", "jason.mean", "jason.max", "jason.service.p50", "jason.service.max",
			"2 * jason.p50", "jason.p50 - 1ms", "jason.max - jason.min", "50% * jason.max", "jason.share(200) * jason.max", "recovery.jason.p50"},
	}
	leaf := rapid.Custom(func(t *rapid.T) claim {
		texts := terms[rapid.SampledFrom([]kind{number, share, duration}).Draw(t, "kind")]
		compiled := func(label string) term {
			text := rapid.SampledFrom(texts).Draw(t, label)
			source, err := parse(text)
			if err != nil {
				t.Fatal(err)
			}
			c.source = source
			quantity, err := c.term(source.tree)
			if err != nil {
				t.Fatal(err)
			}
			return quantity
		}
		operator := func() string {
			return rapid.SampledFrom([]string{"<", "<=", ">", ">=", "==", "!="}).Draw(t, "operator")
		}
		left, right, first := compiled("left"), compiled("right"), operator()
		result := bounded(left, bound{first, right})
		result.text = left.text + " " + first + " " + right.text
		if rapid.Bool().Draw(t, "two limits") {
			second, further := operator(), compiled("further")
			result = bounded(left, bound{first, right}, bound{second, further})
			result.text = left.text + " " + first + " " + right.text + " and " + second + " " + further.text
		}
		return result
	})
	if depth == 0 {
		return leaf
	}
	return rapid.OneOf(leaf, rapid.Custom(func(t *rapid.T) claim {
		inner := claims(c, depth-1)
		if rapid.Bool().Draw(t, "not") {
			of := inner.Draw(t, "inner")
			result := opposite(of)
			result.text = "not (" + of.text + ")"
			return result
		}
		parts, either := rapid.SliceOfN(inner, 2, 3).Draw(t, "parts"), rapid.Bool().Draw(t, "either")
		result := together(parts, either)
		for _, part := range parts {
			result.text += fmt.Sprintf(" %v(%s)", either, part.text)
		}
		return result
	}))
}

// anyWindows draws what jason and the proxies may have observed.
func anyWindows() *rapid.Generator[Windows] {
	result := rapid.Custom(func(t *rapid.T) *loadgen.Result {
		var outcomes []loadgen.Outcome
		for range rapid.IntRange(1, 3).Draw(t, "outcomes") {
			o := loadgen.Outcome{Count: rapid.SampledFrom([]int64{1, 2, 3, 12}).Draw(t, "count"), Version: rapid.SampledFrom([]string{"", "v1", "v2"}).Draw(t, "version")}
			if o.Status = rapid.SampledFrom([]int{200, 200, 503, 404, 0}).Draw(t, "status"); o.Status == 0 {
				o.Error = loadgen.ErrorTimeout
			}
			if rapid.Bool().Draw(t, "stars") {
				o.Checks = []string{"stars"}
			}
			outcomes = append(outcomes, o)
		}
		times := rapid.SliceOfN(rapid.SampledFrom([]time.Duration{time.Microsecond, 1500, time.Millisecond, 3 * time.Millisecond, time.Second, 2 * time.Hour}), 1, 5).Draw(t, "times")
		drawn := load(outcomes, times...)
		drawn.Used = rapid.Int64Range(1, drawn.Sent).Draw(t, "connections")
		return drawn
	})
	return rapid.Custom(func(t *rapid.T) Windows {
		window := func(name string) *report.Window {
			return &report.Window{Name: name, Loads: map[string]*loadgen.Result{"jason": result.Draw(t, name)}}
		}
		during := window(report.During)
		during.Quantities = []report.Quantity{quantity(rapid.Int64Range(0, 5).Draw(t, "faults"), "faults", "ratings")}
		return Windows{During: during, Recovery: window(report.Recovery)}
	})
}

func TestWhatIsRefusedNeverComesOutTheOtherWay(t *testing.T) {
	decided, open := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		c := newCompiler(shop(), nil)
		drawn := claims(c, 2).Draw(t, "claim")
		c.source = &source{}
		never := report.Verdict("")
		switch err := c.undecided(drawn, &name{}); {
		case err == nil:
			open++
			return
		case strings.Contains(err.Error(), "always true"):
			never = report.Fail
		default:
			never = report.Pass
		}
		decided++
		for range 20 {
			w := anyWindows().Draw(t, "windows")
			if got := drawn.judge(w); got.verdict == never {
				t.Fatalf("%s is refused, and here it is %s: %s", drawn.text, never, got.observed)
			}
		}
	})
	if decided < 10 || open < 10 {
		t.Errorf("%d claims were decided and %d open: the test says little", decided, open)
	}
}

// A line must not speak of a quantity that makes no difference to it.
func TestANamedQuantityMakesADifference(t *testing.T) {
	for line, lost := range map[string]string{
		"jason.status[200] + jason.status[503] - jason.status[503] > 0":    "jason.status[503]",
		"jason.status[200] + 0 * jason.errors > 0":                         "jason.errors",
		"jason.status[200] + jason.status[503] == 5 + jason.status[503]":   "jason.status[503]",
		"3 < jason.status[200] + jason.errors <= 5 + jason.errors":         "jason.errors",
		"jason.status[200] - overflows(ratings) >= 5 - overflows(ratings)": "overflows(ratings)",
		"!(jason.share(200) - jason.share(503) < 5% - jason.share(503))":   "jason.share(503)",
		"jason.max < 1s && -jason.errors + jason.errors + jason.sent == 5": "jason.errors",
	} {
		_, err := Compile(shop(), line)
		if err == nil || !strings.Contains(err.Error(), lost+" makes no difference to ") {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, line := range []string{
		"jason.sent - jason.errors == jason.sent",
		"2 * jason.status[503] == jason.status[503] + 1",
		"jason.status[503] / jason.sent < 5%",
		"(jason.status[200] + jason.status[503]) / jason.sent == 100%",
		"faults(ratings) / jason.sent > 10%",
		"0 < jason.status[503] <= jason.errors",
		"jason.sent - jason.status[200] == overflows(ratings)",
	} {
		if _, err := Compile(shop(), line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}
