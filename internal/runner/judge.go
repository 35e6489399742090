package runner

import "github.com/meshchaos/meshchaos/internal/verdict"

// judge enters into the record what the run means, after everything was undone.
func (r *run) judge() {
	verdict.Judge(r.record, r.scenario).Enter(r.record)
}
