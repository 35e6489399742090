package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/samples"
)

func newLab() *cobra.Command {
	var seed uint64
	cmd := &cobra.Command{
		Use:       "lab [" + strings.Join(samples.Apps(), "|") + "]",
		Short:     "Keep an embedded mesh running, to look at",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: samples.Apps(),
		RunE: func(cmd *cobra.Command, args []string) error {
			app := samples.Apps()[0]
			if len(args) == 1 {
				app = args[0]
			}
			if !cmd.Flags().Changed("seed") {
				seed = newSeed()
			}
			m, err := embedded.Open(cmd.Context(), embedded.Options{App: app, Seed: seed})
			if err != nil {
				return &runError{fmt.Errorf("starting the embedded mesh: %w", err)}
			}
			if err := printLab(cmd.OutOrStdout(), m, app); err != nil {
				return err
			}
			<-cmd.Context().Done()
			return m.Close(cmd.Context())
		},
	}
	cmd.Flags().Uint64Var(&seed, "seed", 0, "repeat every draw (default: a new seed)")
	return cmd
}

// printLab prints what to open.
func printLab(w io.Writer, m *embedded.Mesh, app string) error {
	for _, line := range m.Doors() {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s is running; Ctrl-C ends it\n", app)
	return err
}
