package compare_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/report/markdown"
	"github.com/meshchaos/meshchaos/test/records"
)

func pair(before, now *report.Record) compare.Pair {
	return compare.Pair{Before: compare.Run{File: "old/report.json", Record: before}, Now: compare.Run{File: "new/report.json", Record: now}}
}

// became is what the values of a comparison became that have changed.
func became(c *report.Comparison) map[string]report.Became {
	all := map[string]report.Became{}
	for _, s := range c.Scenarios {
		for _, v := range compare.Shown(s, false) {
			all[compare.Name(v)] = v.Became
		}
	}
	return all
}

func TestOfARunWithItselfNothingHasChanged(t *testing.T) {
	for _, name := range records.Names(t) {
		c := compare.Compare(pair(records.Read(t, name), records.Read(t, name)))
		unlike := c.Scenarios[0].Unlike
		cut := len(unlike) == 1 && unlike[0] == "under the rule: the load was cut off, and is not compared" && name == "not-restored"
		if c.Regressed || len(became(c)) > 0 || len(unlike) > 0 && !cut {
			t.Errorf("%s: %v, %q", name, became(c), unlike)
		}
		if n := c.Count(report.Untested); n > 0 {
			t.Errorf("%s: %d values are untested that do not differ", name, n)
		}
		if c.Count(report.Alike) < 10 {
			t.Errorf("%s: it compares %d values", name, c.Count(report.Alike))
		}
	}
}

func TestAVerdictThatIsNoPassAnyMoreHasRegressed(t *testing.T) {
	passed, failed, left := records.Read(t, "delay-jason"), records.Read(t, "failing"), records.Read(t, "not-restored")
	c := compare.Compare(pair(passed, failed))
	if got := became(c); !c.Regressed || got["verdict"] != report.Regressed || got["jason.min >= 5.9s"] != report.Regressed {
		t.Errorf("from pass to fail: %v", got)
	}
	c = compare.Compare(pair(failed, passed))
	if got := became(c); got["verdict"] != report.Improved || got["jason.min >= 5.9s"] != report.Improved {
		t.Errorf("from fail to pass: %v", got)
	}
	c = compare.Compare(pair(passed, left))
	if got := became(c); got["restored"] != report.Regressed {
		t.Errorf("what is left: %v", got)
	}
	if c.Count(report.Regressed) == 0 || !strings.Contains(strings.Join(c.Scenarios[0].Unlike, "\n"), "not the same mesh: istio, before embedded") {
		t.Errorf("of another mesh: %q", c.Scenarios[0].Unlike)
	}
}

// made is the record of a load under the rule, of so many requests a tenth of a second
// for ten seconds, whose times are drawn.
func made(seed uint64, each int, v2 float64, draw func(*rand.Rand) float64) *report.Record {
	random := rand.New(rand.NewPCG(seed, 0))
	result := &loadgen.Result{Elapsed: loadgen.Duration{Duration: 10 * time.Second}, Response: &loadgen.Histogram{}, Series: &loadgen.Series{Width: loadgen.Duration{Duration: 100 * time.Millisecond}}}
	answers := map[string]int64{}
	var counts []int64
	for range 100 {
		var slot loadgen.Histogram
		for range each {
			d := time.Duration(draw(random) * float64(time.Second))
			result.Response.Record(d)
			slot.Record(d)
			version := "v1"
			if random.Float64() < v2 {
				version = "v2"
			}
			answers[version]++
			result.Sent++
		}
		counts = append(counts, int64(each))
		quantile := func(q float64) *float64 { d, _ := slot.Quantile(q); s := d.Seconds(); return &s }
		result.Series.P50, result.Series.P99 = append(result.Series.P50, quantile(0.5)), append(result.Series.P99, quantile(0.99))
	}
	result.Series.Begun, result.Series.Ended = counts, []loadgen.SeriesOf{{Status: 200, Count: counts}}
	for version, n := range answers {
		result.Outcomes = append(result.Outcomes, loadgen.Outcome{Status: 200, Version: version, Count: n})
	}
	return &report.Record{Verdict: report.Pass, Restored: true, Scenario: report.Scenario{Name: "made"}, Windows: []report.Window{{Name: report.During, Loads: map[string]*loadgen.Result{"pages": result}}}}
}

// around draws times about a median, the farther apart the wider.
func around(median, wide float64) func(*rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return median * math.Exp(wide*r.NormFloat64()) }
}

