package verdict

import (
	"fmt"

	"github.com/meshchaos/meshchaos/report"
)

// conclude tells what a pass has shown. A sentence that lacks an amount is left out, and
// the others with it: they may go on from there.
func (j *Judgement) conclude(r run) {
	var all []report.Conclusion
	whole := true
	for _, step := range r.scenario.Steps {
		if step.Conclusion == nil {
			continue
		}
		text, amounts, missing := step.Conclusion.Tell(r.windows(step.Name))
		if missing != "" {
			whole = false
			j.Warnings = append(j.Warnings, fmt.Sprintf("the conclusion%s is left out: %s", ofStep(step.Name), missing))
			continue
		}
		all = append(all, report.Conclusion{Step: step.Name, Line: step.Conclusion.Line, Text: text, Amounts: amounts})
	}
	if whole {
		j.Conclusions = all
	}
}

func ofStep(name string) string {
	if name == "" {
		return ""
	}
	return " of step " + name
}
