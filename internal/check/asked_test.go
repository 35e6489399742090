package check

import (
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

// Who thinks for a second behind each request sends no more than one a second, whatever the
// service does, and who says so has said nothing. So it is of a rate that is kept to evenly, and
// of the time that a request takes at the most.
func TestWhatIsAskedOfALoadBoundsItsRate(t *testing.T) {
	second := loadgen.Duration{Duration: time.Second}
	think := &loadgen.Think{From: second, To: second}
	longer := &loadgen.Think{From: second, To: loadgen.Duration{Duration: time.Hour}}
	for _, test := range []struct {
		name string
		plan loadgen.Plan
		line string
		can  bool // fail
	}{
		{"a duration", loadgen.Plan{Connections: 2, Duration: loadgen.Duration{Duration: 4 * time.Second}, Think: think}, "c.qps < 2.6", false},
		{"a duration", loadgen.Plan{Connections: 2, Duration: loadgen.Duration{Duration: 4 * time.Second}, Think: think}, "c.qps < 2", true},
		{"a number", loadgen.Plan{Connections: 2, Requests: 6, Think: think}, "c.qps < 3.1", false},
		{"a number", loadgen.Plan{Connections: 2, Requests: 6, Think: think}, "c.qps < 2.9", true},
		{"one each", loadgen.Plan{Connections: 2, Requests: 2, Think: think}, "c.qps < 1000", true},
		{"beside another", loadgen.Plan{Connections: 2, While: "d", Think: think}, "c.qps < 1000", true},
		{"none", loadgen.Plan{Connections: 2, Requests: 6}, "c.qps < 1000", true},
		{"none", loadgen.Plan{Connections: 2, Requests: 6}, "c.qps > 0.001", false},
		{"an hour at the most", loadgen.Plan{Connections: 2, Requests: 6, Think: longer}, "c.qps > 0.001", true},
		{"at a rate", loadgen.Plan{Connections: 2, QPS: 10, Requests: 100}, "c.qps < 11", false},
		{"by chance", loadgen.Plan{Connections: 2, QPS: 10, Requests: 100, Arrival: loadgen.ArrivalPoisson}, "c.qps < 11", true},
	} {
		test.plan.HTTP = &loadgen.HTTP{URL: "http://a/"}
		scope := Scope{Cohorts: []string{"c"}, Bounds: map[Load]Bounds{{Window: "during", Cohort: "c"}: BoundsOf(test.plan)}}
		if _, err := Compile(scope, test.line); (err == nil) != test.can {
			t.Errorf("%s: %s: %v", test.name, test.line, err)
		}
	}
}