// Of drawn records, in which requests are as independent as the tests' books have them:
// what compare is to find, and what not.
func TestWhatIsDrawnAlikeIsAlikeAndWhatIsNotIsFound(t *testing.T) {
	const pairs = 100
	for _, one := range []struct {
		name         string
		before, now  func(seed uint64) *report.Record
		of           string
		least, most  int // how many of the pairs are to regress
		improvements bool
	}{
		{"alike, of a service that is even", func(s uint64) *report.Record { return made(s, 10, 0.1, around(0.1, 0.03)) }, func(s uint64) *report.Record { return made(s, 10, 0.1, around(0.1, 0.03)) }, "", 0, 1, false},
		{"alike, of one that is not", func(s uint64) *report.Record { return made(s, 10, 0.1, around(0.01, 0.8)) }, func(s uint64) *report.Record { return made(s, 10, 0.1, around(0.01, 0.8)) }, "", 0, 1, false},
		{"90/10 to 80/20", func(s uint64) *report.Record { return made(s, 10, 0.1, around(0.1, 0.03)) }, func(s uint64) *report.Record { return made(s, 10, 0.2, around(0.1, 0.03)) }, "pages version v2, under the rule", 95, pairs, false},
		{"p50 plus 20 %, of a service that is even", func(s uint64) *report.Record { return made(s, 10, 0.1, around(0.1, 0.03)) }, func(s uint64) *report.Record { return made(s, 10, 0.1, around(0.12, 0.03)) }, "pages p50, under the rule", 95, pairs, false},
		{"p50 plus 20 %, of one that is less so", func(s uint64) *report.Record { return made(s, 10, 0.1, around(0.1, 0.2)) }, func(s uint64) *report.Record { return made(s, 10, 0.1, around(0.12, 0.2)) }, "pages p50, under the rule", 95, pairs, false},
		{"p50 plus 8 %, which does not matter", func(s uint64) *report.Record { return made(s, 10, 0.1, around(0.1, 0.03)) }, func(s uint64) *report.Record { return made(s, 10, 0.1, around(0.108, 0.03)) }, "", 0, 1, false},
		{"p50 less 20 %", func(s uint64) *report.Record { return made(s, 10, 0.1, around(0.12, 0.03)) }, func(s uint64) *report.Record { return made(s, 10, 0.1, around(0.096, 0.03)) }, "pages p50, under the rule", 95, pairs, true},
	} {
		found, regressed := 0, 0
		for i := range uint64(pairs) {
			c := compare.Compare(pair(one.before(2*i), one.now(2*i+1)))
			want := report.Regressed
			if one.improvements {
				want = report.Improved
			}
			if one.of != "" && became(c)[one.of] == want {
				found++
			}
			if c.Regressed {
				regressed++
			}
		}
		if one.of == "" {
			found = regressed
		}
		if found < one.least || found > one.most || one.improvements && regressed > 1 {
			t.Errorf("%s: %d of %d, want %d to %d; %d regressed", one.name, found, pairs, one.least, one.most, regressed)
		}
	}
}

// A run whose machine was busy for a part of it: single requests would say that the
// median has moved, by hundreds of them, and they are one stall.
func TestWhatHangsTogetherIsNoProof(t *testing.T) {
	even := made(1, 10, 0.1, around(0.1, 0.03))
	requests := 0
	stalled := made(2, 10, 0.1, func(r *rand.Rand) float64 {
		if requests++; requests > 400 {
			return 0.14 * math.Exp(0.05*r.NormFloat64())
		}
		return around(0.1, 0.03)(r)
	})
	if c := compare.Compare(pair(even, stalled)); c.Regressed {
		t.Errorf("%v", became(c))
	}
}

// A load of less than a second may have met one burst of a neighbour from its beginning to
// its end, fast requests and all.
func TestALoadOfLessThanASecondProvesNoMedian(t *testing.T) {
	in := func(elapsed time.Duration, median float64) *report.Record {
		r := made(1, 10, 0.1, around(median, 0.03))
		l := r.Windows[0].Loads["pages"]
		l.Elapsed.Duration = elapsed
		counts := []int64{400, 300, 300} // too few batches to tell by those
		l.Series.Begun, l.Series.P50, l.Series.P99 = counts, l.Series.P50[:3], l.Series.P99[:3]
		l.Series.Ended = []loadgen.SeriesOf{{Status: 200, Count: counts}}
		return r
	}
	for _, one := range []struct {
		elapsed time.Duration
		median  float64
		want    report.Became
	}{{300 * time.Millisecond, 0.2, report.Untested}, {300 * time.Millisecond, 0.05, report.Untested}, {300 * time.Millisecond, 0.1, report.Alike}, {3 * time.Second, 0.2, report.Regressed}} {
		c := compare.Compare(pair(in(one.elapsed, 0.1), in(one.elapsed, one.median)))
		at := slices.IndexFunc(c.Scenarios[0].Values, func(v report.Difference) bool { return v.Of == "p50" })
		got := c.Scenarios[0].Values[at]
		if untested := got.Became == report.Untested; got.Became != one.want || untested != (got.P == nil) || untested != (got.Remarks != "") {
			t.Errorf("in %v a median of %vs became %s, %q, p %v; want %s", one.elapsed, one.median, got.Became, got.Remarks, got.P, one.want)
		}
	}
}

