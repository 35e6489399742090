package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/rules"
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
				s, err := scenarios.Find(name)
				if err == nil && s.App != "" {
					err = admitEmbedded(s)
				}
				if err != nil {
					wrong = append(wrong, err)
					continue
				}
				for _, w := range s.Warnings {
					fmt.Fprintf(cmd.ErrOrStderr(), "%s:%d: warning: %s\n", s.File, w.Line, w.Message)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", name)
			}
			return errors.Join(wrong...)
		},
	}
}

// admitEmbedded plans the scenario on an embedded mesh without rules, as it is
// before every run, and asks whether it implements what would be written.
func admitEmbedded(s *scenarios.Scenario) error {
	services, err := embedded.Services(s.App)
	if err != nil {
		return err
	}
	stages, err := runner.Plan(nil, services, embedded.Namespace, s, "validate")
	if err != nil {
		return fmt.Errorf("%s: %w", s.File, err)
	}
	for _, stage := range stages {
		var wanted []*rules.Object
		for _, change := range stage.Changes {
			wanted = append(wanted, change.After)
		}
		if err := embedded.Admit(s.App, wanted); err != nil {
			return fmt.Errorf("%s: %w", s.File, err)
		}
	}
	return nil
}
