package verdict

import (
	"fmt"

	"github.com/meshchaos/meshchaos/report"
)

// unjudged names the conditions of abortWhen that could not be judged of the load of a
// step: nobody knows whether what must not come true did.
func unjudged(r run, w *report.Window) []string {
	var problems []string
	for _, step := range r.scenario.Steps {
		if w.Name != report.During || step.Name != w.Step {
			continue
		}
		for _, c := range step.AbortWhen {
			if why := c.Unjudged(w.Loads); why != "" && c.Judgeable(step) {
				problems = append(problems, fmt.Sprintf("%s: abortWhen: %s could not be judged: %s; let another condition count what ended so, as errors or by its status",
					w.Words(), c.Text(), why))
			}
		}
	}
	return problems
}
