package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/install"
)

func newUninstall() *cobra.Command {
	var f installFlags
	cmd := &cobra.Command{
		Use:   "uninstall NAME...",
		Short: "Take sample applications away from a cluster again",
		Long: `Delete what meshchaos install made of sample applications in a namespace,
whatever others have changed of it since, and wait until it is gone; nothing
else is touched. There are
` + strings.Join(install.Names(), ", ") + `.
The namespace goes too if install made it and nothing is left in it. It may be
repeated.

Exit status: 0 nothing of it is left; 2 bad usage; 3 the cluster does not
answer; 4 something could not be deleted, or is still there.`,
		Example:   "  meshchaos uninstall bookinfo --namespace shop\n  meshchaos uninstall httpbin sleep -n shop --dry-run",
		Args:      cobra.MatchAll(arguments(1, -1), cobra.OnlyValidArgs),
		ValidArgs: install.Names(),
		RunE:      func(cmd *cobra.Command, args []string) error { return f.uninstall(cmd, distinct(args)) },
	}
	f.add(cmd)
	return cmd
}

func (f *installFlags) uninstall(cmd *cobra.Command, names []string) error {
	in, namespace, err := f.open(cmd)
	if err != nil {
		return err
	}
	defer in.Close()
	ctx, cancel := f.limited(cmd)
	defer cancel()
	out := cmd.OutOrStdout()
	for _, name := range names {
		mine, others, err := in.Find(ctx, name)
		if err != nil {
			return blame(ctx, err)
		}
		for _, other := range others {
			fmt.Fprintf(out, "%s stays: it has the labels of %s, and install did not make it\n", other, name)
		}
		if len(mine) == 0 {
			fmt.Fprintln(out, nothing(ctx, in, name, namespace))
			continue
		}
		if f.dryRun {
			fmt.Fprintf(out, "delete %s\n", strings.Join(mine, "\ndelete "))
			continue
		}
		if err := f.remove(ctx, cmd, in, name); err != nil {
			complain(cmd.ErrOrStderr(), err)
			return &verdictError{exitNotRestored}
		}
		fmt.Fprintf(out, "%s is gone from the namespace %s.\n", name, namespace)
	}
	if f.dryRun {
		return nil
	}
	return f.vacate(ctx, cmd, in, namespace)
}

// nothing says that install made nothing of a sample, or that its namespace, which may be
// misspelt, is not there.
func nothing(ctx context.Context, in *install.Installer, name, namespace string) string {
	if there, err := in.There(ctx); err == nil && !there {
		return fmt.Sprintf("There is no namespace %s, so nothing of %s is in it.", namespace, name)
	}
	return fmt.Sprintf("There is nothing in the namespace %s that install made of %s.", namespace, name)
}

func (f *installFlags) remove(ctx context.Context, cmd *cobra.Command, in *install.Installer, name string) error {
	line := newLiveLine(cmd.ErrOrStderr())
	defer line.clear()
	return in.Remove(ctx, name, func(object string) { line.tell(object + " deleted") }, line.wait)
}

// vacate takes the namespace away if it is install's and empty.
func (f *installFlags) vacate(ctx context.Context, cmd *cobra.Command, in *install.Installer, namespace string) error {
	gone, kept, err := in.Vacate(ctx)
	switch {
	case err != nil:
		complain(cmd.ErrOrStderr(), err)
		return &verdictError{exitNotRestored}
	case kept != "":
		fmt.Fprintf(cmd.OutOrStdout(), "The namespace %s, which install made, stays: %s.\n", namespace, kept)
	case gone:
		fmt.Fprintf(cmd.OutOrStdout(), "The namespace %s, which install made, is gone.\n", namespace)
	}
	return nil
}