func TestFailuresAreWorseUnlessAnExpectationSpeaksOfThem(t *testing.T) {
	failing := func(failed int64) *report.Record {
		r := made(3, 10, 0.1, around(0.1, 0.03))
		load := r.Windows[0].Loads["pages"]
		load.Outcomes = []loadgen.Outcome{{Status: 200, Count: load.Sent - failed}, {Status: 503, Count: failed}}
		return r
	}
	if got := became(compare.Compare(pair(failing(10), failing(100)))); got["pages status 503, under the rule"] != report.Regressed {
		t.Errorf("more: %v", got)
	}
	if got := became(compare.Compare(pair(failing(100), failing(10)))); got["pages status 503, under the rule"] != report.Improved {
		t.Errorf("fewer: %v", got)
	}
	before, now := failing(10), failing(100)
	for _, r := range []*report.Record{before, now} {
		r.Expectations = []report.Expectation{{Expression: "pages.status[503] > 0", Verdict: report.Pass}}
	}
	if c := compare.Compare(pair(before, now)); c.Regressed || became(c)["pages status 503, under the rule"] != report.Changed {
		t.Errorf("spoken of: %v", became(c))
	}
}

func TestAShareIsHeldAgainstWhatWasAskedBefore(t *testing.T) {
	share := func(expression, operator string, asked float64, count int64) *report.Record {
		r := &report.Record{Verdict: report.Pass, Restored: true, Scenario: report.Scenario{Name: "made"}}
		m := report.Measure{Unit: report.Share, Value: float64(count) / 1000, Part: &report.Part{Count: count, Total: 1000}}
		r.Expectations = []report.Expectation{{Expression: expression, Verdict: report.Pass, Observed: fmt.Sprint(m.Value), Values: []report.Measure{m}, Bounds: []report.Bound{{Operator: operator, Value: &asked}}}}
		return r
	}
	for _, one := range []struct {
		operator    string
		before, now int64
		want        report.Became
	}{
		{"<", 100, 200, report.Regressed}, {"<", 200, 100, report.Improved}, {">=", 100, 200, report.Improved}, {">=", 200, 100, report.Regressed},
		{"==", 100, 200, report.Regressed}, {"==", 200, 100, report.Improved}, {"!=", 100, 200, report.Changed}, {"<", 100, 110, ""},
	} {
		got := became(compare.Compare(pair(share("pages.share(x)", one.operator, 0.1, one.before), share("pages.share(x)", one.operator, 0.1, one.now))))
		if got["pages.share(x)"] != one.want {
			t.Errorf("%+v: %v", one, got)
		}
	}
}

// A share between two bounds may leave what was asked for by either.
func TestAShareIsHeldAgainstTheNearerOfTwoBounds(t *testing.T) {
	least, most := 0.1, 0.9
	share := func(count int64) *report.Record {
		r := &report.Record{Verdict: report.Pass, Restored: true, Scenario: report.Scenario{Name: "made"}}
		m := report.Measure{Unit: report.Share, Value: float64(count) / 1000, Part: &report.Part{Count: count, Total: 1000}}
		r.Expectations = []report.Expectation{{Expression: "10% < pages.share(x) <= 90%", Verdict: report.Pass, Observed: fmt.Sprint(m.Value), Values: []report.Measure{m}, Bounds: []report.Bound{{Operator: ">", Value: &least}, {Operator: "<=", Value: &most}}}}
		return r
	}
	for _, one := range []struct {
		before, now int64
		want        report.Became
	}{
		{600, 1000, report.Regressed}, {1000, 600, report.Improved}, {600, 50, report.Regressed}, {50, 600, report.Improved},
		{850, 500, report.Improved}, {150, 500, report.Improved}, {500, 850, report.Regressed}, {300, 700, report.Changed}, {0, 1000, report.Changed},
	} {
		c := compare.Compare(pair(share(one.before), share(one.now)))
		if got := became(c)["10% < pages.share(x) <= 90%"]; got != one.want || c.Regressed != (one.want == report.Regressed) {
			t.Errorf("from %d to %d of 1000 it became %q, want %q", one.before, one.now, got, one.want)
		}
	}
}

