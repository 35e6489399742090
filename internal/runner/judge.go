package runner

import "github.com/meshchaos/meshchaos/internal/verdict"

// judge enters into the record what the run means, after everything was undone.
func (r *run) judge() {
	j := verdict.Judge(r.record, r.scenario)
	r.record.Verdict, r.record.Expectations = j.Verdict, j.Expectations
	r.record.Problems = append(r.record.Problems, j.Problems...)
	r.record.Warnings = append(r.record.Warnings, j.Warnings...)
}
