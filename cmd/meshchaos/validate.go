package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/scenarios"
)

func newValidate() *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE|NAME...",
		Short: "Check scenarios without running them",
		Long: `Check scenarios without running them: the file, its rules, its load and its
expectations. A scenario that names an app is also checked against what the
embedded mesh implements.`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: scenarioNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			var wrong []error
			for _, name := range names {
				if err := validate(cmd.ErrOrStderr(), name); err != nil {
					wrong = append(wrong, err)
					continue
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", name)
			}
			return errors.Join(wrong...)
		},
	}
}

// validate checks one scenario and prints its warnings.
func validate(stderr io.Writer, name string) error {
	s, err := scenarios.Find(name)
	if err != nil {
		return err
	}
	if s.App != "" {
		if err := admitEmbedded(stderr, s); err != nil {
			return err
		}
	}
	warn(stderr, s)
	return nil
}

// warn prints what a scenario's file, or an option, is probably not meant to say.
func warn(stderr io.Writer, s *scenarios.Scenario) {
	for _, w := range s.Warnings {
		place := s.File
		if w.Line > 0 {
			place = fmt.Sprintf("%s:%d", s.File, w.Line)
		}
		fmt.Fprintf(stderr, "%s: warning: %s\n", place, w.Message)
	}
}

// admitEmbedded plans the scenario on an embedded mesh without rules, as it is
// before every run, and asks whether it implements what would be written.
func admitEmbedded(stderr io.Writer, s *scenarios.Scenario) error {
	services, err := embedded.Services(s.App)
	if err != nil {
		return err
	}
	stages, err := runner.Plan(runner.Site{Namespace: embedded.Namespace, Services: services, Closed: true, Beyond: runner.Alone()}, s, "validate")
	if err != nil {
		return ofFile(s, err)
	}
	for _, stage := range stages {
		if err := embedded.Admit(s.App, stage.Objects()); err != nil {
			return ofFile(s, err)
		}
		for _, w := range stage.Warnings {
			fmt.Fprintf(stderr, "%s: warning: %s: %s: %s\n", s.File, w.Ref, w.Path, w.Message)
		}
	}
	return nil
}
