package terminal

import (
	"strings"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
)

// compared prints what has changed since an earlier run.
func (p *printer) compared(r *report.Record, wide bool) {
	if r.ComparedWith == nil || r.ComparedWith.Comparison == nil {
		return
	}
	p.line("")
	p.line("compared with an earlier run:")
	var text strings.Builder
	_ = compare.Text(&text, r.ComparedWith.Comparison, wide) // which has no end
	if err := Fold(p.w, text.String(), p.width); err != nil && p.err == nil {
		p.err = err
	}
}
