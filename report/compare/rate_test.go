package compare

import (
	"slices"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

func TestARateThatChangesOtherwiseIsAskedForOtherwise(t *testing.T) {
	ramp := func(to float64) report.Asked {
		return report.Asked{Cohort: "others", Plan: loadgen.Plan{Connections: 4, Rate: []loadgen.RatePoint{{QPS: 10}, {At: loadgen.Duration{Duration: 30 * time.Second}, QPS: to}}}}
	}
	want := []string{"4 connections, 10 qps at 0s, 300 at 30s, before 4 connections, 10 qps at 0s, 200 at 30s"}
	if got := otherwise(ramp(200), ramp(300)); !slices.Equal(got, want) {
		t.Errorf("it is %q, want %q", got, want)
	}
	if got := otherwise(ramp(200), ramp(200)); len(got) > 0 {
		t.Errorf("of the same ramp it is %q", got)
	}
}
