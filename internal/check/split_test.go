package check

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// answers are windows in which jason's answers showed these versions.
func answers(byVersion map[string]int64, more ...loadgen.Outcome) Windows {
	outcomes := more
	for version, n := range byVersion {
		outcomes = append(outcomes, loadgen.Outcome{Status: 200, Version: version, Count: n})
	}
	return Windows{During: &report.Window{Loads: map[string]*loadgen.Result{"jason": load(outcomes, time.Millisecond)}}}
}

func TestASplitIsJudgedByVersionsThatAnswered(t *testing.T) {
	const nineToOne = "split(jason).is(v1 == 90%, v2 == 10%)"
	for _, test := range []struct {
		line    string
		windows Windows
		verdict report.Verdict
		reason  string
	}{
		{nineToOne, answers(map[string]int64{"v1": 900, "v2": 100}), report.Pass, ""},
		{nineToOne, answers(map[string]int64{"v1": 800, "v2": 200}), report.Fail, "were v1 to get 90%"},
		{nineToOne, answers(map[string]int64{"v1": 100, "v2": 900}), report.Fail, "below 1e-05"},
		{nineToOne, answers(map[string]int64{"v1": 1000}), report.Fail, "were v1 to get 90%"},
		{nineToOne, answers(map[string]int64{"v1": 627, "v2": 70}), report.Pass, ""},
		{nineToOne, answers(map[string]int64{"v1": 627, "v2": 69}), report.Inconclusive, "off by 10% takes 697, and there are 696"},
		{nineToOne, answers(map[string]int64{"v2": 20}), report.Fail, "were v1 to get 90%"}, // few, and yet beyond chance
		{nineToOne + ".detecting(5%)", answers(map[string]int64{"v1": 900, "v2": 100}), report.Inconclusive, "off by 5% takes 2448"},
		{nineToOne, answers(map[string]int64{"v1": 900, "v2": 99, "v3": 1}), report.Fail, "1 from v3"},
		{nineToOne, answers(map[string]int64{"v1": 900, "v2": 98, "": 2}), report.Fail, "2 without a version"},
		{nineToOne, answers(map[string]int64{"v1": 900, "v2": 99, loadgen.Mixed: 1}), report.Fail, "1 from several versions"},
		{nineToOne, answers(map[string]int64{"v1": 900, "v2": 99}, loadgen.Outcome{Error: "timeout", Count: 1}), report.Fail, "1 with the error timeout"},
		{"split(jason).is(v1 == 100%)", answers(map[string]int64{"v1": 200}), report.Pass, ""},
		{"split(jason).is(v1 == 100%, v2 == 0%)", answers(map[string]int64{"v1": 2000, "v2": 1}), report.Fail, "were v1 to get 100%"},
		{"split(jason).is(v1 == 50%, v2 == 30%, v3 == 20%)", answers(map[string]int64{"v1": 2000, "v2": 1200, "v3": 800}), report.Pass, ""},
		{"split(jason).is(v1 == 50%, v2 == 30%, v3 == 20%)", answers(map[string]int64{"v1": 2000, "v2": 1400, "v3": 600}), report.Fail, "were v2 to get 30%"},
	} {
		row := mustCompile(t, test.line).Judge(test.windows)[0]
		if row.Verdict != test.verdict || !strings.Contains(row.Reason, test.reason) {
			t.Errorf("%s is %s of %s: %s", test.line, row.Verdict, row.Observed, row.Reason)
		}
	}
}

func TestASplitOfAServiceIsJudgedByWhatProxiesCounted(t *testing.T) {
	e := mustCompile(t, "split(reviews).is(v1 == 90%, v2 == 10%)")
	if diff := cmp.Diff([]Need{{"requests", []string{"reviews"}}, {"requests", []string{"reviews", "v1"}}, {"requests", []string{"reviews", "v2"}}}, e.Needs()); diff != "" {
		t.Errorf("needs (-want +got):\n%s", diff)
	}
	for _, test := range []struct {
		total, v1, v2 int64
		verdict       report.Verdict
		reason        string
	}{
		{1000, 900, 100, report.Pass, ""},
		{1000, 800, 200, report.Fail, "were v1 to get 90%"},
		{1000, 900, 99, report.Fail, "1 to no version that is listed"},
		{1000, 900, 101, report.Inconclusive, "1000 requests to reviews in all, but 1001 by version"},
		{20, 18, 2, report.Inconclusive, "takes 697, and there are 20"},
		{0, 0, 0, report.Inconclusive, "no request reached reviews"},
	} {
		w := observed()
		w.During.Quantities = []report.Quantity{quantity(test.total, "requests", "reviews"), quantity(test.v1, "requests", "reviews", "v1"), quantity(test.v2, "requests", "reviews", "v2")}
		if row := e.Judge(w)[0]; row.Verdict != test.verdict || !strings.Contains(row.Reason, test.reason) {
			t.Errorf("%v of %v and %v is %s: %s", test.total, test.v1, test.v2, row.Verdict, row.Reason)
		}
	}
}

