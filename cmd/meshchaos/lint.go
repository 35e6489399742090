package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/lint"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/istio"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report/terminal"
	"github.com/meshchaos/meshchaos/scenarios"
)

// exitWarned is that of lint, if it warns.
const exitWarned = 1

// linted is a warning, as lint -o json prints it.
type linted struct {
	ID      string `json:"id"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
}

// lintFlags are those of lint.
type lintFlags struct {
	mesh   meshFlags
	output string
}

func newLint() *cobra.Command {
	var f lintFlags
	cmd := &cobra.Command{
		Use:   "lint FILE|FOLDER|-...",
		Short: "Warn of what Istio takes and then does not do",
		Long: `Warn of what Istio takes and then does not do as it was meant, in
VirtualServices, DestinationRules and Gateways as kubectl applies them, taken
together; objects of other kinds are passed over. Each argument is a file, a
folder with all that is below it, a pattern such as 'deploy/*.yaml', or - for
stdin. With --mesh istio in a namespace as it stands, of which nothing is
changed. A scenario is for meshchaos validate.

Exit status: 0 no warnings; 1 warnings; 2 a file that cannot be read, or that
holds what Istio refuses; 3 the cluster did not answer.`,
		Example: "  meshchaos lint rules.yaml deploy/\n  kubectl get vs,dr -o yaml | meshchaos lint -\n  meshchaos lint --mesh istio -n shop",
		RunE: func(cmd *cobra.Command, args []string) error {
			warnings, wrong := f.find(cmd, args)
			if err := f.print(cmd.OutOrStdout(), warnings); err != nil {
				return err
			}
			if wrong == nil && len(warnings) > 0 {
				return &verdictError{exitWarned}
			}
			return wrong
		},
	}
	cmd.Flags().StringVar(&f.mesh.kind, "mesh", "", "istio: lint a namespace of the kubeconfig's cluster, and no files")
	complete(cmd, "mesh", cobra.FixedCompletions([]string{mesh.Istio}, cobra.ShellCompDirectiveNoFileComp))
	f.mesh.addCluster(cmd, namespaceLetter)
	addOutput(cmd, &f.output, "text", "json")
	return cmd
}

// find returns what is to be warned of, and what is wrong beside it.
func (f *lintFlags) find(cmd *cobra.Command, args []string) ([]scenarios.Warning, error) {
	for _, name := range []string{"kubeconfig", "context", "namespace"} {
		if f.mesh.kind == "" && cmd.Flags().Changed(name) {
			return nil, fmt.Errorf("reading --%s: it is about a cluster; add --mesh istio", name)
		}
	}
	switch {
	case f.mesh.kind == mesh.Istio && len(args) > 0:
		return nil, errors.New("reading the arguments: --mesh istio lints a namespace, and no files; leave out the one or the other")
	case f.mesh.kind == mesh.Istio:
		return f.ofNamespace(cmd)
	case f.mesh.kind != "":
		return nil, fmt.Errorf("reading --mesh: %q has no rules of its own to lint; write istio, or name files", f.mesh.kind)
	case len(args) == 0:
		return nil, errors.New("reading the arguments: there is no file; name one, or - for stdin, or write --mesh istio")
	}
	names, err := scenarios.ExpandManifests(args)
	if err = errors.Join(err, oneStdin(names)); err != nil {
		return nil, err
	}
	var all scenarios.Manifests
	var wrong []error
	for _, name := range names {
		wrong = append(wrong, all.ReadManifests(name, cmd.InOrStdin()))
	}
	return all.Lint(), errors.Join(wrong...)
}

// ofNamespace lints the objects of a namespace, with the pods that are ready in it.
func (f *lintFlags) ofNamespace(cmd *cobra.Command) ([]scenarios.Warning, error) {
	ctx := cmd.Context()
	m, err := istio.Open(ctx, f.mesh.options("lint", nil))
	if err != nil {
		return nil, notOpened(ctx, err)
	}
	defer m.Close(ctx)
	objects, err := m.Objects(ctx)
	if err != nil {
		return nil, notRead(err, m.Info().Namespace)
	}
	services, err := m.Services(ctx)
	if err != nil {
		return nil, notRead(err, m.Info().Namespace)
	}
	around := runner.Around(runner.Site{Services: services})
	around.Objects = objects
	var all []scenarios.Warning
	var wrong []error
	for _, o := range objects {
		for _, p := range append(rules.Check([]*rules.Object{o}), lint.CheckSilences(o)...) {
			wrong = append(wrong, errors.New(p.String()))
		}
		for _, w := range lint.Find([]*rules.Object{o}, around) {
			if !lint.Silenced(o, w.Trap) {
				all = append(all, scenarios.Warning{Trap: w.Trap, Message: fmt.Sprintf("%s: %s: %s", w.Ref, w.Path, w.Message)})
			}
		}
	}
	return all, errors.Join(wrong...)
}

func (f *lintFlags) print(w io.Writer, warnings []scenarios.Warning) error {
	if f.output == "json" {
		all := []linted{}
		for _, one := range warnings {
			all = append(all, linted{one.Trap, one.File, one.Line, one.Column, one.Message})
		}
		return printJSON(w, all)
	}
	for _, one := range warnings {
		place := one.Place()
		if place != "" {
			place += ": "
		}
		if err := terminal.Fold(w, place+one.Words(), columns(w)); err != nil {
			return err
		}
	}
	return nil
}
