package verdict

import (
	"testing"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/report"
)

// Whoever reads that nothing could be judged is told what was driven all the same.
func TestWhatWasNotDrivenToItsEndIsToldFromWhatWas(t *testing.T) {
	whole, cut, stopped := &report.Window{}, &report.Window{Cut: "interrupted"}, &report.Window{Cut: "too slow", Stopped: &report.Stopped{}}
	for want, windows := range map[string]check.Windows{
		"": {During: whole, Baseline: whole, Recovery: cut},
		"the load under the rule was cut off: interrupted; the baseline is whole, the recovery was not driven, and what is whole proves nothing without it": {During: cut, Baseline: whole},
		"the load under the rule was cut off: interrupted; the baseline was cut off, the recovery was not driven":                                           {During: cut, Baseline: cut},
		"the load under the rule was ended before its time; the baseline is whole, the recovery is whole, and what is whole proves nothing without it":      {During: stopped, Baseline: whole, Recovery: whole},
		"the load under the rule was not driven; the baseline was cut off, the recovery was not driven":                                                     {Baseline: cut},
	} {
		if got := incomplete(windows); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