// A known bug is expected to be false: a pass with it is none of what it says.
func TestWhatBecomesAKnownBugHasRegressed(t *testing.T) {
	held := report.Expectation{Expression: "faults(a) == 10", Verdict: report.Pass, Observed: "10"}
	bug := report.Expectation{Expression: held.Expression, Verdict: report.Pass, Observed: "5", KnownBug: "SHOP-1", Reason: "false, as SHOP-1 says: it is 5"}
	come := report.Expectation{Expression: held.Expression, Verdict: report.Fail, Observed: "10", KnownBug: "SHOP-1", Reason: "it has come true"}
	for _, one := range []struct {
		before, now report.Expectation
		want        report.Became
	}{
		{held, bug, report.Regressed}, {bug, held, report.Improved}, {come, held, ""}, {bug, bug, ""}, {bug, come, report.Regressed},
	} {
		p := pair(made(1, 10, 0.1, around(0.1, 0.03)), made(1, 10, 0.1, around(0.1, 0.03)))
		p.Before.Record.Expectations, p.Now.Record.Expectations = []report.Expectation{one.before}, []report.Expectation{one.now}
		c := compare.Compare(p)
		if got := became(c)[held.Expression]; got != one.want || c.Regressed != (one.want == report.Regressed) {
			t.Errorf("from %+v to %+v it became %q, want %q", one.before, one.now, got, one.want)
		}
		if unlike := c.Scenarios[0].Unlike; (len(unlike) == 1) != (one.before.KnownBug != one.now.KnownBug) {
			t.Errorf("from %+v to %+v: %q", one.before, one.now, unlike)
		}
	}
}

// Who answers a load is held against what was asked of it, or of a service, and against
// nothing that was asked of another load.
func TestWhoAnswersIsNotHeldAgainstTheSplitOfAnotherLoad(t *testing.T) {
	split := func(of string, v2 float64) report.Expectation {
		return report.Expectation{Expression: "split(" + of + ").is(v2 == x)", Verdict: report.Pass, Bounds: []report.Bound{{Of: "v2", Operator: "==", Value: &v2}}}
	}
	for name, one := range map[string]struct {
		asked []report.Expectation
		want  report.Became
	}{
		"nothing is asked":            {nil, report.Regressed},
		"of a service":                {[]report.Expectation{split("reviews", 1)}, report.Improved},
		"of another load":             {[]report.Expectation{split("jason", 1)}, report.Regressed},
		"of the recovery":             {[]report.Expectation{split("recovery.pages", 1)}, report.Regressed},
		"of a service, then the load": {[]report.Expectation{split("reviews", 1), split("pages", 0)}, report.Regressed},
		"of the load, then a service": {[]report.Expectation{split("pages", 0), split("reviews", 1)}, report.Regressed},
	} {
		before, now := made(1, 10, 0.1, around(0.1, 0.03)), made(1, 10, 0.5, around(0.1, 0.03))
		for _, r := range []*report.Record{before, now} {
			r.Windows[0].Loads["jason"] = made(2, 10, 1, around(0.1, 0.03)).Windows[0].Loads["pages"]
		}
		before.Expectations = one.asked
		if got := became(compare.Compare(pair(before, now)))["pages version v2, under the rule"]; got != one.want {
			t.Errorf("%s: it became %q, want %q", name, got, one.want)
		}
	}
}

// A load whose answers have another status, and be it no failure, is not alike.
func TestAnotherSuccessIsAChange(t *testing.T) {
	before, now := made(1, 10, 0, around(0.1, 0.03)), made(1, 10, 0, around(0.1, 0.03))
	l := now.Windows[0].Loads["pages"]
	l.Outcomes[0].Status, l.Series.Ended[0].Status = 204, 204
	if got := became(compare.Compare(pair(before, now)))["pages status 204, under the rule"]; got != report.Changed {
		t.Errorf("it became %q", got)
	}
}

func TestOtherFilesAndAnotherClusterAreSaid(t *testing.T) {
	before, now := records.Read(t, "canary-reviews"), records.Read(t, "canary-reviews")
	before.Scenario.Files = map[string]string{"a.yaml": "a", "b.yaml": "b", "c.yaml": "c"}
	now.Scenario.Files = map[string]string{"a.yaml": "a", "b.yaml": "B", "d.yaml": "d"}
	before.Mesh.Server, now.Mesh.Server = "one:6443", "two:6443"
	want := []string{"not the same file of rules: b.yaml", "not the same file of rules: c.yaml", "not the same file of rules: d.yaml", "not the same cluster: two:6443, before one:6443"}
	for name, old := range map[string]*report.Record{"whole": before, "kept": report.EarlierOf(before, "").Record()} {
		if got := compare.Compare(pair(old, now)).Scenarios[0].Unlike; !slices.Equal(got, want) {
			t.Errorf("%s: it says %q", name, got)
		}
	}
	if before.Scenario.Files["a.yaml"] != "a" {
		t.Error("the record itself has digests")
	}
}

