package check

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"pgregory.net/rapid"
)

// lagging is a result of requests that each waited for a connection, were begun late
// after that, and were then served.
func lagging(waited, lag, served []time.Duration) *loadgen.Result {
	r := &loadgen.Result{
		Sent: int64(len(served)), TargetQPS: 100, Outcomes: []loadgen.Outcome{{Status: 200, Count: int64(len(served))}},
		Response: &loadgen.Histogram{}, Service: &loadgen.Histogram{}, Lag: &loadgen.Histogram{},
	}
	for i := range served {
		r.Response.Record(waited[i] + lag[i] + served[i])
		r.Service.Record(served[i])
		r.Lag.Record(lag[i])
	}
	return r
}

// each is so many times a time, and then so many times another.
func each(n int, a time.Duration, m int, b time.Duration) []time.Duration {
	var all []time.Duration
	for range n {
		all = append(all, a)
	}
	for range m {
		all = append(all, b)
	}
	return all
}

func TestWhatTheGeneratorsOwnLatenessCouldHaveTurnedIsInconclusive(t *testing.T) {
	const ms = time.Millisecond
	loads := map[string]*loadgen.Result{
		// Of 200 answers of 20 ms each, ten were asked for 50 ms late.
		"client": lagging(each(200, 0, 0, 0), each(190, 0, 10, 50*ms), each(200, 20*ms, 0, 0)),
		// Ten waited for a connection that long, and were begun in time.
		"others": lagging(each(190, 0, 10, 50*ms), each(200, 0, 0, 0), each(200, 20*ms, 0, 0)),
	}
	before := map[string]*loadgen.Result{"client": lagging(each(200, 0, 0, 0), each(190, 0, 10, 5*ms), each(200, 20*ms, 0, 0))}
	w := Windows{During: &report.Window{Name: report.During, Loads: loads}, Baseline: &report.Window{Name: report.Baseline, Loads: before}}
	for line, want := range map[string]report.Verdict{
		"client.p99 < 60ms":                               report.Inconclusive, // 70 ms from when they were due
		"client.p99 < 71ms":                               report.Pass,
		"client.p99 < 15ms":                               report.Fail, // they took 20 ms of the server's
		"client.p99 > 60ms":                               report.Inconclusive,
		"client.p99 > 15ms":                               report.Pass,
		"client.p50 < 21ms":                               report.Pass,
		"client.p50 > 19ms":                               report.Pass,
		"client.p50 < 19ms":                               report.Fail,
		"client.mean > 21ms":                              report.Inconclusive,
		"client.max < 1s && client.p99 < 60ms":            report.Inconclusive,
		"client.service.p99 < 60ms":                       report.Inconclusive, // what the server would have done meanwhile, nobody saw
		"client.service.p99 < 71ms":                       report.Pass,
		"client.service.p99 > 15ms":                       report.Pass,
		"client.service.p50 < 21ms":                       report.Pass,
		"client.status[200] == 200":                       report.Pass,
		"client.p99 <= 1.1 * baseline.client.p99 + 60ms":  report.Pass, // 70 by 22 to 27
		"client.p99 <= 1.1 * baseline.client.p99 + 45ms":  report.Inconclusive,
		"client.p99 - baseline.client.p99 > 40ms":         report.Inconclusive,
		"60ms < client.p99 < 80ms":                        report.Inconclusive,
		"client.p99 < 60ms || client.status[200] == 0":    report.Inconclusive,
		"client.p99 < 71ms || client.status[200] == 0":    report.Pass,
		"others.p99 < 60ms":                               report.Fail,
		"others.p99 > 60ms":                               report.Pass,
		"others.service.p99 < 60ms":                       report.Pass,
		"others.service.p99 < 60ms && client.p99 < 100ms": report.Pass,
	} {
		rows := mustCompile(t, line).Judge(w)
		got := Overall(rows)
		if got != want {
			t.Errorf("%s is %s: %+v; want %s", line, got, rows, want)
		}
		if why := rows[len(rows)-1].Reason; want == report.Inconclusive && (!strings.Contains(why, "without the load generator's own lateness it could be ") || !strings.Contains(why, "of client were begun late although a connection was free (99% of them by up to")) {
			t.Errorf("%s: the reason is %q", line, why)
		}
	}
}

// Where one request of as many as a share is of lagged, it may be the one that would have been
// the first of all.
func TestTheFirstOfAllMayBeTheOneThatLagged(t *testing.T) {
	const ms = time.Millisecond
	for _, n := range []int{2, 10, 20, 100, 1000, 10_000} {
		r := lagging(each(n, 0, 0, 0), each(1, 50*ms, n-1, 0), each(1, 20*ms, n-1, 70*ms))
		if low, high := timings()[slices.IndexFunc(timings(), func(one timing) bool { return one.name == "min" })].punctual(r, false); low > 20*ms || high < 20*ms {
			t.Errorf("of %d requests the first would have taken 20ms, and is reckoned to have taken %v to %v", n, low, high)
		}
	}
}

func TestAConditionIsNotTrueByTheGeneratorsLatenessAlone(t *testing.T) {
	const ms = time.Millisecond
	seen := map[string]*loadgen.Result{"client": lagging(each(200, 0, 0, 0), each(190, 0, 10, 50*ms), each(200, 20*ms, 0, 0))}
	for text, want := range map[string]bool{"client.p99 > 60ms": false, "client.p99 > 19ms": true, "client.p99 > 80ms": false} {
		c, err := CompileCondition(shop(), text)
		if err != nil {
			t.Fatal(err)
		}
		if stop := c.breach(seen); (stop != nil) != want {
			t.Errorf("%s: the load is ended: %v, want %v", text, stop, want)
		}
		if why := c.Unjudged(seen); (why != "") != (text == "client.p99 > 60ms") {
			t.Errorf("%s could not be judged: %q", text, why)
		}
	}
}

// Whatever the times and however they belong together: what each request would have taken
// without its lag lies within what is reckoned of the three histograms.
func TestWhatIsReckonedHoldsTheTimesWithoutLag(t *testing.T) {
	times := func(t *rapid.T, name string, n int) []time.Duration {
		return rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 2000), func(us int) time.Duration { return time.Duration(us*us) * time.Nanosecond * 100 }), n, n).Draw(t, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 120).Draw(t, "requests")
		waited, lag, served := times(t, "waited", n), times(t, "lag", n), times(t, "served", n)
		r := lagging(waited, lag, served)
		var without, atOnce loadgen.Histogram
		for i := range served {
			without.Record(waited[i] + served[i])
			atOnce.Record(served[i] + lag[i])
		}
		for _, one := range timings() {
			low, high := one.punctual(r, false)
			if least, most := one.between(&without); least > high || most < low {
				t.Fatalf("response %s without the lag is %v to %v, and reckoned to be %v to %v", one.name, least, most, low, high)
			}
			low, high = one.punctual(r, true)
			if least, most := one.between(&atOnce); least > high || most < low {
				t.Fatalf("service %s with the lag is %v to %v, and reckoned to be %v to %v", one.name, least, most, low, high)
			}
		}
	})
}
