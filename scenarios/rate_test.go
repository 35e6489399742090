package scenarios

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// ofRate is the good scenario with a rate of its own for the others.
func ofRate(rate string) string { return strings.Replace(good, "qps: 5, while: jason", rate, 1) }

func point(at time.Duration, qps float64) loadgen.RatePoint {
	return loadgen.RatePoint{At: loadgen.Duration{Duration: at}, QPS: qps}
}

func TestARateMayChange(t *testing.T) {
	ramp := []loadgen.RatePoint{point(0, 10), point(30*time.Second, 200)}
	stages := []loadgen.RatePoint{point(0, 0), point(10*time.Second, 50), point(70*time.Second, 50), point(70*time.Second, 80), point(75*time.Second, 0)}
	const inStages = "stages: [{target: 50, duration: 10s}, {target: 50, duration: 1m}, {target: 80, duration: 0s}, {target: 0, duration: 5s}]"
	for rate, want := range map[string]loadgen.Plan{
		"qps: {from: 10, to: 200, over: 30s}":                           {Rate: ramp, Duration: loadgen.Duration{Duration: 30 * time.Second}},
		"qps: {from: 10, to: 200, over: 30s}, duration: 1m":             {Rate: ramp, Duration: loadgen.Duration{Duration: time.Minute}},
		"qps: {from: 10, to: 200, over: 30s}, requests: 99":             {Rate: ramp, Requests: 99},
		"qps: {from: 10, to: 200, over: 30s}, while: jason":             {Rate: ramp, While: "jason"},
		"qps: 10, stages: [{target: 200, duration: 30s}], while: jason": {Rate: ramp, While: "jason"},
		inStages:                                 {Rate: stages, Duration: loadgen.Duration{Duration: 75 * time.Second}},
		"qps: 5, arrival: poisson, while: jason": {QPS: 5, Arrival: "poisson", While: "jason"},
		"qps: 5, arrival: poisson, seed: 7, while: jason": {QPS: 5, Arrival: "poisson", Seed: 7, While: "jason"},
	} {
		s, err := read(ofRate(rate))
		if err != nil {
			t.Errorf("%s: %v", rate, err)
			continue
		}
		got := s.Steps[0].Cohorts[1].Plan
		want.HTTP, want.Connections, want.Checks = got.HTTP, got.Connections, got.Checks
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", rate, diff)
		}
	}
}

func TestARateThatCannotBeIsRefusedWhereItStands(t *testing.T) {
	for rate, want := range map[string]string{
		"qps: fast, while: jason":                                                     "t.yaml:21:63: qps takes a number, or a ramp with from, to and over",
		"qps: {from: 1, to: 2}, while: jason":                                         "t.yaml:21:63: the ramp has no over; write one such as {from: 10, to: 200, over: 30s}",
		"qps: [1, 2], while: jason":                                                   "qps takes a number, or a ramp with from, to and over, not a list",
		"stages: [{target: 5}], while: jason":                                         "t.yaml:21:67: the stage has no duration; write one such as {target: 200, duration: 30s}",
		"stages: [{duration: 5s}], while: jason":                                      "the stage has no target",
		"stages: [], while: jason":                                                    "t.yaml:21:58: the list of stages is empty",
		"qps: 5, arrival: poisson, seed: 0, while: jason":                             "t.yaml:21:84: seed is 0, which repeats nothing",
		"senders: 0, while: jason":                                                    "t.yaml:21:58: senders is 0",
		"qps: {from: 1, to: 2, over: 30}, while: jason":                               "the duration \"30\" has no unit",
		"qps: {from: 1, to: 2, over: 3s, by: 1}, while: jason":                        "t.yaml:21:90: unknown key \"by\" in the ramp",
		"qps: {from: 1, to: 2, duration: 3s}, while: jason":                           "t.yaml:21:80: unknown key \"duration\" in the ramp; one of from, to, over",
		"qps: {from: -1, to: 2, over: 3s}, while: jason":                              "t.yaml:21:64: a rate is -1",
		"qps: {from: 0, to: 0, over: 3s}, while: jason":                               "the rate is 0 at all times",
		"qps: {from: 1, to: 2, over: 3s}, stages: [{target: 1, duration: 1s}]":        "t.yaml:21:91: a ramp and stages both say how the rate changes",
		"stages: [{target: 5000000, duration: 1s}], while: jason":                     "t.yaml:21:68: a rate is 5000000",
		"stages: [{target: 5, duration: -1s}], while: jason":                          "is not a duration above 0",
		"stages: [{target: 0, duration: 1s}], qps: 10, requests: 50":                  "requests is 50, and the rate ends at 0 when 5 requests are due",
		"stages: [{target: 0, duration: 1s}], qps: 10, requests: 4, arrival: poisson": "nobody knows how many requests arrive",
		"arrival: poisson, while: jason":                                              "t.yaml:21:58: arrival is poisson, and without a rate",
		"qps: 5, arrival: uniform, while: jason":                                      "t.yaml:21:66: arrival is \"uniform\"; it must be poisson",
		"qps: 5, seed: 7, while: jason":                                               "t.yaml:21:66: seed is 7, and nothing is drawn",
		"qps: 5, arrival: poisson, seed: -1, while: jason":                            "seed is -1",
		"while: jason, arrival: poisson":                                              "without a rate",
		"stages: [{target: 4}], while: jason":                                         "",
	} {
		_, err := read(ofRate(rate))
		if want == "" {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", rate, err, want)
		}
	}
}

