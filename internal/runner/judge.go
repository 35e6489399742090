package runner

import "github.com/meshchaos/meshchaos/internal/verdict"

// judge enters into the record what the run means, after everything was undone.
func (r *run) judge() {
	j := verdict.Judge(r.record, r.scenario)
	r.record.Verdict, r.record.Expectations = j.Verdict, j.Expectations
	r.record.Doubts = j.Doubts
	r.record.Warnings = append(r.record.Warnings, j.Warnings...)
}
