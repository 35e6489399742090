package loadgen

import (
	"math"
	"testing"
	"time"
)

func TestALoadLastsNoLongerThanItsPlanLets(t *testing.T) {
	for name, test := range map[string]struct {
		plan     Plan
		from, to time.Duration
	}{
		"until another ends":        {Plan{Connections: 2, While: "a"}, 0, 0},
		"a number in a closed loop": {Plan{Connections: 2, Requests: 9, Timeout: Duration{Duration: time.Second}}, 5 * time.Second, 10 * time.Second},
		"somebody who thinks":       {Plan{Connections: 2, Requests: 9, Timeout: Duration{Duration: time.Second}, Think: &Think{To: Duration{Duration: 2 * time.Second}}}, 15 * time.Second, 20 * time.Second},
		"a number at a rate":        {Plan{Connections: 2, Requests: 100, QPS: 2, Timeout: Duration{Duration: time.Millisecond}}, 50 * time.Second, 51 * time.Second},
		"a time":                    {Plan{Connections: 2, Duration: Duration{Duration: 20 * time.Second}, Timeout: Duration{Duration: time.Second}}, 21 * time.Second, 25 * time.Second},
		"whichever comes first":     {Plan{Connections: 1, Requests: 1000, Duration: Duration{Duration: 20 * time.Second}, Timeout: Duration{Duration: time.Second}}, 21 * time.Second, 25 * time.Second},
		"after a warm-up":           {Plan{Connections: 1, Requests: 1, Warmup: 30, Timeout: Duration{Duration: time.Second}}, 31 * time.Second, 35 * time.Second},
		"more than there is time":   {Plan{Connections: 1, Requests: math.MaxInt64, Warmup: math.MaxInt64, QPS: 1e-300, Timeout: Duration{Duration: time.Hour}}, time.Hour, math.MaxInt64},
	} {
		if got := test.plan.Longest(); got < test.from || got > test.to {
			t.Errorf("%s: %s, want between %s and %s", name, got, test.from, test.to)
		}
	}
}
