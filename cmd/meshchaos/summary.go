package main

import (
	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/report/terminal"
)

// summarize prints how several scenarios ended; beside records it goes to stderr. Who
// wants the verdicts alone has read them.
func (f *runFlags) summarize(cmd *cobra.Command, outcomes []outcome) error {
	to := streamsOf(cmd)
	if len(outcomes) < 2 || to.quiet {
		return nil
	}
	w := f.beside(to)
	return terminal.WriteSeveral(w, endedOf(outcomes, func(text string) string { return text }), terminal.Options{Width: columns(w), Color: colorful(w)})
}
