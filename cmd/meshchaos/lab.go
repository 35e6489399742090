package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/internal/samples"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// labFlags are those of lab.
type labFlags struct {
	seed uint64
	step string
	set  []string
}

func newLab() *cobra.Command {
	var f labFlags
	cmd := &cobra.Command{
		Use:   "lab [APP|FILE|NAME|-]",
		Short: "Keep an embedded mesh running, to look at",
		Long: `Keep an embedded mesh running, to look at: a sample application without rules,
or that of a scenario with its rules in force. These are what is given and those
of the first step, or of the steps up to --step; --step given has none of the
latter.

The applications are ` + strings.Join(samples.Apps(), ", ") + `.`,
		Example:           "  meshchaos lab bookinfo\n  meshchaos lab delay-jason\n  meshchaos lab timeout-reviews --step half-a-second",
		Args:              arguments(0, 1),
		ValidArgsFunction: labNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("seed") {
				f.seed = newSeed()
			}
			app := samples.Apps()[0]
			if len(args) == 1 {
				app = args[0]
			}
			if slices.Contains(samples.Apps(), app) {
				if f.step != "" || len(f.set) > 0 {
					return errors.New("reading --step and --set: they are about a scenario; name one")
				}
				return f.run(cmd, app, nil)
			}
			s, err := read(cmd, app, f.set)
			var placed *scenarios.Error
			switch {
			case errors.As(err, &placed):
				return err // it is a scenario, if a wrong one
			case err != nil:
				return fmt.Errorf("%w; of the applications there are %s", err, strings.Join(samples.Apps(), ", "))
			}
			if s.App == "" {
				return fmt.Errorf("%s: the scenario names no app, so there is nothing to start on the embedded mesh; add app: bookinfo", s.File)
			}
			return f.run(cmd, s.App, s)
		},
	}
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "repeat every draw (default: a new seed)")
	cmd.Flags().StringVar(&f.step, "step", "", "the step of the scenario whose rules are to be in force (default: the first)")
	complete(cmd, "step", stepNames)
	addSet(cmd, &f.set)
	return cmd
}

// run keeps a mesh running until the command is interrupted; with the rules of a
// scenario, if there is one.
func (f *labFlags) run(cmd *cobra.Command, app string, s *scenarios.Scenario) error {
	ctx := cmd.Context()
	m, err := embedded.Open(ctx, embedded.Options{App: app, Seed: f.seed})
	if err != nil {
		return &runError{fmt.Errorf("starting the embedded mesh: %w", err)}
	}
	if err := f.show(ctx, cmd.OutOrStdout(), m, app, s); err != nil {
		return errors.Join(err, m.Close(ctx))
	}
	<-ctx.Done()
	return m.Close(ctx)
}

// show prints what to open, and what is in force.
func (f *labFlags) show(ctx context.Context, w io.Writer, m *embedded.Mesh, app string, s *scenarios.Scenario) error {
	lines := m.Doors()
	title := app + " is running"
	if s != nil {
		stages, err := runner.Impose(ctx, m, s, f.step, "lab")
		if err != nil {
			return notRun(s, err)
		}
		lines = append(inForce(s, stages), lines...)
		title = fmt.Sprintf("%s is running under %s of %s", app, s.Name, s.Origin())
	}
	_, err := fmt.Fprintf(w, "%s\n\n%s; Ctrl-C ends it\n", strings.Join(lines, "\n"), title)
	return err
}

// inForce says which rules are, and what the scenario would send.
func inForce(s *scenarios.Scenario, stages []runner.Stage) []string {
	var lines []string
	of := map[string]string{}
	for _, stage := range stages {
		for _, change := range stage.Changes {
			ref := change.Ref().String()
			of[ref] = strings.TrimPrefix(of[ref]+", "+report.StageName(stage.Name), ", ")
		}
	}
	for _, stage := range stages {
		for _, change := range stage.Changes {
			if by := of[change.Ref().String()]; by != "" {
				lines = append(lines, embedded.Door("rule", change.Ref().Kind, change.Ref().Name+" of "+by))
				delete(of, change.Ref().String())
			}
		}
	}
	step := s.Steps[max(0, len(stages)-2)]
	for _, cohort := range step.Cohorts {
		lines = append(lines, embedded.Door("load", cohort.Name, wordTarget(s.HidePlan(cohort.Plan))))
	}
	return lines
}

// labNames completes the applications and the library; files are completed beside
// them.
func labNames(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return append(samples.Apps(), scenarios.Names()...), cobra.ShellCompDirectiveDefault
}
