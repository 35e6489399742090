package main

import (
	"errors"
	"fmt"
	"io"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/mutate"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/terminal"
	"github.com/meshchaos/meshchaos/scenarios"
)

// mutateFlags are those of mutate.
type mutateFlags struct {
	seed     uint64
	parallel int
	output   string
	list     bool
	set      []string
}

func newMutate() *cobra.Command {
	var f mutateFlags
	cmd := &cobra.Command{
		Use:   "mutate FILE|NAME|-",
		Short: "Ask whether a scenario could fail: run it with its rules spoilt",
		Long: `Ask whether a scenario could fail. Mutants are derived from its rules, each with
one thing wrong: a rule left out, a delay halved, another version, weights
moved. Each runs on an embedded mesh of its own, and the list says which
expectation noticed, or, of one that survived, which would have.

A mutant that nothing can tell from the rule is excused in the file, with the
reason: mutants: [{id: apply[0]/delay-doubled, equivalent: "..."}].

Exit status: 0 every mutant was killed or is excused; 1 one survived, or one
that is excused was killed; 2 a bad scenario or bad usage; 3 the scenario as it
stands is no pass, or not every mutant could be run.`,
		Example:           "  meshchaos mutate delay-jason.yaml\n  meshchaos mutate canary-reviews --parallel 4 -o json",
		Args:              arguments(1, 1),
		ValidArgsFunction: scenarioName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.parallel < 1 {
				return fmt.Errorf("reading --parallel: it takes 1 or more, not %d", f.parallel)
			}
			if f.list && f.output == "json" {
				return errors.New("reading --list: it prints a line for each mutant, and no record; leave out -o json")
			}
			if !cmd.Flags().Changed("seed") {
				f.seed = newSeed()
			}
			s, err := read(cmd, args[0], f.set)
			if err != nil {
				return err
			}
			if f.list {
				return listMutants(cmd.OutOrStdout(), s)
			}
			return f.mutate(cmd, s)
		},
	}
	addSet(cmd, &f.set)
	flags := cmd.Flags()
	flags.IntVar(&f.parallel, "parallel", runtime.GOMAXPROCS(0), "how many mutants run beside each other")
	flags.Uint64Var(&f.seed, "seed", 0, "repeat every draw of the embedded mesh (default: a new seed, which is printed)")
	flags.BoolVar(&f.list, "list", false, "only list the mutants, and run none")
	addOutput(cmd, &f.output, "table", "json")
	return cmd
}

// listMutants prints the ids and what is wrong.
func listMutants(w io.Writer, s *scenarios.Scenario) error {
	all, err := mutate.Of(s)
	if err != nil {
		return ofFile(s, err)
	}
	for _, m := range all {
		if _, err := fmt.Fprintf(w, "%s: %s\n", m.ID, m.What); err != nil {
			return err
		}
	}
	return nil
}

func (f *mutateFlags) mutate(cmd *cobra.Command, s *scenarios.Scenario) error {
	signal.Ignore(syscall.SIGPIPE) // so that every mesh is closed, whoever reads
	ctx, stdout, stderr := cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	warn(stderr, s.Warnings)
	view := newProgress(stderr)
	view.phase(s.Name + ": as it stands")
	mutants := &mutantProgress{progress: view}
	m, err := mutate.Run(ctx, s, mutate.Options{
		Tool: tool(), Seed: f.seed, Parallel: f.parallel, Agent: agentProgram(), First: view.observe, Begin: mutants.begin, Done: mutants.done,
	})
	view.end()
	if err != nil {
		return notRun(s, err)
	}
	if err := f.show(stdout, m); err != nil {
		return &runError{fmt.Errorf("printing what became of the mutants: %w", err)}
	}
	if status := statusOfMutation(m); status != exitPass {
		return &verdictError{status}
	}
	return nil
}

func (f *mutateFlags) show(w io.Writer, m *report.Mutation) error {
	if f.output == "json" {
		return printJSON(w, m)
	}
	options := terminal.Options{Width: columns(w), Color: colorful(w)}
	if m.Run.Verdict == report.Pass {
		return terminal.WriteMutation(w, m, options)
	}
	_, err := fmt.Fprintf(w, "\n%s as it stands is no pass, so that none of its mutants says anything:\n", m.Scenario.Name)
	return errors.Join(err, terminal.Write(w, m.Run, options))
}

// statusOfMutation is the exit status of what became of the mutants.
func statusOfMutation(m *report.Mutation) int {
	status := exitPass
	if m.Run.Verdict != report.Pass || m.Count(report.Unknown) > 0 {
		status = exitInconclusive
	}
	if m.Count(report.Survived) > 0 {
		status = worse(status, exitFail)
	}
	for _, one := range m.Mutants {
		if one.Wrong() {
			status = worse(status, exitFail)
		}
	}
	return status
}
