package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/mutate"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/scenarios"
)

func newValidate() *cobra.Command {
	var find findFlags
	cmd := &cobra.Command{
		Use:   "validate FILE|FOLDER|NAME|-...",
		Short: "Check scenarios without running them",
		Long: `Check scenarios without running them: the file, its rules, its load and its
expectations. A scenario that names an app is also checked against what the
embedded mesh implements.

` + namesHelp,
		Args:              arguments(1, -1),
		ValidArgsFunction: scenarioNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			each, err := find.each(cmd, args)
			var wrong []error
			for _, one := range each {
				if one.err == nil {
					one.err = validate(cmd.ErrOrStderr(), one.scenario)
				}
				if one.err != nil {
					wrong = append(wrong, one.err)
					continue
				}
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", wordOrigin(one.scenario)); err != nil {
					return fmt.Errorf("printing what is right: %w", err)
				}
			}
			return errors.Join(append(wrong, err)...)
		},
	}
	find.add(cmd)
	addSet(cmd, &find.set)
	return cmd
}

// wordOrigin names a scenario by its file, or says that it is the library's.
func wordOrigin(s *scenarios.Scenario) string {
	if s.Library {
		return s.Name + " of the library"
	}
	return s.File
}

// validate checks one scenario and prints its warnings.
func validate(stderr io.Writer, s *scenarios.Scenario) error {
	var stages []runner.Stage
	if s.App != "" {
		var err error
		if stages, err = admitEmbedded(s); err != nil {
			return err
		}
		if err := mutate.Excuses(s); err != nil {
			return err
		}
	}
	warn(stderr, s.Warnings)
	var caught []string
	for _, stage := range stages {
		warn(stderr, stage.Warnings)
		caught = append(caught, stage.Caught...)
	}
	if s.App != "" { // else there may be more in a mesh
		warn(stderr, s.IdleSilences(caught))
	}
	return nil
}

// warn prints what a scenario's file, or an option, is probably not meant to say.
func warn(stderr io.Writer, warnings []scenarios.Warning) {
	for _, w := range warnings {
		remark(stderr, fmt.Sprintf("%s: warning: %s", w.Place(), w.Words()))
	}
}

// admitEmbedded plans the scenario on an embedded mesh without rules, as it is
// before every run, and asks whether it implements what would be written.
func admitEmbedded(s *scenarios.Scenario) ([]runner.Stage, error) {
	services, err := embedded.Services(s.App)
	if err != nil {
		return nil, err
	}
	workloads, err := embedded.Workloads(s.App)
	if err != nil {
		return nil, err
	}
	stages, err := runner.Plan(runner.Site{Namespace: embedded.Namespace, Services: services, Workloads: workloads, Closed: true, Beyond: runner.Alone()}, s, "validate")
	if err != nil {
		return nil, ofFile(s, err)
	}
	for _, stage := range stages {
		if err := stage.Placed(embedded.Admit(s.App, stage.Objects())); err != nil {
			return nil, ofFile(s, err)
		}
	}
	return stages, nil
}
