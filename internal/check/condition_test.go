package check

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

func TestAConditionSaysOnlyWhatIsKnownWhileTheLoadRuns(t *testing.T) {
	for _, test := range []struct{ line, at, want string }{
		{"others.p99 > 2 * baseline.others.p99", "baseline.others", "baseline.others is not known while the load runs; name others without a window, and write its limit out"},
		{"recovery.others.errors > 3", "recovery.others", "is not known while the load runs"},
		{"faults(ratings) > 3", "faults", "faults(ratings) is counted by proxies, which are read when the load is over; name what clients see"},
		{"others.sent > 3 && requests(reviews, v2) > 3", "requests", "counted by proxies"},
		{"split(others).is(v1 == 100%)", "split", "a split is of all samples"},
		{"others.errors > 3 || others.p99 > 2s", "others.errors", "a condition has no ||: it would not be judged where one of its sides cannot be; write a condition for each side"},
		{"!(others.errors > 3 && others.p99 > 2s)", "others.errors", "a condition has no ||"},
		{"other.errors > 3", "other", `unknown load "other"; did you mean others?`},
		{"others.share(503) > 100%", "others", "can never be true; a share is from 0% to 100%"},
		{"others.share(503) >= 0%", "others", "is always true, whatever is observed; a share is from 0% to 100%"},
		{"others.sent > 0", "others", "is always true"},
		{"others.share(503) > 9", "9", "write 9%"},
	} {
		_, err := CompileCondition(shop(), test.line)
		var wrong *Error
		if !errors.As(err, &wrong) {
			t.Errorf("%s: error %v", test.line, err)
			continue
		}
		if at := strings.Index(test.line, test.at); wrong.Offset != at || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: at %d %q; want at %d %q", test.line, wrong.Offset, err, at, test.want)
		}
	}
}

// watch is whether a condition is seen to be true of what others has seen so far.
func watch(t *testing.T, line string, others *loadgen.Result) *loadgen.StopError {
	t.Helper()
	if _, err := CompileCondition(shop(), line); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	plans := map[string]loadgen.Plan{"others": {
		Checks:   []loadgen.Check{{Name: "stars", Body: "*"}},
		Versions: []loadgen.Check{{Name: "v1", Body: "1"}, {Name: "v2", Body: "2"}},
	}}
	breached, err := Watch(plans, []string{"others.sent > 1000000", line})
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return breached(map[string]*loadgen.Result{"others": others})
}

func TestAConditionEndsALoadWhenItIsTrue(t *testing.T) {
	so := func(ok, failed, errors int64) *loadgen.Result {
		var seen []loadgen.Outcome
		for _, o := range []loadgen.Outcome{
			{Status: 200, Count: ok, Version: "v1", Checks: []string{"stars"}}, {Status: 503, Count: failed}, {Error: loadgen.ErrorTimeout, Count: errors},
		} {
			if o.Count > 0 {
				seen = append(seen, o)
			}
		}
		return load(seen, 100*time.Millisecond)
	}
	for _, test := range []struct {
		line string
		seen *loadgen.Result
		want string // what was observed; empty: it goes on
	}{
		{"others.share(503) > 5%", so(18, 2, 0), "10% (2 of 20)"},
		{"others.share(503) > 5%", so(19, 1, 0), ""},
		{"others.share(503) > 5%", so(0, 19, 0), ""}, // too few to speak of a share
		{"others.status[503] > 5", so(0, 6, 0), "503: 6"},
		{"others.status[503] / others.sent > 5%", so(0, 19, 0), ""},
		{"others.status[503] / others.sent > 5%", so(18, 2, 0), "10% (2 of 20)"},
		{"others.sent >= 100 && others.share(503) > 5%", so(18, 2, 0), ""},
		{"others.sent >= 100 && others.share(503) > 5%", so(90, 10, 0), "100; 10% (10 of 100)"},
		{"others.errors > 0", so(0, 0, 1), "1"},
		{"others.errors / others.sent > 50%", so(5, 0, 15), "75% (15 of 20)"},
		{"others.max > 150ms", so(1, 0, 0), "200ms"},
		{"others.max > 150ms", so(1, 0, 1), ""}, // how long that would have taken, nobody knows
		{"others.p99 > 150ms", so(99, 0, 0), ""},
		{"others.p99 > 150ms", so(100, 0, 0), "200ms"},
		{`others.share("stars") < 50%`, so(4, 16, 0), "20% (4 of 20)"},
		{"others.answered(v1) > 3", so(4, 0, 0), "4"},
		{"others.qps > 49", so(100, 0, 0), "50"},
		{"others.errors > 0", nil, ""},
		{"others.share(503) > 5%", nil, ""},
	} {
		stop := watch(t, test.line, test.seen)
		switch {
		case test.want == "" && stop != nil:
			t.Errorf("%s ended the load: %+v", test.line, stop)
		case test.want == "":
		case stop == nil:
			t.Errorf("%s did not end the load", test.line)
		case stop.Condition != test.line || !strings.HasPrefix(stop.Observed, test.want) || stop.Samples != test.seen.Sent:
			t.Errorf("%s: %+v; want %q", test.line, stop, test.want)
		}
	}
}

func TestAConditionEndsALoadByNumbers(t *testing.T) {
	seen := load([]loadgen.Outcome{{Status: 200, Count: 90}, {Status: 503, Count: 10}}, 100*time.Millisecond)
	stop := watch(t, "!(others.sent < 20) && 5% < others.share(503) <= 50% && others.max > 2 * others.service.min - 50ms", seen)
	if stop == nil {
		t.Fatal("it did not end the load")
	}
	at := func(value float64) *float64 { return &value }
	values := []report.Measure{
		{Of: "others.sent", Value: 100, Unit: report.Number},
		{Of: "others.share(503)", Value: 0.1, Unit: report.Share},
		{Of: "others.max", Value: 0.2, Unit: report.Seconds},
	}
	bounds := []report.Bound{
		{Of: "others.share(503)", Operator: ">", Value: at(0.05)}, {Of: "others.share(503)", Operator: "<=", Value: at(0.5)},
		{Of: "others.max", Operator: ">", Value: at(0.15), Name: "2 * others.service.min - 50ms"},
	}
	if diff := cmp.Diff(values, stop.Values) + cmp.Diff(bounds, stop.Bounds); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An answer of several versions may be of either: what rests on its being none is no
// reason to end a load.
func TestAConditionThatIsInDoubtIsNotTrue(t *testing.T) {
	seen := load([]loadgen.Outcome{{Status: 200, Version: "v1", Count: 3}, {Status: 200, Version: loadgen.Mixed, Count: 3}}, time.Millisecond)
	if stop := watch(t, "others.answered(v1) < 5", seen); stop != nil {
		t.Errorf("it ended the load: %v", stop)
	}
}

func TestWhatAConditionTakes(t *testing.T) {
	for line, want := range map[string]int64{
		"others.share(503) > 5%": 20, "others.p99 > 1s": 100, "others.p50 > 1s": 2, "others.p50 > 1s && others.share(503) > 1%": 20, "others.errors > 3": 0, "jason.errors > 3": 0,
	} {
		condition, err := CompileCondition(shop(), line)
		if err != nil {
			t.Fatal(err)
		}
		if got := condition.Least("others"); got != want || condition.Text() != line {
			t.Errorf("%s takes %d requests of others; want %d", condition.Text(), got, want)
		}
	}
}

func TestWithoutConditionsNothingIsWatched(t *testing.T) {
	if breached, err := Watch(nil, nil); breached != nil || err != nil {
		t.Errorf("something is watched, error %v", err)
	}
}
