package summary_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// until is a load whose requests took 1ms, 2ms and so on.
func until(n int) *loadgen.Result {
	r := &loadgen.Result{Sent: int64(n), Response: &loadgen.Histogram{}, Service: &loadgen.Histogram{}}
	for i := range n {
		r.Response.Record(time.Duration(i+1) * time.Millisecond)
		r.Service.Record(time.Duration(i+1) * time.Microsecond)
	}
	return r
}

func TestAPercentileHasAnEndWhereThereAreEnoughForIt(t *testing.T) {
	for _, one := range []struct {
		n    int
		q    float64
		want string
	}{
		{0, 0.5, "none"}, {1, 0.5, "none"}, {5, 0.5, "none"}, {6, 0.5, "1ms to 6ms"}, {100, 0.5, "40ms to 61ms"},
		{1, 0.9, "none"}, {10, 0.9, "7ms and up"}, {36, 0.9, "29ms to 36ms"},
		{50, 0.99, "48ms and up"}, {367, 0.99, "359ms and up"}, {368, 0.99, "360ms to 368ms"},
		{50, 0.01, "up to 3ms"},
	} {
		if got := (summary.Load{Result: until(one.n)}).Between(one.q).String(); got != one.want {
			t.Errorf("of %d, at %g: %s, not %s", one.n, one.q, got, one.want)
		}
	}
}

// The interval of a histogram holds the percentile as often as it says, though the
// histogram rounds.
func TestTheIntervalOfAPercentileHoldsIt(t *testing.T) {
	const draws, n, mean = 400, 500, 20 * time.Millisecond
	random := rand.New(rand.NewPCG(3, 4))
	qs := []float64{0.5, 0.9, 0.99}
	within := make([]int, len(qs))
	for range draws {
		times := &loadgen.Histogram{}
		for range n {
			times.Record(time.Duration(random.ExpFloat64() * float64(mean)))
		}
		for i, q := range qs {
			b := (summary.Load{Result: &loadgen.Result{Response: times}}).Between(q)
			is := summary.Latency(-math.Log(1-q) * float64(mean))
			if b.Low != nil && b.High != nil && *b.Low <= is && is < *b.High {
				within[i]++
			}
		}
	}
	for i, q := range qs {
		// Three deviations of 400 draws are 3 %; of p99 the ranks are few, and hold more.
		if share := float64(within[i]) / draws; share < 0.917 || share > 0.99 {
			t.Errorf("at %g: %d of %d", q, within[i], draws)
		}
	}
}

func TestAnExpectationOfAPercentileHasItsInterval(t *testing.T) {
	window := func(name, step string, n int) report.Window {
		return report.Window{Name: name, Step: step, Loads: map[string]*loadgen.Result{"a": until(n), "tcp-a": until(2 * n)}}
	}
	r := &report.Record{Windows: []report.Window{window(report.Baseline, "", 100), window(report.During, "one", 200), window(report.During, "two", 400)}}
	at := func(window int, cohort string, q float64) float64 {
		is, _ := r.Windows[window].Loads[cohort].Response.Quantile(q)
		return is.Seconds()
	}
	for _, one := range []struct {
		expression, step string
		seconds          float64
		want             string
	}{
		{"a.p50 < 1s", "one", at(1, "a", 0.5), "95% interval 86ms to 115ms"},
		{"a.p50 < 1s", "two", at(2, "a", 0.5), "95% interval 180ms to 221ms"},
		{"10ms < tcp-a.p50 < 1s", "one", at(1, "tcp-a", 0.5), "95% interval 180ms to 221ms"},
		{"baseline.a.p50 < 1s", "one", at(0, "a", 0.5), "95% interval 40ms to 61ms"},
		{"a.service.p50 < 1s", "one", 0.0001, "95% interval 86µs to 115µs"},
		{"a.p99 < 5 * baseline.a.p99", "one", at(1, "a", 0.99), "95% interval 195ms and up"},
		{"a.p999 < 1s", "one", at(1, "a", 0.999), "95% interval 199ms and up"},
		{"2 * a.p50 < 1s", "one", 2 * at(1, "a", 0.5), ""},
		{"a.p50 - baseline.a.p50 < 1s", "two", at(2, "a", 0.5) - at(0, "a", 0.5), ""},
		{"a.max < 1s", "one", at(1, "a", 1), ""},
		{"a.mean < 1s", "one", at(1, "a", 0.5), ""},
		{"b.p50 < 1s", "one", 0.1, ""},
		{"recovery.a.p50 < 1s", "one", 0.1, ""},
	} {
		e := report.Expectation{Expression: one.expression, Step: one.step, Values: []report.Measure{{Value: one.seconds, Unit: report.Seconds}}}
		if got := summary.Confident(r, e); got != one.want {
			t.Errorf("%s: %q, not %q", one.expression, got, one.want)
		}
	}
	r.Windows = []report.Window{window(report.During, "", 2)}
	for of, want := range map[string]report.Expectation{
		"too few for a 95% interval":                {Expression: "a.p50 < 1s", Values: []report.Measure{{Value: 0.001, Unit: report.Seconds}}},
		"99% interval 92.3% to 100%":                {Expression: "a.share(200) > 90%", Values: []report.Measure{{Unit: report.Share, Part: &report.Part{Low: 0.9228, High: 1}}}},
		"99% interval v1 10% to 20%, v2 80% to 90%": {Values: []report.Measure{{Of: "v1", Part: &report.Part{Low: 0.1, High: 0.2}}, {Of: "v2", Part: &report.Part{Low: 0.8, High: 0.9}}}},
		"": {Expression: "a.p50 < 1s"},
	} {
		if got := summary.Confident(r, want); got != of {
			t.Errorf("%s: %q, not %q", want.Expression, got, of)
		}
	}
}
