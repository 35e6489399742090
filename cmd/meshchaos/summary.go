package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/report/summary"
	"github.com/meshchaos/meshchaos/report/terminal"
)

// summarize prints how several scenarios ended; beside records it goes to stderr. Who
// wants the verdicts alone has read them. Where none was begun, what is wrong with some
// stands above in full, and is not to go under among those that only did not begin.
func (f *runFlags) summarize(cmd *cobra.Command, outcomes []outcome) error {
	to := streamsOf(cmd)
	if len(outcomes) < 2 || to.quiet {
		return nil
	}
	ended := endedOf(outcomes, masking(cmd.ErrOrStderr()))
	if !slices.ContainsFunc(outcomes, func(o outcome) bool { return o.took > 0 }) {
		remark(to.err, "meshchaos: none was run; "+summary.Endings(summary.GravestFirst(ended)))
		return nil
	}
	w := f.beside(to)
	return terminal.WriteSeveral(w, ended, terminal.Options{Width: columns(w), Color: colorful(w)})
}
