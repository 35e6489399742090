package main

import (
	"cmp"
	"fmt"
	"io"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/scenarios"
)

func newPlan() *cobra.Command {
	var mesh meshFlags
	var noAccessLog bool
	var set []string
	cmd := &cobra.Command{
		Use:   "plan FILE|NAME|-",
		Short: "Print what a run would write, and write nothing",
		Long: `Print what a run would write, stage by stage, merged into the objects that are
in force now. Nothing is written and no load is driven.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: scenarioName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := mesh.check(cmd); err != nil {
				return err
			}
			s, err := read(cmd, args[0], set)
			if err != nil {
				return err
			}
			return printPlan(cmd, &mesh, s, noAccessLog)
		},
	}
	addSet(cmd, &set)
	mesh.add(cmd)
	addNoAccessLog(cmd, &noAccessLog)
	return cmd
}

func printPlan(cmd *cobra.Command, flags *meshFlags, s *scenarios.Scenario, noAccessLog bool) error {
	ctx := cmd.Context()
	m, err := flags.open(ctx, s, 0, "plan", func(words string) { remark(cmd.ErrOrStderr(), words) })
	if err != nil {
		return err
	}
	defer m.Close(ctx)
	planned, err := runner.PlanOn(ctx, m, s, runner.Options{ID: "plan", NoAccessLog: noAccessLog})
	if err != nil {
		return notRun(s, err)
	}
	for _, warning := range planned.Warnings {
		remark(cmd.ErrOrStderr(), "warning: "+warning)
	}
	for _, stage := range planned.Stages {
		if err := printStage(cmd.OutOrStdout(), s, stage); err != nil {
			return err
		}
	}
	return nil
}

// printStage prints the objects of a stage as YAML documents.
func printStage(w io.Writer, s *scenarios.Scenario, stage runner.Stage) error {
	for _, change := range stage.Changes {
		manifest, err := change.After.Encode()
		if err != nil {
			return err
		}
		text, err := yaml.JSONToYAML(manifest)
		if err != nil {
			return err
		}
		action := "creates"
		if change.Before != nil {
			action = "updates"
		}
		if _, err := fmt.Fprintf(w, "---\n# %s: %s %s %s\n%s", s.Name, listOf(stage), action, change.Ref(), text); err != nil {
			return err
		}
	}
	return nil
}

// listOf names the list of a file that a stage comes from: given, a step, or apply of a
// scenario without steps.
func listOf(stage runner.Stage) string { return cmp.Or(stage.Name, "apply") }
