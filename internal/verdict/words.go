package verdict

import (
	"fmt"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// wordWindow names a window in a sentence.
func wordWindow(w *report.Window) string {
	switch {
	case w.Name == report.During && w.Step != "":
		return "load of step " + w.Step
	case w.Name == report.During:
		return "load under the rule"
	}
	return w.Name
}

// wordOutcome words the sort of an outcome.
func wordOutcome(o loadgen.Outcome) string {
	if o.Error != "" {
		return "error " + o.Error
	}
	return fmt.Sprintf("status %d", o.Status)
}
