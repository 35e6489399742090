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
		Args:              cobra.MinimumNArgs(1),
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
				fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", wordOrigin(one.scenario))
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
	if s.App != "" {
		if err := admitEmbedded(stderr, s); err != nil {
			return err
		}
		if err := mutate.Excuses(s); err != nil {
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
