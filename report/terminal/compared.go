package terminal

import (
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
)

// compared prints what has changed since an earlier run.
func (p *printer) compared(r *report.Record, wide bool) {
	if text := compare.Since(r, wide); text != "" {
		p.line("")
		p.failed(Fold(p.w, text, p.width))
	}
}
