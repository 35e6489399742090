package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/istio"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report/terminal"
)

// exitWrong is that of doctor, if something is wrong.
const exitWrong = 1

// doctorFlags are those of doctor.
type doctorFlags struct {
	mesh   meshFlags
	output string
}

func newDoctor() *cobra.Command {
	f := doctorFlags{mesh: meshFlags{kind: mesh.Istio, image: defaultImage()}}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what of a namespace on a cluster is in the way of a run",
		Long: `Say of a namespace on a cluster, without a scenario, what a run in it would be
refused for, and what it would warn of: rights, services without a ready pod,
pods without a sidecar, rules that somebody else keeps as they are, rules of
other namespaces, runs that are under way or have left something, access logs
that are off. Nothing is written.

Exit status: 0 nothing is wrong; 1 something is, which a run that has to do with
it is refused for; 2 bad usage; 3 the cluster does not answer.`,
		Example: "  meshchaos doctor --namespace shop\n  meshchaos doctor --context staging --namespace shop -o json",
		Args:    namedBy("namespace", "namespace"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.examine(cmd) },
	}
	f.mesh.addCluster(cmd, namespaceLetter)
	addOutput(cmd, &f.output, "text", "json")
	return cmd
}

func (f *doctorFlags) examine(cmd *cobra.Command) error {
	ctx := cmd.Context()
	m, err := istio.Open(ctx, f.mesh.options("doctor", func(words string) { remark(cmd.ErrOrStderr(), words) }))
	if err != nil {
		return notOpened(ctx, err)
	}
	defer m.Close(context.WithoutCancel(ctx))
	info := m.Info()
	found, unread := runner.Examine(ctx, m)
	found = append([]runner.Finding{{About: "cluster", State: runner.Fine, Words: fmt.Sprintf("%s, namespace %s", info.Version, info.Namespace)}}, found...)
	if err := f.print(cmd, found); err != nil {
		return err
	}
	switch {
	case apierrors.IsForbidden(unread): // a run would be refused for that
		complain(cmd.ErrOrStderr(), notRead(unread, info.Namespace))
		return &verdictError{exitWrong}
	case unread != nil:
		return &runError{unread}
	case slices.ContainsFunc(found, func(one runner.Finding) bool { return one.State == runner.Wrong }):
		return &verdictError{exitWrong}
	}
	return nil
}

func (f *doctorFlags) print(cmd *cobra.Command, found []runner.Finding) error {
	w := cmd.OutOrStdout()
	if f.output == "json" {
		return printJSON(w, found)
	}
	for _, one := range found {
		if err := terminal.Fold(w, fmt.Sprintf("%-7s %s: %s\n", one.State, one.About, one.Words), columns(w)); err != nil {
			return err
		}
	}
	return nil
}