func TestTheRunsAreSaidToBeUnlike(t *testing.T) {
	before, now := records.Read(t, "canary-reviews"), records.Read(t, "canary-reviews")
	now.Scenario.Digest, now.Scenario.Set = "sha256:0123456789abcdef", []string{"a=b"}
	now.Tool.Version = "v9"
	now.Asked[0].Plan.Connections = 7
	now.Expectations[0].Expression = "another"
	said := strings.Join(compare.Compare(pair(before, now)).Scenarios[0].Unlike, "\n")
	for _, want := range []string{"not the same scenario text: 0123456789ab, before", "not the same --set: a=b, before none", "not the same meshchaos: v9", "load all-v1 pages: not the same was asked for: 7 connections", "expected now, and not before: all-v1 another"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
}

func TestALoadThatWasAskedForOtherwiseIsSaidInWhat(t *testing.T) {
	asked := func(change func(*loadgen.Plan)) *report.Record {
		r := made(1, 10, 0.1, around(0.1, 0.03))
		plan := loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: "http://a/", Header: map[string]string{"end-user": "jason"}}, Connections: 5, Requests: 5}
		change(&plan)
		r.Asked = []report.Asked{{Cohort: "pages", From: "here", Plan: plan}}
		return r
	}
	alike := func(*loadgen.Plan) {}
	for _, one := range []struct {
		change func(*loadgen.Plan)
		want   string // empty: nothing
	}{
		{alike, ""},
		{func(p *loadgen.Plan) { p.Checks = []loadgen.Check{} }, ""}, // which a record that was read does not have
		{func(p *loadgen.Plan) { p.HTTP.URL = "http://b/" }, "http.url http://b/, before http://a/"},
		{func(p *loadgen.Plan) { p.HTTP.Header = nil }, "http.header.end-user none, before jason"},
		{func(p *loadgen.Plan) { p.HTTP.Header["end-user"] = "jane" }, "http.header.end-user jane, before jason"},
		{func(p *loadgen.Plan) { p.Checks = []loadgen.Check{{Name: "stars", Body: "glyphicon"}} }, "checks[0].body glyphicon, before none; checks[0].name stars, before none"},
		{func(p *loadgen.Plan) { p.Requests, p.Warmup = 6, 3 }, "5 connections, 6 requests, before 5 connections, 5 requests; warmup 3, before none"},
		{func(p *loadgen.Plan) { p.QPS = 20 }, "5 connections, 5 requests, 20 qps, before 5 connections, 5 requests"},
		{func(p *loadgen.Plan) { p.HTTP.Body = strings.Repeat("é", 1000) }, "http.body " + strings.Repeat("é", 100) + "…, before none"},
	} {
		said := compare.Compare(pair(asked(alike), asked(one.change))).Scenarios[0].Unlike
		if one.want == "" && len(said) == 0 || len(said) == 1 && said[0] == "load pages: not the same was asked for: "+one.want {
			continue
		}
		t.Errorf("it says %q, want %q", said, one.want)
	}
	qps := func(qps float64) *report.Record { return asked(func(p *loadgen.Plan) { p.QPS = qps }) }
	said := compare.Compare(pair(qps(100.01), qps(100.02))).Scenarios[0].Unlike // which reads alike, rounded
	if len(said) != 1 || said[0] != "load pages: not the same was asked for: qps 100.02, before 100.01" {
		t.Errorf("it says %q", said)
	}
}

// What is masked in one run was a secret in the other too, whose scenario may not have said so.
func TestWhatIsMaskedInOneRunIsShownOfNone(t *testing.T) {
	with := func(value string) *report.Record {
		r := made(1, 10, 0.1, around(0.1, 0.03))
		r.Asked = []report.Asked{{Cohort: "pages", Plan: loadgen.Plan{HTTP: &loadgen.HTTP{Header: map[string]string{"x-key": value}}}}}
		r.Scenario.Params, r.Scenario.Set = map[string]string{"key": value}, []string{"params.key=" + value, "load.pages.headers.x-key=" + value}
		return r
	}
	for _, of := range [][2]string{{"sesame-7", report.Mask}, {report.Mask, "sesame-7"}} {
		said := strings.Join(compare.Compare(pair(with(of[0]), with(of[1]))).Scenarios[0].Unlike, "\n")
		if strings.Contains(said, "sesame-7") || strings.Count(said, "another, which is not shown") != 4 {
			t.Errorf("of %s it says\n%s", of, said)
		}
	}
}

