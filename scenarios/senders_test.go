package scenarios

import (
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/report"
)

func TestALoadMayHaveSeveralSenders(t *testing.T) {
	s, err := read(ofRate("qps: 5, requests: 9, connections: 6, senders: 6"))
	if err != nil {
		t.Fatal(err)
	}
	if plan := s.Steps[0].Cohorts[1].Plan; plan.Senders != 6 || s.Steps[0].Cohorts[1].Senders() != 6 || s.Steps[0].Cohorts[0].Senders() != 1 {
		t.Errorf("the plans are %+v", s.Steps[0].Cohorts)
	}
	// Of three requests no more than three can send some.
	if plan := s.Cohorts(report.Baseline, s.Steps[0])[1].Plan; plan.Requests != 3 || plan.Senders != 3 || plan.Validate() != nil {
		t.Errorf("the plan of the baseline is %+v", plan)
	}
	for load, want := range map[string]string{
		"qps: 5, while: jason, senders: 5":                "t.yaml:21:80: senders is 5, more than the 4 connections",
		"qps: 5, while: jason, senders: -1":               "senders is -1; it must be 1 to 100",
		"qps: 5, while: jason, senders: two":              "senders",
		"qps: 5, while: jason, connections: 6, sender: 2": "sender",
	} {
		if _, err := read(ofRate(load)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", load, err, want)
		}
	}
	fewer := 2
	if err := s.Override(Override{Connections: &fewer, Cohort: s.Steps[0].Cohorts[1].Name}); err == nil || !strings.Contains(err.Error(), "senders is 6, more than the 2 connections") {
		t.Errorf("with two connections: %v", err)
	}
}
