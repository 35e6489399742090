package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// newRoot is the program with all its commands. It has its streams from the beginning: some
// of cobra's own commands take them when they are made.
func newRoot(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "meshchaos",
		Short: "Proves how a service mesh behaves under faults",
		Long: `meshchaos applies a fault or a breaker rule to a service mesh, drives load,
reads what clients and proxies saw, undoes the rule, proves that it is undone,
and judges what was expected.

  meshchaos run delay-jason.yaml                on the embedded mesh
  meshchaos run delay-jason.yaml --mesh istio   on a cluster with Istio`,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(newRun(), newLoad(), newReport(), newJudge(), newCompare(), newHistory(), newValidate(), newLint(), newList(), newShow(), newInit(), newPlan(), newDoctor(), newRestore(), newMutate(), newLab(), newInstall(), newUninstall(), newManifests(), newSchema(), newVersion(), newServe(), newAgent())
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.Version = version()
	root.SetVersionTemplate(versionLine(tool()))
	explainUsage(root)
	readDecimal(root)
	return root
}

// addNoAccessLog adds the flag by which a run reads no access logs.
func addNoAccessLog(cmd *cobra.Command, no *bool) {
	cmd.Flags().BoolVar(no, "no-access-log", false, "do not read the proxies' access logs, nor switch them on where they are off")
}

// addAllowGitOps adds the flag by which a run changes what an agent of GitOps keeps.
func addAllowGitOps(cmd *cobra.Command, allow *bool) {
	cmd.Flags().BoolVar(allow, "allow-gitops", false, "change objects that Argo CD, Flux or the like may set back; a rule that is set back makes the run inconclusive")
}

// addOutput adds -o with a choice of words; the first is the default.
func addOutput(cmd *cobra.Command, output *string, choice ...string) {
	cmd.Flags().StringVarP(output, "output", "o", choice[0], "what to print: "+strings.Join(choice, " or "))
	check := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if !slices.Contains(choice, *output) {
			return &usageError{fmt.Errorf("reading --output: %q is none; write %s", *output, strings.Join(choice, " or "))}
		}
		if check != nil {
			return check(cmd, args)
		}
		return nil
	}
	complete(cmd, "output", cobra.FixedCompletions(choice, cobra.ShellCompDirectiveNoFileComp))
}