func TestEachFaceShowsWhatHasChangedAndActsOnNothing(t *testing.T) {
	passed, failed := records.Read(t, "delay-jason"), records.Read(t, "failing")
	failed.Expectations[0].Observed = "<script>alert(1)</script>|`x`\x1b[31m\n# no"
	c := compare.Compare(pair(passed, failed))
	for name, write := range map[string]func(*bytes.Buffer) error{
		"text":     func(b *bytes.Buffer) error { return compare.Text(b, c, true) },
		"markdown": func(b *bytes.Buffer) error { return markdown.Compared(b, c) },
		"html":     func(b *bytes.Buffer) error { return compare.HTML(b, c) },
	} {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		if !strings.Contains(strings.ToLower(text), "regressed") || !strings.Contains(text, "jason") {
			t.Errorf("%s:\n%s", name, text)
		}
		if strings.Contains(text, "\x1b") || strings.Contains(text, "\n# no") || name != "text" && strings.Contains(text, "<script>") || name == "markdown" && strings.Contains(text, "|`x`") {
			t.Errorf("%s acts:\n%s", name, text)
		}
	}
}

func TestWhatIsKeptOfAnEarlierRunIsComparedAsTheRunItself(t *testing.T) {
	before, now := records.Read(t, "delay-jason"), records.Read(t, "failing")
	whole := compare.Compare(pair(before, now))
	kept := compare.Compare(compare.Pair{Before: compare.Run{File: "old/report.json", Record: report.EarlierOf(before, "").Record()}, Now: compare.Run{File: "new/report.json", Record: now}})
	if fmt.Sprintf("%+v", became(whole)) != fmt.Sprintf("%+v", became(kept)) || whole.Tests != kept.Tests {
		t.Errorf("%v\n%v", became(whole), became(kept))
	}
}

// What is not compared is said, and that a load is no more carried out is worse; of a run
// that does not say what it has not seen, nobody is told that it is alike.
func TestALoadThatIsNotComparedIsNotPassedOver(t *testing.T) {
	for name, one := range map[string]struct {
		before, now func(*report.Record) // what is otherwise in them
		became      report.Became        // of the load; empty: it is no value
		says        string
	}{
		"a cohort that is gone":        {nil, func(r *report.Record) { delete(r.Windows[0].Loads, "pages") }, report.Regressed, "under the rule: pages is not compared: now no such load"},
		"a cohort that is null":        {nil, func(r *report.Record) { r.Windows[0].Loads["pages"] = nil }, report.Regressed, "under the rule: pages is not compared: now no such load"},
		"a window that is gone":        {nil, func(r *report.Record) { r.Windows = nil }, report.Regressed, "under the rule: it was driven before, and not now"},
		"a load that failed":           {nil, failed, report.Regressed, "under the rule: pages is not compared: now it could not be carried out: no token"},
		"one that sent nothing":        {nil, func(r *report.Record) { r.Windows[0].Loads["pages"] = &loadgen.Result{} }, report.Regressed, "under the rule: pages is not compared: now no request was sent"},
		"one that was cut off":         {nil, func(r *report.Record) { r.Windows[0].Cut = "interrupted" }, report.Regressed, "under the rule: the load was cut off, and is not compared"},
		"one that had failed":          {failed, nil, report.Improved, "under the rule: pages is not compared: before it could not be carried out: no token"},
		"one that failed in both":      {failed, failed, "", "under the rule: pages is not compared: now it could not be carried out: no token; before it could not be carried out: no token"},
		"a cohort that is new":         {func(r *report.Record) { delete(r.Windows[0].Loads, "pages") }, nil, "", "under the rule: pages is not compared: before no such load"},
		"a window that is new":         {func(r *report.Record) { r.Windows = nil }, nil, "", "under the rule: it was not driven before"},
		"one that failed, and is gone": {failed, func(r *report.Record) { r.Windows = nil }, "", "under the rule: it was driven before, and not now"},
	} {
		before, now := made(1, 10, 0.1, around(0.1, 0.03)), made(1, 10, 0.1, around(0.1, 0.03))
		for r, change := range map[*report.Record]func(*report.Record){before: one.before, now: one.now} {
			if change != nil {
				change(r)
			}
		}
		c := compare.Compare(pair(before, now))
		if got := became(c)["pages load, under the rule"]; got != one.became || c.Regressed != (one.became == report.Regressed) {
			t.Errorf("%s: it became %q, regressed %v, want %q", name, got, c.Regressed, one.became)
		}
		if !slices.Contains(c.Scenarios[0].Unlike, one.says) || len(c.Scenarios[0].Unlike) != 1 {
			t.Errorf("%s: it says %q, want %q", name, c.Scenarios[0].Unlike, one.says)
		}
		if heading := compare.Heading(c.Scenarios[0]); strings.HasPrefix(heading, "made: alike") {
			t.Errorf("%s: %s", name, heading)
		}
	}
}