func TestASplitSaysHowManySamplesItNeeds(t *testing.T) {
	for line, want := range map[string]Size{
		"split(jason).is(v1 == 90%, v2 == 10%)":                             {Load: Load{Window: report.During, Cohort: "jason"}, Requests: 697},
		"split(reviews).is(v1 == 90%, v2 == 10%)":                           {Service: "reviews", Requests: 697},
		"split(tcp-echo).is(v1 == 90%, v2 == 10%).detecting(5%)":            {Service: "tcp-echo", Requests: 2448},
		"split(recovery.jason).is(v1 == 50%, v2 == 50%).detecting(5%)":      {Load: Load{Window: report.Recovery, Cohort: "jason"}, Requests: 5654},
		"others.max < 1s || split(jason).is(\"v1\" == 100%, v2 == 0%)":      {Load: Load{Window: report.During, Cohort: "jason"}, Requests: 66},
		"jason.max < 1s && split(tcp-client).is(v1-canary == 10%, v1==90%)": {Load: Load{Window: report.During, Cohort: "tcp-client"}, Requests: 697},
	} {
		if diff := cmp.Diff([]Size{want}, mustCompile(t, line).SamplesNeeded()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
	three := mustCompile(t, "split(jason).is(v1 == 90%, v2 == 5%, v3 == 5%)").SamplesNeeded()[0].Requests
	if three <= 697 {
		t.Errorf("three versions need %d samples, no more than two", three)
	}
}

// exactTail is the chance of at most x successes in n, in rational numbers.
func exactTail(x, n int64, p *big.Rat) *big.Rat {
	misses := new(big.Int).Sub(p.Denom(), p.Num())
	sum := new(big.Int)
	for k := range x + 1 {
		ways := new(big.Int).Binomial(n, k)
		ways.Mul(ways, new(big.Int).Exp(p.Num(), big.NewInt(k), nil))
		sum.Add(sum, ways.Mul(ways, new(big.Int).Exp(misses, big.NewInt(n-k), nil)))
	}
	return new(big.Rat).SetFrac(sum, new(big.Int).Exp(p.Denom(), big.NewInt(n), nil))
}

func TestThePValueIsExact(t *testing.T) {
	one := big.NewRat(1, 1)
	for _, p := range []*big.Rat{big.NewRat(9, 10), big.NewRat(1, 10), big.NewRat(1, 2), big.NewRat(1, 1000), big.NewRat(2, 3)} {
		for _, n := range []int64{1, 2, 7, 30, 61} {
			for x := range n + 1 {
				lower := exactTail(x, n, p)
				upper := exactTail(n-x, n, new(big.Rat).Sub(one, p))
				want := math.Min(1, 2*math.Min(float(lower), float(upper)))
				got := pValue(x, n, float(p))
				if math.Abs(got-want) > 1e-9*want {
					t.Errorf("%d of %d at %s: p = %g, not %g", x, n, p, got, want)
				}
			}
		}
	}
}

func TestThePValueAgreesWithTheSumOfTheTailForManySamples(t *testing.T) {
	const n, p = 100_000, 0.9
	for _, x := range []int64{89_500, 89_580, 90_420, 90_500} {
		sum := 0.0
		for k := range int64(n + 1) {
			if x < n*p && k <= x || x > n*p && k >= x {
				sum += chanceOf(k, n, p)
			}
		}
		if got := pValue(x, n, p); math.Abs(got-2*sum) > 1e-5*got {
			t.Errorf("%d of %d: p = %g, not %g", x, n, got, 2*sum)
		}
	}
}

// chanceOf is the chance of exactly k successes in n.
func chanceOf(k, n int64, p float64) float64 {
	logFactorial := func(v int64) float64 { r, _ := math.Lgamma(float64(v + 1)); return r }
	return math.Exp(logFactorial(n) - logFactorial(k) - logFactorial(n-k) + float64(k)*math.Log(p) + float64(n-k)*math.Log(1-p))
}

// rejected is the chance that the test rejects shares when versions answer by
// others, of two versions and n answers.
func rejected(asked, real float64, n int64) float64 {
	chance := 0.0
	for x := range n + 1 {
		if pValue(x, n, asked) < alpha {
			chance += chanceOf(x, n, real)
		}
	}
	return chance
}

func TestTheTestKeepsItsLevelAndItsPowerFromTheNumberOnThatItNeeds(t *testing.T) {
	for _, c := range []struct {
		asked, off float64
		needed     int64
	}{
		{0.9, 0.1, 697}, {0.9, 0.05, 2448}, {0.5, 0.05, 5654}, {0.8, 0.1, 1050}, {0.95, 0.1, 469}, {0.6, 0.3, 153}, {1, 0.1, 66},
	} {
		n := samplesNeeded([]float64{c.asked, 1 - c.asked}, c.off)
		if n != c.needed {
			t.Errorf("%v off by %v needs %d samples, not %d", c.asked, c.off, n, c.needed)
		}
		if level := rejected(c.asked, c.asked, n); level > alpha {
			t.Errorf("%v with %d samples: a right split fails with the chance %g", c.asked, n, level)
		}
		for _, more := range []int64{0, 1, 2, 3, 7, 19, n} {
			if got := rejected(c.asked, c.asked-c.off, n+more); got < power {
				t.Errorf("%v off by %v with %d samples: noticed with the chance %.5f only", c.asked, c.off, n+more, got)
			}
		}
		if got := rejected(c.asked, c.asked-c.off, n-1); got >= power {
			t.Errorf("%v off by %v: one sample fewer is noticed with the chance %.5f too", c.asked, c.off, got)
		}
	}
}

func TestThePowerStaysFromTheNumberOn(t *testing.T) {
	for _, c := range []shareTest{
		{0.9, 0.8, alpha}, {0.5, 0.4, alpha}, {0.1, 0.05, alpha}, {0.99, 0.9, alpha / 3}, {0.75, 0.25, alpha}, {0.5, 0, alpha}, {0.3, 0.25, alpha / 4},
	} {
		needed := c.samples()
		for n := needed; n < 3*needed; n++ {
			if got := c.power(n, c.critical(n)); got < power {
				t.Fatalf("%v needs %d samples, and with %d its power is %.5f", c, needed, n, got)
			}
		}
	}
}

func TestAVersionThatNobodySawNeverPasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		share := rapid.Int64Range(1, 999).Draw(t, "share of v2, in thousandths")
		off := rapid.SampledFrom([]string{"50%", "10%", "5%"}).Draw(t, "off")
		total := rapid.Int64Range(1, 30_000).Draw(t, "answers of v1")
		line := fmt.Sprintf("split(jason).is(v1 == %d.%d%%, v2 == %d.%d%%).detecting(%s)", (1000-share)/10, (1000-share)%10, share/10, share%10, off)
		e, err := Compile(shop(), line)
		if err != nil {
			t.Skip("no share can be off by so much")
		}
		r := &loadgen.Result{Sent: total, Outcomes: []loadgen.Outcome{{Status: 200, Version: "v1", Count: total}}}
		w := Windows{During: &report.Window{Loads: map[string]*loadgen.Result{"jason": r}}}
		switch row := e.Judge(w)[0]; {
		case row.Verdict == report.Pass:
			t.Fatalf("%s passes with %d of v1 and none of v2", line, total)
		case row.Verdict != report.Fail && total >= e.SamplesNeeded()[0].Requests:
			t.Fatalf("%s is %s with %d of v1 and none of v2, which were to be enough: %s", line, row.Verdict, total, row.Reason)
		}
	})
}

func TestThreeVersionsKeepTheLevel(t *testing.T) {
	e := mustCompile(t, "split(jason).is(v1 == 60%, v2 == 30%, v3 == 10%)")
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		counts := map[string]int64{}
		for range 1500 {
			switch u := random.Float64(); {
			case u < 0.6:
				counts["v1"]++
			case u < 0.9:
				counts["v2"]++
			default:
				counts["v3"]++
			}
		}
		w := answers(nil)
		r := &loadgen.Result{Sent: 1500}
		for version, n := range counts {
			r.Outcomes = append(r.Outcomes, loadgen.Outcome{Status: 200, Version: version, Count: n})
		}
		w.During.Loads["jason"] = r
		if row := e.Judge(w)[0]; row.Verdict != report.Pass {
			t.Fatalf("%v is %s: %s", counts, row.Verdict, row.Reason)
		}
	}
}
