package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/mesh/istio"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/scenarios"
)

// meshFlags say which mesh a command is about.
type meshFlags struct {
	kind       string
	kubeconfig string
	context    string
	namespace  string
	image      string
}

func (f *meshFlags) add(cmd *cobra.Command, letter string) {
	flags := cmd.Flags()
	flags.StringVar(&f.kind, "mesh", mesh.Embedded, "embedded, or istio: the cluster of the kubeconfig")
	f.addCluster(cmd, letter)
	flags.StringVar(&f.image, "image", defaultImage(), "the image of the load workload")
	complete(cmd, "image", cobra.NoFileCompletions)
	complete(cmd, "mesh", cobra.FixedCompletions([]string{mesh.Embedded, mesh.Istio}, cobra.ShellCompDirectiveNoFileComp))
}

// namespaceLetter is kubectl's for the namespace. run has none: its -n is fortio's number
// of requests.
const namespaceLetter = "n"

// addCluster adds those that say which cluster, with a letter for the namespace.
func (f *meshFlags) addCluster(cmd *cobra.Command, letter string) {
	flags := cmd.Flags()
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "the kubeconfig file (default: as kubectl finds it)")
	flags.StringVar(&f.context, "context", "", "the kubeconfig's context")
	flags.StringVarP(&f.namespace, "namespace", letter, "", "the namespace of the services (default: the context's)")
	for _, name := range []string{"context", "namespace"} {
		complete(cmd, name, cobra.NoFileCompletions)
	}
}

// notOpened is the reason why a cluster was not opened: the user's fault, or that it
// does not answer.
func notOpened(ctx context.Context, err error) error {
	var unanswered *mesh.UnansweredError
	if ctx.Err() != nil || errors.As(err, &unanswered) {
		return &runError{err}
	}
	return &runner.RefusedError{Err: err}
}

// notRead is the reason why something of a namespace could not be read: a right that the
// user lacks, with what grants it, or that the cluster does not answer.
func notRead(err error, namespace string) error {
	if apierrors.IsForbidden(err) {
		return &runner.RefusedError{Err: fmt.Errorf("%w; have that granted: meshchaos manifests rbac --namespace %s prints the rights of a run", err, namespace)}
	}
	return &runError{err}
}

// defaultImage is the project's own, as make image names it.
func defaultImage() string { return "meshchaos/meshchaos:" + version() }

// check refuses what does not go together.
func (f *meshFlags) check(cmd *cobra.Command) error {
	if !slices.Contains([]string{mesh.Embedded, mesh.Istio}, f.kind) {
		return fmt.Errorf("reading --mesh: %q is neither %s nor %s", f.kind, mesh.Embedded, mesh.Istio)
	}
	if f.kind == mesh.Istio {
		if cmd.Flags().Changed("seed") {
			return errors.New("reading --seed: it repeats what the embedded mesh draws, and on a cluster the proxies draw for themselves; leave it out")
		}
		return nil
	}
	for _, name := range []string{"kubeconfig", "context", "namespace", "image", "wait"} {
		if cmd.Flags().Changed(name) {
			return fmt.Errorf("reading --%s: it is about a cluster; add --mesh istio", name)
		}
	}
	return nil
}

// options are those of the cluster.
func (f *meshFlags) options(id string, say func(string)) istio.Options {
	return istio.Options{Kubeconfig: f.kubeconfig, Context: f.context, Namespace: f.namespace, Image: f.image, Run: id, Log: say}
}

// open opens the mesh for one scenario. It says what a user waits for.
func (f *meshFlags) open(ctx context.Context, s *scenarios.Scenario, seed uint64, id string, say func(string)) (mesh.Mesh, error) {
	if f.kind == mesh.Istio {
		m, err := istio.Open(ctx, f.options(id, say))
		if err != nil {
			return nil, notOpened(ctx, err)
		}
		return m, nil
	}
	if s.App == "" {
		return nil, &runner.RefusedError{Err: fmt.Errorf("%s: the scenario names no app, so there is nothing to start on the embedded mesh; add app: bookinfo, or --mesh istio", s.File)}
	}
	m, err := embedded.Open(ctx, embedded.Options{App: s.App, Seed: seed, Agent: agentProgram()})
	if err != nil {
		return nil, &runError{fmt.Errorf("starting the embedded mesh: %w", err)}
	}
	return m, nil
}
