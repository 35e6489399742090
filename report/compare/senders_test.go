package compare

import (
	"slices"
	"testing"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

func TestALoadOfMoreSendersIsAskedForOtherwise(t *testing.T) {
	by := func(senders int) report.Asked {
		return report.Asked{Cohort: "others", Plan: loadgen.Plan{Connections: 6, QPS: 20, Senders: senders}}
	}
	want := []string{"6 connections of 3 senders, 20 qps, before 6 connections, 20 qps"}
	if got := otherwise(by(0), by(3)); !slices.Equal(got, want) {
		t.Errorf("it is %q, want %q", got, want)
	}
}
