package runner

import "github.com/meshchaos/meshchaos/report"

// end has the mesh closed, which takes as long as the last lines of the access
// logs do. Those of a mesh that goes as a whole come before.
func (r *run) end() {
	ephemeral := r.mesh.Info().Ephemeral
	if ephemeral {
		r.conclude(false)
	}
	if r.Close != nil {
		if err := r.Close(); err != nil {
			r.record.Restored = r.record.Restored && ephemeral
			r.spoil(err)
		}
	}
	r.conclude(false)
}

// spoil enters into the record what went wrong after it was judged.
func (r *run) spoil(err error) {
	r.problem("%v", err)
	if r.record.Verdict == report.Pass {
		r.record.Verdict = report.Inconclusive
	}
}
