package scenarios

import (
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

func TestABaselineTakesAThirdOfTheLoadAndWhatItsExpectationsNeed(t *testing.T) {
	for _, test := range []struct {
		plan, want loadgen.Plan
		needed     int64
	}{
		{plan: loadgen.Plan{Requests: 100}, want: loadgen.Plan{Requests: 34}},
		{plan: loadgen.Plan{Requests: 100}, needed: 20, want: loadgen.Plan{Requests: 34}},
		{plan: loadgen.Plan{Requests: 100}, needed: 1000, want: loadgen.Plan{Requests: 1000}},
		{plan: loadgen.Plan{While: "jason"}, needed: 1000, want: loadgen.Plan{While: "jason"}},
		{plan: loadgen.Plan{Duration: loadgen.Duration{Duration: 30 * time.Second}}, want: loadgen.Plan{Duration: loadgen.Duration{Duration: 10 * time.Second}}},
		{plan: loadgen.Plan{Duration: loadgen.Duration{Duration: 30 * time.Second}}, needed: 1000, want: loadgen.Plan{Duration: loadgen.Duration{Duration: 30 * time.Second}}},
		{plan: loadgen.Plan{Duration: loadgen.Duration{Duration: 30 * time.Second}, QPS: 50}, needed: 100, want: loadgen.Plan{Duration: loadgen.Duration{Duration: 10 * time.Second}, QPS: 50}},
		{plan: loadgen.Plan{Duration: loadgen.Duration{Duration: 30 * time.Second}, QPS: 50}, needed: 1000, want: loadgen.Plan{Duration: loadgen.Duration{Duration: 22 * time.Second}, QPS: 50}},
		{plan: loadgen.Plan{Duration: loadgen.Duration{Duration: loadgen.MinDuration}}, want: loadgen.Plan{Duration: loadgen.Duration{Duration: loadgen.MinDuration}}},
		{plan: loadgen.Plan{Requests: 6, Connections: 4}, want: loadgen.Plan{Requests: 2, Connections: 2}},
		{plan: loadgen.Plan{Requests: 6, Connections: 4}, needed: 20, want: loadgen.Plan{Requests: 20, Connections: 4}},
	} {
		cohorts := []mesh.Cohort{{Name: "others", Plan: loadgen.Plan{Requests: 3}}, {Name: "jason", Plan: test.plan}}
		needed := func(cohort mesh.Cohort) int64 { return map[string]int64{"jason": test.needed}[cohort.Name] }
		got := scale(cohorts, third, needed)
		if plan := got[1].Plan; plan.Requests != test.want.Requests || plan.Duration != test.want.Duration || plan.Connections != test.want.Connections || got[0].Plan.Requests != 1 {
			t.Errorf("%+v with %d needed becomes %+v", test.plan, test.needed, plan)
		}
	}
}

func TestALoadStaysWholeForTheSamplesOfWhomItOutlives(t *testing.T) {
	cohorts := []mesh.Cohort{
		{Name: "jason", Plan: loadgen.Plan{Requests: 9, Connections: 3}},
		{Name: "others", Plan: loadgen.Plan{While: "jason", QPS: 20}},
	}
	for needed, want := range map[int64]int64{0: 3, 100: 9} {
		got := scale(cohorts, third, func(cohort mesh.Cohort) int64 { return map[string]int64{"others": needed}[cohort.Name] })
		if got[0].Plan.Requests != want || got[0].Plan.Connections != 3 {
			t.Errorf("where the others need %d, jason sends %d of 9", needed, got[0].Plan.Requests)
		}
	}
}