// A third of a load goes through all of its rate: as much of it in a third of the time.
func TestABaselineGoesThroughAllOfARate(t *testing.T) {
	for rate, want := range map[string]struct {
		requests int64
		duration time.Duration
		points   []loadgen.RatePoint
	}{
		"qps: {from: 10, to: 200, over: 30s}":                 {0, 10 * time.Second, []loadgen.RatePoint{point(0, 10), point(10*time.Second, 200)}},
		"qps: {from: 10, to: 200, over: 30s}, requests: 3150": {1050, 0, []loadgen.RatePoint{point(0, 10), point(10*time.Second, 200)}},
		"qps: {from: 10, to: 200, over: 30s}, duration: 90s":  {0, 30 * time.Second, []loadgen.RatePoint{point(0, 10), point(10*time.Second, 200)}},
	} {
		s, err := read(ofRate(rate))
		if err != nil {
			t.Fatal(err)
		}
		whole := s.Steps[0].Cohorts[1].Plan
		plan := s.Cohorts(report.Baseline, s.Steps[0])[1].Plan
		if plan.Requests != want.requests || plan.Duration.Duration != want.duration || !cmp.Equal(plan.Rate, want.points) {
			t.Errorf("%s: %+v", rate, plan)
		}
		if plan.Duration.Duration > 0 {
			due, all := plan.Owed(plan.Duration.Duration, 0), whole.Owed(whole.Duration.Duration, 0)
			if math.Abs(float64(due)-float64(all)/3) > 1 {
				t.Errorf("%s: of %d requests the baseline has %d", rate, all, due)
			}
		}
		if err := plan.Validate(); err != nil {
			t.Errorf("%s: %v", rate, err)
		}
	}
}

// A rate by an option takes the place of one that changes, and of how its requests arrive
// where there is none any more.
func TestARateByAnOptionTakesThePlaceOfOneThatChanges(t *testing.T) {
	for qps, want := range map[float64]loadgen.Plan{50: {QPS: 50, Arrival: "poisson", Seed: 7}, 0: {}} {
		s, err := read(ofRate("qps: {from: 10, to: 200, over: 30s}, arrival: poisson, seed: 7"))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Override(Override{QPS: &qps, Cohort: "others"}); err != nil {
			t.Fatal(err)
		}
		got := s.Steps[0].Cohorts[1].Plan
		if got.QPS != want.QPS || got.Rate != nil || got.Arrival != want.Arrival || got.Seed != want.Seed || got.Duration.Duration != 30*time.Second {
			t.Errorf("at %v a second it is %+v", qps, got)
		}
	}
	s, err := readWith(ofRate("qps: {from: 10, to: 200, over: 30s}"), "load.others.qps.to=300")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Steps[0].Cohorts[1].Plan.Rate; !cmp.Equal(got, []loadgen.RatePoint{point(0, 10), point(30*time.Second, 300)}) {
		t.Errorf("set to end at 300 it is %v", got)
	}
}

// How many come by chance is not known beforehand; of a ramp it is.
func TestWhatComesByChanceIsNotDecided(t *testing.T) {
	for rate, decided := range map[string]bool{
		"qps: {from: 10, to: 20, over: 2s}":                   true,
		"qps: {from: 10, to: 20, over: 2s}, arrival: poisson": false,
	} {
		for _, line := range []string{"others.sent <= 30", "others.qps <= 40"} {
			text := ofRate(rate) + "    - " + line + "\n"
			_, err := read(text)
			if (err != nil) != decided {
				t.Errorf("%s with %s: %v", line, rate, err)
			}
		}
	}
}

func TestConnectionsMayGrowAtARate(t *testing.T) {
	for load, want := range map[string]struct{ from, to int }{
		"qps: 5, while: jason, connections: {from: 2, to: 9}": {2, 9},
		"qps: 5, while: jason, connections: 7":                {7, 0},
		"qps: 5, while: jason":                                {defaultConnections, 0},
	} {
		s, err := read(ofRate(load))
		if err != nil {
			t.Fatal(err)
		}
		if plan := s.Steps[0].Cohorts[1].Plan; plan.Connections != want.from || plan.MaxConnections != want.to {
			t.Errorf("%s: %d to %d connections", load, plan.Connections, plan.MaxConnections)
		}
	}
	s, err := read(ofRate("qps: 5, requests: 9, connections: {from: 2, to: 9}"))
	if err != nil {
		t.Fatal(err)
	}
	if plan := s.Cohorts(report.Baseline, s.Steps[0])[1].Plan; plan.Requests != 3 || plan.Connections != 2 || plan.MaxConnections != 3 {
		t.Errorf("of 3 requests there are %d to %d connections", plan.Connections, plan.MaxConnections)
	}
	for load, want := range map[string]string{
		"while: jason, connections: {from: 2, to: 9}":                         "without a rate none is ever lacking",
		"qps: 5, while: jason, connections: {from: 9, to: 9}":                 "t.yaml:21:107: connections may grow from 9 to 9; the end must be above the start",
		"qps: 5, while: jason, connections: {from: 2}":                        "connections takes a whole number, or from and to, not a mapping",
		"qps: 5, while: jason, connections: {from: 2, to: 0}":                 "connections may grow from 2 to 0",
		"qps: 5, while: jason, connections: many":                             "connections takes a whole number",
		"qps: 5, while: jason, connections: 0":                                "connections is 0; it must be 1 to",
		"qps: 5, while: jason, connections: {from: 2, to: 9}, engine: fortio": "engine fortio keeps to one number of connections",
		"qps: 5, while: jason, connections: {from: 2, to: 9}, as: anna":       "each must log in before the load",
	} {
		if _, err := read(ofRate(load)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", load, err, want)
		}
	}
}
