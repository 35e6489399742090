package check

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// A percentile is one of a bucket of times that are not told apart. What lies within that
// is neither above nor below, and what is printed must not say so.
func TestAPercentileIsHeldAgainstALimitByBothEndsOfItsBucket(t *testing.T) {
	ok := []loadgen.Outcome{{Status: 200, Count: 3}}
	times := func(middle time.Duration) *loadgen.Result { // whose p50 is twice the middle
		return load(ok, time.Millisecond, middle, time.Minute/2)
	}
	for line, want := range map[string]struct {
		verdict  report.Verdict
		observed string
	}{
		"jason.p50 >= 5.9s":                           {report.Inconclusive, "5.898s to 5.902s"}, // it is 5.8985s
		"jason.p50 < 5.9s":                            {report.Inconclusive, "5.898s to 5.902s"},
		"5.9s <= jason.p50 <= 6s":                     {report.Inconclusive, "5.898s to 5.902s"},
		"5.9s <= jason.p50 <= 5.8s + 0ms":             {report.Fail, "5.902s"}, // above the one for certain
		"!(jason.p50 > 5.9s)":                         {report.Inconclusive, "5.898s to 5.902s"},
		"jason.p50 >= 5.89s":                          {report.Pass, "5.9s"},
		"jason.p50 >= 5.91s":                          {report.Fail, "5.9s"},
		"jason.p50 <= 5.903s":                         {report.Pass, "5.902s"},
		"jason.service.p50 > 2.95s":                   {report.Inconclusive, "2.949s to 2.951s"},
		"2 * jason.p50 - 1s >= 10.8s":                 {report.Inconclusive, "10.796s to 10.805s"},
		"jason.p50 / client.sent >= 59ms":             {report.Inconclusive, "58.98ms to 59.02ms"},
		"jason.p50 > others.p50":                      {report.Inconclusive, "5.898s to 5.902s"}, // 5.8985s and 5.8995s
		"jason.p50 >= 50% * others.p50":               {report.Pass, "5.9s"},
		"jason.p50 / (jason.p50 - others.p50) > 300%": {report.Inconclusive, ""},                   // of 0, or of anything
		"jason.mean >= 21.967s":                       {report.Inconclusive, "21.966s to 21.972s"}, // it is the middle of these
		"jason.min >= 2ms":                            {report.Pass, "2ms"},
		"jason.max <= 60s":                            {report.Pass, "1m0s"},
	} {
		w := observed()
		w.During.Loads["jason"], w.During.Loads["others"] = times(5898500*time.Microsecond/2), times(5899500*time.Microsecond/2)
		e, err := Read(shop(), line)
		if err != nil {
			t.Fatal(err)
		}
		got := e.Judge(w)[0]
		if got.Verdict != want.verdict || got.Observed != want.observed {
			t.Errorf("%s: %s, observed %q, %s; want %s, %q", line, got.Verdict, got.Observed, got.Reason, want.verdict, want.observed)
		}
		if among := "as far as a histogram tells"; want.verdict == report.Inconclusive && want.observed != "" && !strings.Contains(got.Reason, among) {
			t.Errorf("%s: %s", line, got.Reason)
		}
	}
}

// Nobody could tell whether it is so: as a claim it would never fail, and as a known bug
// never be mended.
func TestWhatIsRoundedIsNotAskedToBeExactly(t *testing.T) {
	for _, line := range []string{
		"jason.p50 == 5.9s", "jason.p50 != 5.9s", "5.9s == jason.p50", "jason.mean != 1s", "jason.service.p99 == others.max",
		"2 * jason.p50 - 1s == 10s", "-jason.p50 != -1s", "jason.p50 / others.p50 == 100%", "!(jason.p50 == 1s)", "jason.sent > 1 || jason.p50 != 1s",
	} {
		if _, err := Read(shop(), line); err == nil || !strings.Contains(err.Error(), "is known to three figures only") {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, line := range []string{"jason.min == 5.9s", "jason.max != others.max", "jason.sent == 5"} {
		if _, err := Read(shop(), line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// Whatever two quantities are within their ends, what is reckoned of them is within its own.
func TestWhatIsReckonedLiesBetweenItsEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (value, *big.Rat) {
			low := rapid.Int64Range(-20, 20).Draw(t, name)
			wide := rapid.Int64Range(0, 5).Draw(t, name+" wide")
			is := ratOf(low + rapid.Int64Range(0, wide).Draw(t, name+" is"))
			return value{amount: ratOf(low + wide), ends: &ends{ratOf(low), ratOf(low + wide)}}, is
		}
		a, isA := draw("a")
		b, isB := draw("b")
		operator := rapid.SampledFrom([]string{"+", "-", "*", "/"}).Draw(t, "operator")
		got := calculate(operator, a, b)
		if operator == "/" && b.ends.low.Sign()*b.ends.high.Sign() <= 0 {
			if got.amount != nil {
				t.Fatalf("%v by %v to %v is %v", isA, b.ends.low, b.ends.high, got.amount)
			}
			return
		}
		low, high := got.within()
		if is := apply(operator, isA, isB); is.Cmp(low) < 0 || is.Cmp(high) > 0 {
			t.Fatalf("%v %s %v is not from %v to %v", isA, operator, isB, low, high)
		}
	})
}
