package terminal

import (
	"fmt"
	"strings"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// failures print what failed: what was observed, what was asked, the load of which that
// is said, and the calls that explain it.
func (p *printer) failures(r *report.Record) {
	for _, f := range summary.Failures(r) {
		p.line("")
		for _, e := range f.Expectations {
			mark := p.verdict(e.Verdict) + "  "
			margin := strings.Repeat(" ", len("FAIL  "))
			p.fold(mark, margin, summary.InStep(e.Expression, e.Step))
			p.fold(margin, margin, summary.Observation(r, e))
			if reason := summary.Telling(e); reason != "" {
				p.fold(margin, margin, reason)
			}
		}
		for _, l := range f.Loads {
			p.fold("  ", "    ", fmt.Sprintf("%s %s: %s", l.Cohort, summary.In(l.Window), wordLoad(l, false)))
		}
		for _, tree := range f.Trees {
			p.tree(tree)
		}
	}
}

// inconclusive prints why expectations could not be judged, each reason once.
func (p *printer) inconclusive(r *report.Record) {
	for _, u := range summary.Inconclusive(r) {
		p.line("")
		which := u.Which(r)
		for i := range which {
			which[i] = p.whole(which[i], len("inconclusive  "))
		}
		mark := p.verdict(report.Inconclusive) + "  "
		margin := strings.Repeat(" ", len("inconclusive  "))
		p.fold(mark, margin, strings.Join(which, "; "))
		p.fold(margin, margin, u.Reason)
	}
}
