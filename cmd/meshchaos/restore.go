package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/istio"
	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report/terminal"
)

// restoreFlags are those of restore.
type restoreFlags struct {
	mesh    meshFlags
	run     string
	all     bool
	overdue time.Duration
	dryRun  bool
}

func newRestore() *cobra.Command {
	f := restoreFlags{mesh: meshFlags{kind: mesh.Istio}}
	cmd := &cobra.Command{
		Use:   "restore [--run ID|--all]",
		Short: "Undo what runs that were killed have left on a cluster",
		Long: `Undo what runs have left on a cluster that were killed, or could not undo
everything, by the ledger that each keeps there; prove that it is undone, and
take the ledger and the run's load pod away. It may be repeated at will.

Without --run and --all it says which runs have left something.

Exit status: 0 nothing is left; 2 bad usage, or the run is under way; 3 the
cluster does not answer; 4 not everything could be restored.`,
		Example: "  meshchaos restore --namespace shop\n  meshchaos restore --namespace shop --run 0c1f3a52\n  meshchaos restore --namespace shop --all --dry-run",
		Args:    namedBy("run", "run"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.restore(cmd) },
	}
	f.mesh.addCluster(cmd, namespaceLetter)
	flags := cmd.Flags()
	flags.StringVar(&f.run, "run", "", "the run whose rules to undo")
	flags.BoolVar(&f.all, "all", false, "undo those of every run that is over")
	flags.DurationVar(&f.overdue, "overdue", 0, "leave alone for so long what has ended, for whoever may be at it")
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what would be done, and write nothing")
	for _, name := range []string{"run", "overdue"} {
		complete(cmd, name, cobra.NoFileCompletions)
	}
	return cmd
}

// check refuses what does not go together.
func (f *restoreFlags) check(cmd *cobra.Command) error {
	switch {
	case f.run != "" && f.all:
		return errors.New("reading --run: --all stands for every run; leave one of them out")
	case f.run != "" && cmd.Flags().Changed("overdue"):
		return errors.New("reading --run: it names a run, which is undone however short its end is ago, and --overdue spares some; leave one of them out")
	case f.overdue < 0:
		return fmt.Errorf("reading --overdue: it takes a time from 0s on, not %v", f.overdue)
	}
	return nil
}

func (f *restoreFlags) restore(cmd *cobra.Command) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	ctx := cmd.Context()
	m, err := istio.Open(ctx, f.mesh.options("restore", func(words string) { remark(cmd.ErrOrStderr(), words) }))
	if err != nil {
		return notOpened(ctx, err)
	}
	defer m.Close(context.WithoutCancel(ctx))
	ledgers, err := m.Ledgers(ctx)
	if err != nil {
		return notRead(err, m.Info().Namespace)
	}
	chosen, err := f.choose(cmd, ledgers, m.Info().Namespace)
	if err != nil {
		return err
	}
	status := exitPass
	for _, ledger := range chosen {
		one := f.undo
		if f.dryRun {
			one = f.say
		}
		restored, err := one(cmd, m, ledger)
		if err != nil {
			return &runError{err}
		}
		if !restored {
			status = exitNotRestored
		}
	}
	if status != exitPass {
		return &verdictError{status}
	}
	return nil
}

// choose returns the ledgers that are meant.
func (f *restoreFlags) choose(cmd *cobra.Command, ledgers []*journal.Ledger, namespace string) ([]*journal.Ledger, error) {
	if f.run != "" {
		ledgers = slices.DeleteFunc(ledgers, func(l *journal.Ledger) bool { return l.Run != f.run })
		if len(ledgers) == 0 {
			return nil, fmt.Errorf("looking for the run %s: no run of that id has left anything in the namespace %s; meshchaos restore --namespace %s lists those that have", f.run, namespace, namespace)
		}
	}
	if len(ledgers) == 0 {
		tell(cmd, "No run has left anything in the namespace %s.", namespace)
		return nil, nil
	}
	var over []*journal.Ledger
	for _, l := range ledgers {
		switch since := time.Since(l.Deadline); {
		case since <= 0 && f.run != "":
			return nil, &runner.RefusedError{Err: &runner.BusyError{Holder: l.Holder(namespace)}}
		case since <= 0:
			tell(cmd, "%s, is under way.", runner.RunOf(l.Holder(namespace)))
		case since < f.overdue:
			tell(cmd, "%s, has not been heard of for %s only, and is left alone (--overdue).", runner.RunOf(l.Holder(namespace)), since.Round(time.Second))
		default:
			over = append(over, l)
		}
	}
	if f.run != "" || f.all || len(over) == 0 {
		return over, nil
	}
	for _, l := range over {
		tell(cmd, "%s, has ended without undoing everything; its ledger has %s.", runner.RunOf(l.Holder(namespace)), plural.Of(len(l.Entries), "object"))
	}
	return nil, errors.New("choosing what to undo: name a run by --run, or give --all; with --dry-run it is only said what would be done")
}

// undo undoes what a run has left, and says whether nothing is left any more.
func (f *restoreFlags) undo(cmd *cobra.Command, m mesh.Mesh, ledger *journal.Ledger) (bool, error) {
	tell(cmd, "%s:", runner.RunOf(ledger.Holder(m.Info().Namespace)))
	left := unfinishedOf(cmd.Context())
	defer left.done(ledger.Run)
	record, err := runner.Restore(cmd.Context(), m, ledger, runner.Options{
		Hurry:    hurry(cmd.Context()),
		Observe:  func(e runner.Event) { fmt.Fprintf(cmd.ErrOrStderr(), "  %s\n", e.Phase) },
		Standing: left.of(ledger.Run, m.Info().Namespace),
	})
	if err != nil {
		return false, err
	}
	said := map[string]bool{}
	for _, c := range record.Changes {
		if !said[c.Object] && c.Restored && !c.Kept {
			tell(cmd, "  %s: %s", c.Object, c.Proof)
		}
		said[c.Object] = true
	}
	if err := terminal.WriteLost(cmd.OutOrStdout(), record.Changes, streamsOf(cmd).shown(outputTable, false)); err != nil { // with the manifests, which go with the ledger
		return false, fmt.Errorf("printing what is not as it was: %w", err)
	}
	for _, problem := range record.Problems {
		remark(cmd.ErrOrStderr(), "problem: "+problem)
	}
	if record.Restored {
		tell(cmd, "  nothing of it is left")
	}
	return record.Restored, nil
}

// tell prints a line, folded where stdout is a terminal.
func tell(cmd *cobra.Command, format string, args ...any) {
	remark(cmd.OutOrStdout(), fmt.Sprintf(format, args...))
}

// say says what undo would do.
func (f *restoreFlags) say(cmd *cobra.Command, m mesh.Mesh, ledger *journal.Ledger) (bool, error) {
	tell(cmd, "%s:", runner.RunOf(ledger.Holder(m.Info().Namespace)))
	left, err := runner.Leftovers(cmd.Context(), m, ledger)
	if err != nil {
		return false, err
	}
	for _, one := range left {
		if one.Does == "" {
			one.Does = "is as it was"
		}
		tell(cmd, "  %s %s", one.Ref, one.Does)
		for _, line := range one.Diff {
			tell(cmd, "    %s", line)
		}
	}
	return true, nil
}
