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
	var ended []terminal.Ended
	for _, o := range outcomes {
		ended = append(ended, terminal.Ended{Name: o.name, Word: o.word, Why: o.why, Took: o.took})
	}
	return terminal.WriteSeveral(w, ended, terminal.Options{Width: columns(w), Color: colorful(w)})
}
