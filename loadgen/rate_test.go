package loadgen

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// inTime fails a test that has gone wrong ten times running: a machine with much else to do
// holds up some of them, and what is wrong by itself is so each time.
func inTime(t *testing.T, check func() (wrong string)) {
	t.Helper()
	wrong := ""
	for range 10 {
		if wrong = check(); wrong == "" {
			return
		}
	}
	t.Error(wrong)
}

// Each engine begins what a rate makes due, and when: those of a ramp and those that
// arrive by chance, up to the end of the load and through a stall.
func TestEachEngineKeepsToARateThatChanges(t *testing.T) {
	const second = time.Second
	at := func(d time.Duration, qps float64) RatePoint { return RatePoint{Duration{Duration: d}, qps} }
	for name, plan := range map[string]Plan{
		"a ramp":                 {Rate: []RatePoint{at(0, 0), at(second, 200)}, Duration: Duration{Duration: second}},
		"stages with a pause":    {Rate: []RatePoint{at(0, 100), at(second/4, 100), at(second/4, 0), at(second/2, 0), at(second/2, 100)}, Duration: Duration{Duration: second}},
		"by chance":              {QPS: 100, Arrival: ArrivalPoisson, Seed: 7, Duration: Duration{Duration: second}},
		"a ramp by chance":       {Rate: []RatePoint{at(0, 20), at(second, 180)}, Arrival: ArrivalPoisson, Requests: 60},
		"a number up a ramp":     {Rate: []RatePoint{at(0, 50), at(second, 150)}, Requests: 60},
		"a ramp to nothing":      {Rate: []RatePoint{at(0, 200), at(second/2, 0)}, Requests: 50},
		"a ramp that is stalled": {Rate: []RatePoint{at(0, 20), at(second, 180)}, Requests: 60, Connections: 1},
	} {
		for _, engine := range engines {
			t.Run(name+", "+engine, func(t *testing.T) {
				stall := time.Duration(0)
				plan.Engine = engine
				if plan.Connections == 1 {
					stall = second / 5
				} else {
					plan.Connections = 20
				}
				inTime(t, func() string {
					plan.HTTP = get(stalling(t, stall))
					return rateUnlike(plan, run(t, plan), stall)
				})
			})
		}
	}
}

// rateUnlike says how a load came otherwise than its rate would have it; empty: it did not.
func rateUnlike(plan Plan, r *Result, stall time.Duration) string {
	owed := plan.Requests
	if owed == 0 {
		owed = plan.Owed(plan.Duration.Duration, r.Seed)
	}
	last, asked := plan.Due(r.Sent-1, r.Seed), plan.Asked(r.LastBegun.Duration)
	longest, _ := r.Response.Max()
	switch {
	case r.Sent < owed-2 || r.Sent > owed || r.Missed != 0: // the last are due as it ends
		return fmt.Sprintf("sent %d and missed %d of the %d that were due", r.Sent, r.Missed, owed)
	case r.LastBegun.Duration < last || r.LastBegun.Duration > last+200*time.Millisecond:
		return fmt.Sprintf("the last began at %v, and was due at %v", r.LastBegun, last)
	case (r.Seed != 0) != (plan.Arrival != "") || plan.Seed != 0 && r.Seed != plan.Seed || len(r.Rate) != len(plan.Rate):
		return fmt.Sprintf("seed %d and rate %v, of a plan with %d and %v", r.Seed, r.Rate, plan.Seed, plan.Rate)
	case r.TargetQPS != asked || asked == 0:
		return fmt.Sprintf("%v a second were asked for, and %v are said to be", asked, r.TargetQPS)
	case longest < stall || stall > 0 && r.Late < 3:
		return fmt.Sprintf("the longest took %v, %d were late", longest, r.Late)
	}
	return ""
}

// A companion goes on with its last rate, and owes nothing beyond the end of the other.
func TestACompanionGoesOnWithItsLastRate(t *testing.T) {
	url := startHTTP(t, func(http.ResponseWriter, *http.Request) {})
	const ms = time.Millisecond
	inTime(t, func() string {
		results, err := RunGroup(t.Context(), map[string]Plan{
			"jason":  {HTTP: get(url), Connections: 1, Requests: 40, QPS: 40},
			"others": {HTTP: get(url), Connections: 4, Rate: []RatePoint{{QPS: 10}, {At: Duration{Duration: 300 * ms}, QPS: 90}}, While: "jason"},
		}, Bounds{}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		others := results["others"]
		plan := Plan{Rate: others.Rate}
		if due := plan.Owed(others.Elapsed.Duration, 0); others.Sent < due-3 || others.Sent > due || others.Missed != 0 || others.Sent < 70 {
			return fmt.Sprintf("sent %d and missed %d of the %d that were due in %v", others.Sent, others.Missed, due, others.Elapsed)
		}
		return ""
	})
}

// A rate to which the loads of two runs keep by the same seed is the same, and else another.
func TestASeedRepeatsTheArrivals(t *testing.T) {
	plan := Plan{QPS: 50, Arrival: ArrivalPoisson, Seed: 3}
	one, other := plan.draw(), plan.draw()
	if one != 3 || other != 3 {
		t.Errorf("a plan with seed 3 draws by %d and %d", one, other)
	}
	plan.Seed = 0
	if one, other = plan.draw(), plan.draw(); one == other || min(one, other) < 1 || max(one, other) > maxSeed {
		t.Errorf("a plan without one draws by %d and by %d", one, other)
	}
}