// failed makes the load of a record one that was not carried out.
func failed(r *report.Record) {
	r.Windows[0].Loads["pages"] = &loadgen.Result{Failure: "no token"}
}

// bursts has a record fail by bursts, each so many requests one behind the other.
func bursts(seed uint64, each ...int64) *report.Record {
	r := made(seed, 10, 0.1, around(0.1, 0.03))
	load := r.Windows[0].Loads["pages"]
	random := rand.New(rand.NewPCG(seed, 1))
	fine, bad := slices.Repeat([]int64{10}, 100), make([]int64, 100)
	failed := int64(0)
	for _, size := range each {
		for slot := random.IntN(80); size > 0 && slot < 100; slot++ {
			n := min(size, fine[slot])
			fine[slot], bad[slot], size, failed = fine[slot]-n, bad[slot]+n, size-n, failed+n
		}
	}
	load.Series.Ended = []loadgen.SeriesOf{{Status: 200, Count: fine}, {Status: 503, Count: bad}}
	load.Outcomes = []loadgen.Outcome{{Status: 200, Count: load.Sent - failed}, {Status: 503, Count: failed}}
	return r
}

// expectShare has a record observe the share of its failures by an expectation, which holds.
func expectShare(r *report.Record, expression string) {
	load, limit := r.Windows[0].Loads["pages"], 0.5
	failed := load.Count(loadgen.Outcome.Failed)
	m := report.Measure{Unit: report.Share, Value: float64(failed) / float64(load.Sent), Part: &report.Part{Count: failed, Total: load.Sent}}
	r.Expectations = []report.Expectation{{Expression: expression, Verdict: report.Pass, Values: []report.Measure{m}, Bounds: []report.Bound{{Operator: "<", Value: &limit}}}}
}

// A burst of a tenth of all requests is found where there was none, or one that strayed;
// what comes and goes in bursts in both runs is not.
func TestABurstIsFoundAndWhatAlwaysBurstsIsNot(t *testing.T) {
	const pairs = 100
	of := func(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) } // its own, of each record
	noisy := func(seed uint64) *report.Record {
		random := of(seed)
		var each []int64
		for range 1 + random.IntN(4) {
			each = append(each, 5+random.Int64N(40))
		}
		return bursts(seed, each...)
	}
	strayed := func(seed uint64) *report.Record { return bursts(seed, of(seed).Int64N(45)) }
	for name, one := range map[string]struct {
		before, now func(uint64) *report.Record
		least, most int
	}{
		"one of a tenth, and none":      {func(s uint64) *report.Record { return bursts(s) }, func(s uint64) *report.Record { return bursts(s, 100) }, 95, pairs},
		"one of a tenth, and one stray": {func(s uint64) *report.Record { return bursts(s, 1) }, func(s uint64) *report.Record { return bursts(s, 100) }, 95, pairs},
		"small ones now and then":       {strayed, strayed, 0, 1},
		"up to four in each":            {noisy, noisy, 0, 1},
	} {
		for _, value := range []string{"pages status 503, under the rule", "pages.share(503) < 50%"} {
			found := 0
			for i := range uint64(pairs) {
				before, now := one.before(2*i), one.now(2*i+1)
				if strings.HasPrefix(value, "pages.") {
					expectShare(before, value)
					expectShare(now, value)
				}
				if became(compare.Compare(pair(before, now)))[value] == report.Regressed {
					found++
				}
			}
			t.Logf("%s, %s: %d of %d", name, value, found, pairs)
			if found < one.least || found > one.most {
				t.Errorf("%s, %s: %d of %d, want %d to %d", name, value, found, pairs, one.least, one.most)
			}
		}
	}
}

