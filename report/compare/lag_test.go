package compare_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
)

// at a rate, one request after the other takes as long as it is said to, after it was begun
// as late as is said.
func atARate(took, lag func(i int) time.Duration) *report.Record {
	const requests = 1000
	r := &loadgen.Result{
		Started: time.Unix(0, 0), Elapsed: loadgen.Duration{Duration: 10 * time.Second}, Planned: requests, Sent: requests, Connections: 4,
		TargetQPS: 100, Engine: loadgen.EngineEpoll, Outcomes: []loadgen.Outcome{{Status: 200, Count: requests}},
		Response: &loadgen.Histogram{}, Service: &loadgen.Histogram{}, Lag: &loadgen.Histogram{},
	}
	for i := range requests {
		r.Response.Record(took(i) + lag(i))
		r.Service.Record(took(i))
		r.Lag.Record(lag(i))
	}
	return &report.Record{
		Scenario: report.Scenario{Name: "s"}, Verdict: report.Pass, Restored: true, Started: time.Unix(0, 0),
		Windows: []report.Window{{Name: report.During, Loads: map[string]*loadgen.Result{"pages": r}}},
	}
}

// What the load generator itself was late by is no change of the service, for the worse or
// for the better; what it has changed by more than that is.
func TestTheLatenessOfTheLoadGeneratorIsNoRegression(t *testing.T) {
	const ms = time.Millisecond
	from := func(least time.Duration) func(int) time.Duration {
		return func(i int) time.Duration { return least + time.Duration(i%100)*20*time.Microsecond }
	}
	punctual := func(int) time.Duration { return 0 }
	// Two in three requests are begun 10 ms late.
	late := func(i int) time.Duration { return time.Duration(min(i%3, 1)) * 10 * ms }
	for _, tt := range []struct {
		name        string
		before, now *report.Record
		want        report.Became
		why         string
	}{
		{"a slower service", atARate(from(20*ms), punctual), atARate(from(30*ms), punctual), report.Regressed, ""},
		{"a late generator", atARate(from(20*ms), punctual), atARate(from(20*ms), late), report.Changed, "without the load generator's own lateness it could be 21ms to 30.5ms, before 21ms: run again"},
		{"a generator that was late before", atARate(from(20*ms), late), atARate(from(20*ms), punctual), report.Changed, "it could be 21ms, before 21ms to 30.5ms: run again"},
		{"a much slower service, by a late generator", atARate(from(20*ms), punctual), atARate(from(50*ms), late), report.Regressed, ""},
		{"a much faster one", atARate(from(50*ms), punctual), atARate(from(20*ms), late), report.Improved, ""},
		{"a late generator both times", atARate(from(20*ms), late), atARate(from(20*ms), late), report.Alike, ""},
	} {
		for name, before := range map[string]*report.Record{"": tt.before, ", of an earlier run that a record keeps": kept(t, tt.before)} {
			c := compare.Compare(pair(before, tt.now))
			for _, v := range c.Scenarios[0].Values {
				if v.Of == "p50" && (v.Became != tt.want || !strings.Contains(v.Remarks, tt.why) || tt.why == "" && v.Remarks != "") {
					t.Errorf("%s%s: p50 %s, %q; want %s, %q", tt.name, name, v.Became, compare.Words(v), tt.want, tt.why)
				}
			}
			if c.Regressed != (tt.want == report.Regressed) {
				t.Errorf("%s%s: it has regressed: %t", tt.name, name, c.Regressed)
			}
		}
	}
}

// kept is what is left of a record in the one of a later run.
func kept(t *testing.T, r *report.Record) *report.Record {
	t.Helper()
	text, err := json.Marshal(report.EarlierOf(r, ""))
	if err != nil {
		t.Fatal(err)
	}
	var e report.Earlier
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	return e.Record()
}
