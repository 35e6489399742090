package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// planFlags are those of plan.
type planFlags struct {
	mesh   meshFlags
	set    []string
	noLog  bool
	gitOps bool
	output string
}

func newPlan() *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan FILE|NAME|-",
		Short: "Print what a run would write, and write nothing",
		Long: `Print what a run would write, stage by stage, merged into the objects that are
in force now: how each would differ from what is there, as diff -u has it, or
with -o yaml the objects whole. Nothing is written and no load is driven.

What a run would refuse is refused, all of it at once.`,
		Args:              arguments(1, 1),
		ValidArgsFunction: scenarioName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.mesh.check(cmd); err != nil {
				return err
			}
			s, err := read(cmd, args[0], f.set)
			if err != nil {
				return err
			}
			return f.print(cmd, s)
		},
	}
	addSet(cmd, &f.set)
	f.mesh.add(cmd, namespaceLetter)
	addNoAccessLog(cmd, &f.noLog)
	addAllowGitOps(cmd, &f.gitOps)
	addOutput(cmd, &f.output, "diff", "yaml")
	return cmd
}

func (f *planFlags) print(cmd *cobra.Command, s *scenarios.Scenario) error {
	ctx := cmd.Context()
	m, err := f.mesh.open(ctx, s, 0, "plan", func(words string) { remark(cmd.ErrOrStderr(), words) })
	if err != nil {
		return err
	}
	defer m.Close(ctx)
	planned, err := runner.PlanOn(ctx, m, s, runner.Options{ID: "plan", NoAccessLog: f.noLog, AllowGitOps: f.gitOps})
	if err != nil {
		return notRun(s, err)
	}
	for _, warning := range planned.Warnings {
		remark(cmd.ErrOrStderr(), "warning: "+warning)
	}
	p := planPrinter{w: cmd.OutOrStdout(), whole: f.output == "yaml", color: colorful(cmd.OutOrStdout()), stands: map[rules.Ref]standing{}, hide: s.HideObject}
	for _, stage := range planned.Stages {
		for _, change := range stage.Changes {
			if err := p.print(change, s.Name+": "+report.StageName(stage.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// planPrinter prints the changes of a run in their order.
type planPrinter struct {
	w      io.Writer
	whole  bool // the objects, rather than what becomes different
	color  bool
	stands map[rules.Ref]standing
	hide   func(manifest []byte) []byte // masks what is secret in it
}

// standing is an object as the run has it at some time.
type standing struct {
	by     string        // who wrote it
	text   string        // YAML
	before *rules.Object // the one before the run; nil: there was none
}

func (p *planPrinter) print(change rules.Change, stage string) error {
	was, known := p.stands[change.Ref()]
	if !known {
		was = standing{by: "in force", before: change.Before}
		if change.Before != nil {
			var err error
			if was.text, err = p.written(change.Before, nil); err != nil {
				return err
			}
		}
	}
	is, err := p.written(change.After, was.before)
	if err != nil {
		return err
	}
	p.stands[change.Ref()] = standing{by: stage, text: is, before: was.before}
	action := "updates"
	if change.Before == nil {
		action = "creates"
	}
	if p.whole {
		_, err = fmt.Fprintf(p.w, "---\n# %s %s %s\n%s", stage, action, change.Ref(), is)
		return err
	}
	text := strings.TrimSuffix(udiff.Unified(was.by, stage, was.text, is), "\n")
	if p.color {
		text = painted(text)
	}
	_, err = fmt.Fprintf(p.w, "# %s %s %s\n%s\n", stage, action, change.Ref(), text)
	return err
}

// written is an object as YAML, without what is secret in it.
func (p *planPrinter) written(o, before *rules.Object) (string, error) {
	manifest, err := rules.Standing(o, before)
	if err != nil {
		return "", err
	}
	text, err := yaml.JSONToYAML(p.hide(manifest))
	return string(text), err
}

// painted colours the lines of a diff as git does.
func painted(diff string) string {
	lines := strings.Split(diff, "\n")
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "+"):
			lines[i] = "\x1b[32m" + line + "\x1b[0m"
		case strings.HasPrefix(line, "-"):
			lines[i] = "\x1b[31m" + line + "\x1b[0m"
		}
	}
	return strings.Join(lines, "\n")
}