// An expectation that is not asked for any more is told of once. One that held is worse
// unless the later run shows that it holds still.
func TestAnExpectationThatIsNotAskedForAnyMoreIsTold(t *testing.T) {
	const asked, nobody = "pages.p99 < 1s", report.Verdict("")
	for _, one := range []struct {
		was, holds report.Verdict // holds: by what was observed now
		want       report.Became
	}{
		{report.Pass, report.Pass, report.Changed}, {report.Pass, report.Fail, report.Regressed},
		{report.Pass, report.Inconclusive, report.Regressed}, {report.Pass, nobody, report.Regressed},
		{report.Fail, report.Fail, report.Changed}, {report.Fail, report.Pass, report.Changed}, {report.Inconclusive, nobody, report.Changed},
	} {
		p := pair(made(1, 10, 0.1, around(0.1, 0.03)), made(1, 10, 0.1, around(0.1, 0.03)))
		p.Before.Record.Expectations = []report.Expectation{{Expression: asked, Verdict: one.was, Observed: "120ms"}}
		p.Now.Record.Expectations = []report.Expectation{{Expression: "pages.p99 < 2s", Verdict: report.Pass, Observed: "140ms"}}
		p.Now.Judge = func(e report.Expectation) (report.Expectation, bool) {
			return report.Expectation{Expression: e.Expression, Verdict: one.holds, Observed: "140ms"}, one.holds != nobody
		}
		c := compare.Compare(p)
		if got := became(c)[asked]; got != one.want || c.Regressed != (one.want == report.Regressed) {
			t.Errorf("it was %s, and would be %q: it became %q, want %q", one.was, one.holds, got, one.want)
		}
		var text strings.Builder
		if err := compare.Text(&text, c, false); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(text.String(), asked); n != 1 || !strings.Contains(text.String(), "expected now, and not before: pages.p99 < 2s") {
			t.Errorf("it stands there %d times:\n%s", n, &text)
		}
		words := map[report.Verdict]string{report.Pass: "it was a pass,", report.Fail: "it was a fail,", report.Inconclusive: "it was inconclusive,"}
		if want := words[one.was]; !strings.Contains(text.String(), want) {
			t.Errorf("it has no %q:\n%s", want, &text)
		}
	}
}

// A service that ends each request in another way, as each another version that shows
// another check, keeps nobody from comparing.
func TestTenThousandKindsAreComparedAtOnce(t *testing.T) {
	const kinds = 10_000
	strange := func(from int) *report.Record {
		load := &loadgen.Result{Sent: 2 * kinds, Response: &loadgen.Histogram{}, Series: &loadgen.Series{Begun: make([]int64, 300)}}
		for i := range kinds {
			count := make([]int64, 300)
			count[i%300] = 1
			name := fmt.Sprint(from + i)
			load.Series.Ended = append(load.Series.Ended, loadgen.SeriesOf{Error: name, Count: count})
			load.Outcomes = append(load.Outcomes, loadgen.Outcome{Error: name, Count: 1}, loadgen.Outcome{Status: 200, Version: name, Checks: []string{name}, Count: 1})
		}
		r := made(1, 10, 0.1, around(0.1, 0.03))
		r.Windows[0].Loads["pages"] = load
		return r
	}
	before, now := strange(0), strange(kinds/2)
	began := time.Now()
	c := compare.Compare(pair(before, now))
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
	if got := len(c.Scenarios[0].Values); got < 3*kinds*3/2 {
		t.Errorf("it compares %d values", got)
	}
}

// A count that differs is no more alike than it is tested.
func TestWhatDiffersAndIsNotTestedIsNotCalledAlike(t *testing.T) {
	for _, one := range []struct {
		now     string
		want    report.Became
		heading string
	}{{"5", report.Alike, "made: alike"}, {"6", report.Untested, "made: nothing that was tested has changed"}} {
		p := pair(made(1, 10, 0.1, around(0.1, 0.03)), made(1, 10, 0.1, around(0.1, 0.03)))
		p.Before.Record.Expectations = []report.Expectation{{Expression: "faults(ratings) > 0", Verdict: report.Pass, Observed: "5"}}
		p.Now.Record.Expectations = []report.Expectation{{Expression: "faults(ratings) > 0", Verdict: report.Pass, Observed: one.now}}
		c := compare.Compare(p)
		at := slices.IndexFunc(c.Scenarios[0].Values, func(v report.Difference) bool { return v.Of == "faults(ratings) > 0" })
		if got := c.Scenarios[0].Values[at].Became; got != one.want || c.Regressed || len(became(c)) > 0 {
			t.Errorf("%s: it became %s, want %s; %v", one.now, got, one.want, became(c))
		}
		if got := compare.Heading(c.Scenarios[0]); got != one.heading {
			t.Errorf("%s: it is headed %q, want %q", one.now, got, one.heading)
		}
	}
}
