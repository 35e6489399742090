package check

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// beside compiles lines that stand beside a sentence.
func beside(t *testing.T, lines ...string) []*Expectation {
	t.Helper()
	var all []*Expectation
	for _, line := range lines {
		all = append(all, mustCompile(t, line))
	}
	return all
}

func TestASentenceIsFilledWithWhatWasObserved(t *testing.T) {
	lines := beside(t, "5.9s <= jason.p50 <= 6.6s", `jason.share("reviews-lost") == 100%`, "overflows(httpbin) == client.status[503]",
		"split(reviews).is(v1 == 90%, v2 == 10%)", "split(others).is(v1 == 100%)", "baseline.jason.max < 1s")
	for text, want := range map[string]string{
		"The page takes {jason.p50}.":                                         "The page takes 6.02s.",
		` {jason.count("reviews-lost")} of { jason.sent } do `:                "5 of 5 do",
		`{jason.share('reviews-lost')} {{jason.sent}} }}{{`:                   "100% {jason.sent} }{",
		"{client.share(503)} of {client.sent} were turned away":               "12% of 100 were turned away",
		"{overflows(httpbin)}, {overflows(httpbin)/client.sent}":              "12, 12%",
		"{requests(reviews, v2)} of {requests(reviews)} to v2":                "90 of 1000 to v2",
		"{others.answered(v1)} pages":                                         "40 pages",
		"{jason.p50 - baseline.jason.max} more, {baseline.jason.sent} before": "5.92s more, 5 before",
	} {
		s, err := ReadSentence(shop(), text, lines, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, _, missing := s.Tell(observed()); got != want || missing != "" {
			t.Errorf("%s: told %q, want %q; missing %q", text, got, want, missing)
		}
	}
}

func TestASentenceHasItsAmounts(t *testing.T) {
	s, err := ReadSentence(shop(), "{jason.p50}, {client.share(503)}, {overflows(httpbin)}", beside(t, "jason.p50 < 7s", "overflows(httpbin) == client.status[503]"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, got, _ := s.Tell(observed())
	want := []report.Amount{
		{Expression: "jason.p50", Words: "6.02s", Measure: report.Measure{Value: 6.02, Unit: report.Seconds}, Samples: 5, Source: clients},
		{Expression: "client.share(503)", Words: "12%", Measure: report.Measure{Value: 0.12, Unit: report.Share, Part: partOf(12, 100)}, Samples: 100, Source: clients},
		{Expression: "overflows(httpbin)", Words: "12", Measure: report.Measure{Value: 12, Unit: report.Number}, Samples: 155, Source: "envoy counters"},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b float64) bool { return a-b < 0.01 && b-a < 0.01 })); diff != "" {
		t.Errorf("the amounts are otherwise (-want +got):\n%s", diff)
	}
}

// TestAnAmountReadsOnItsSideOfALimit: three digits would have it read like a limit that
// it keeps to, or like nothing, or all.
func TestAnAmountReadsOnItsSideOfALimit(t *testing.T) {
	slow := func(response time.Duration, outcomes ...loadgen.Outcome) Windows {
		return Windows{
			During:   &report.Window{Loads: map[string]*loadgen.Result{"jason": load(outcomes, response/2)}},
			Baseline: &report.Window{Loads: map[string]*loadgen.Result{"jason": load(outcomes, 3*time.Second)}},
		}
	}
	ok := loadgen.Outcome{Status: 200, Count: 5}
	for _, c := range []struct {
		text, line string
		w          Windows
		want       string
	}{
		{"{jason.max}", "jason.p50 < 6s && jason.max < 10s", slow(5998*time.Millisecond, ok), "6s"},
		{"{jason.p50}", "jason.p50 < 6s", slow(5998*time.Millisecond, ok), "5.998s"},
		{"{jason.p50}", "6s >= jason.p50", slow(5998*time.Millisecond, ok), "5.998s"},
		{"{jason.p50}", "1s < jason.p50 <= 6s", slow(5998*time.Millisecond, ok), "5.998s"},
		{"{jason.p50}", "2 * jason.p50 + 1s < 13s", slow(5998*time.Millisecond, ok), "5.998s"},
		{"{jason.p50}", "!(jason.p50 >= 6s) || jason.errors > 1", slow(5998*time.Millisecond, ok), "5.998s"},
		{"{jason.max}", "jason.max != baseline.jason.max", slow(5998*time.Millisecond, ok), "5.998s"},
		{"{jason.max}", "baseline.jason.max != jason.max", slow(5998*time.Millisecond, ok), "5.998s"},
		{"{jason.share(200)}", "jason.status[200] > 1 && jason.status[503] < 5", slow(time.Second, loadgen.Outcome{Status: 200, Count: 9999}, loadgen.Outcome{Status: 503, Count: 1}), "99.99%"},
		{"{jason.share(503)}", "jason.status[200] > 1 && jason.status[503] < 5", slow(time.Second, loadgen.Outcome{Status: 200, Count: 999999}, loadgen.Outcome{Status: 503, Count: 1}), "0.0001%"},
		{"{jason.status[503] / 7000000 * 1}", "jason.status[503] < 5", slow(time.Second, ok, loadgen.Outcome{Status: 503, Count: 1}), "0.0000001"},
	} {
		s, err := ReadSentence(shop(), c.text, beside(t, c.line), nil)
		if err != nil {
			t.Errorf("%s beside %s: %v", c.text, c.line, err)
			continue
		}
		if got, _, missing := s.Tell(c.w); got != c.want || missing != "" {
			t.Errorf("%s beside %s: told %q, want %q; missing %q", c.text, c.line, got, c.want, missing)
		}
	}
}

func TestOfWhatIsLeftOutIsSaidWhatIsMissing(t *testing.T) {
	least := observed()
	least.During.Quantities = append(least.During.Quantities, report.Quantity{Function: "ejections", Args: []string{"httpbin"}, Value: new(int64(3)), AtLeast: true})
	mixed := observed()
	mixed.During.Loads["jason"].Outcomes[0].Version = loadgen.Mixed
	empty := observed()
	empty.During.Loads["jason"] = load([]loadgen.Outcome{{Error: "timeout", Count: 5}}, time.Second)
	for _, c := range []struct {
		text, line string
		w          Windows
		missing    string
	}{
		{"{jason.p50}", "jason.p50 < 7s", Windows{}, "jason.p50: there was no during window"},
		{"{jason.p50}", "jason.p50 < 7s", empty, "jason.p50: jason in the load under the rule: 5 of 5 requests had no answer, and so no response time"},
		{"{baseline.others.sent} {faults(reviews)}", "faults(reviews) == 1 && baseline.others.max < 1s", observed(), "baseline.others.sent: others has no result in the baseline"},
		{"{faults(reviews)}", "faults(reviews) == 1", observed(), "faults(reviews): faults(reviews) is not known: the proxies drop this counter; annotate them"},
		{"{client.status[503] / client.status[404]}", "client.status[503] > client.status[404]", observed(), "client.status[503] / client.status[404]: it divides by 0"},
		{"{2 * ejections(httpbin)}", "ejections(httpbin) > 1", least, "2 * ejections(httpbin): ejections(httpbin) is 3 at least, and how many more is not known: no source has all of it"},
		{"{jason.answered(v1)}", "jason.answered(v1) > 1", mixed, "jason.answered(v1): jason in the load under the rule: 3 of 5 answers showed several versions, and nobody can say which of them answered; write for each of the versions a text that only its answers have"},
	} {
		s, err := ReadSentence(shop(), c.text, beside(t, c.line), nil)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if text, amounts, missing := s.Tell(c.w); text != "" || amounts != nil || missing != c.missing {
			t.Errorf("%s: told %q with %v, missing %q, want %q", c.text, text, amounts, missing, c.missing)
		}
	}
	s, err := ReadSentence(shop(), "{ejections(httpbin)} were ejected", beside(t, "ejections(httpbin) > 1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, _, missing := s.Tell(least); text != "at least 3 were ejected" {
		t.Errorf("told %q, missing %q", text, missing)
	}
}

func TestWhatIsWrongInASentenceStandsAtItsPlace(t *testing.T) {
	lines := beside(t, "jason.p50 < 7s", "jason.status[200] == jason.sent", "overflows(httpbin) == 12")
	elsewhere := beside(t, "others.p50 < 1s", "baseline.others.p50 < 1s", "requests(reviews) > 3")
	for _, c := range []struct {
		text string
		at   int
		want string
	}{
		{"", 0, "the conclusion is empty; write what a pass shows, with what was observed in braces, as in {jason.p50}"},
		{" ", 0, "the conclusion is empty; write what a pass shows, with what was observed in braces, as in {jason.p50}"},
		{"All is well.", 0, "the conclusion names nothing that was observed; write an amount in braces, as in {jason.p50}; what needs none is the summary"},
		{"a\nb {jason.p50}", 0, "the conclusion has several lines, or a control character; fold it into one line, by >-"},
		{"a\x1b[2J {jason.p50}", 0, "the conclusion has several lines, or a control character; fold it into one line, by >-"},
		{"It takes {jason.p50", 9, "this brace is not closed; write } behind the amount, or {{ for a brace"},
		{"It takes jason.p50}", 18, "this brace closes none; write { before the amount, or }} for a brace"},
		{"It takes {jason.{p50}}", 16, "a brace opens within another; close the first one behind its amount, by }"},
		{`It takes {jason.share("stars)}`, 9, `a quote is not closed behind this brace; write " after the name, and } behind the amount`},
		{"It takes {}", 10, "the amount is empty; write what was observed, as in {jason.p50}"},
		{"It takes {jason.p50 + }", 22, "the amount ends too early; write what was observed, as in {jason.p50}"},
		{"It takes {jsaon.p50}", 10, `unknown load "jsaon"; did you mean jason?`},
		{"It takes {jason.p5O}", 16, `unknown quantity of a load "p5O"; did you mean p50?`},
		{"It takes {jason}", 10, "jason is a load, not a quantity; write jason.p50, jason.sent or the like"},
		{"It takes {7s}", 10, `"7s" is not observed; write it without the braces`},
		{"It takes {jason.p50 < 7s}", 10, `"jason.p50 < 7s" is true or false, not an amount; write what was observed alone, as in {jason.p50}`},
		{"It takes {split(reviews).is(v1 == 100%)}", 10, `"split(reviews).is(v1 == 100%)" is true or false, not an amount; write what was observed alone, as in {jason.p50}`},
		{"It takes {jason.p50} or {jason.p99}", 25, "no expectation is about jason.p99, so that a pass says nothing of it; write one, or leave it out"},
		{"It takes {jason.service.p50}", 10, "no expectation is about jason.service.p50, so that a pass says nothing of it; write one, or leave it out"},
		{"It takes {baseline.jason.p50}", 10, "no expectation is about baseline.jason.p50, so that a pass says nothing of it; write one, or leave it out"},
		{"There are {others.sent}", 11, "no expectation is about others, so that a pass says nothing of it; write one, or leave it out"},
		{"There are {jason.status[503] + jason.status[200]}", 11, "no expectation is about jason.status[503], so that a pass says nothing of it; write one, or leave it out"},
		{"There are {requests(httpbin)}", 11, "no expectation is about requests(httpbin), so that a pass says nothing of it; write one, or leave it out"},
		{"There are {requests(reviews)}", 11, "no expectation is about requests(reviews), so that a pass says nothing of it; write one, or leave it out"},
	} {
		_, err := ReadSentence(shop(), c.text, lines, elsewhere)
		var wrong *Error
		if !errors.As(err, &wrong) || wrong.Offset != c.at || wrong.Error() != c.want {
			t.Errorf("%q: %v, want at %d: %s", c.text, wrong, c.at, c.want)
			if wrong != nil {
				t.Errorf("it stands at %d", wrong.Offset)
			}
		}
	}
	if _, err := ReadSentence(shop(), "Before, it took {baseline.others.p50} of {baseline.others.sent}.", lines, elsewhere); err != nil {
		t.Errorf("the baseline is that of all steps: %v", err)
	}
}

// FuzzSentence establishes that no text makes the compiler or the teller panic, that an
// error points into the text, and that nothing is told without evidence.
func FuzzSentence(f *testing.F) {
	for _, text := range []string{"It takes {jason.p50}.", "{{}} {jason.sent", `{jason.share("reviews-lost")} }`, "{overflows(httpbin) / client.sent} {1}", "{'}{"} {
		f.Add(text)
	}
	var lines []*Expectation
	for _, line := range []string{"jason.p50 < 7s", `jason.share("reviews-lost") == 100%`, "overflows(httpbin) == client.status[503]"} {
		e, err := Compile(shop(), line)
		if err != nil {
			f.Fatal(err)
		}
		lines = append(lines, e)
	}
	scope, full := shop(), observed()
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ReadSentence(scope, text, lines, nil)
		if err != nil {
			var wrong *Error
			if !errors.As(err, &wrong) || wrong.Offset < 0 || wrong.Offset > len(text) || wrong.Message == "" {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		if told, _, missing := s.Tell(full); (told == "") == (missing == "") {
			t.Fatalf("%q: told %q, missing %q", text, told, missing)
		}
		if told, _, missing := s.Tell(Windows{}); told != "" || missing == "" {
			t.Fatalf("%q is told without evidence: %q", text, told)
		}
	})
}
