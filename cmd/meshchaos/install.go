package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"

	"github.com/meshchaos/meshchaos/internal/cluster"
	"github.com/meshchaos/meshchaos/internal/install"
	"github.com/meshchaos/meshchaos/internal/runner"
)

// installFlags are those of install and uninstall.
type installFlags struct {
	mesh            meshFlags
	createNamespace bool
	revision        string
	dryRun          bool
	timeout         time.Duration
}

func newInstall() *cobra.Command {
	var f installFlags
	cmd := &cobra.Command{
		Use:   "install NAME...",
		Short: "Install sample applications on a cluster, and wait for them",
		Long: `Install sample applications in a namespace of a cluster, with the images of
Istio's own samples or, with --image, this project's, and wait until every pod
and its sidecar is ready. There are
` + strings.Join(install.Names(), ", ") + `.
micro-api and grpc-echo are this project's in any case; Istio has no slow
httpbin, so that mirror-httpbin needs --image. gateways is an ingress gateway.

What is somebody else's is never changed: where it is in the way, all of it is
named, and nothing is written. To install again is to bring what was installed
up to date.

Exit status: 0 it serves; 2 refused, and nothing was written; 3 it does not
serve, or the cluster does not answer: the output says what is there by then.`,
		Example:   "  meshchaos install bookinfo --namespace shop --create-namespace\n  meshchaos install httpbin sleep -n shop --image example.com/meshchaos:1.0",
		Args:      cobra.MatchAll(arguments(1, -1), cobra.OnlyValidArgs),
		ValidArgs: install.Names(),
		RunE:      func(cmd *cobra.Command, args []string) error { return f.install(cmd, distinct(args)) },
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.mesh.image, "image", "", "this project's image, in the place of Istio's own")
	flags.BoolVar(&f.createNamespace, "create-namespace", false, "make the namespace, with sidecars injected, if it is not there")
	flags.StringVar(&f.revision, "revision", "", "the revision of Istio that injects into the namespace made (label istio.io/rev)")
	for _, name := range []string{"image", "revision"} {
		complete(cmd, name, cobra.NoFileCompletions)
	}
	return cmd
}

// add adds the flags that uninstall has too.
func (f *installFlags) add(cmd *cobra.Command) {
	f.mesh.addCluster(cmd, namespaceLetter)
	flags := cmd.Flags()
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what would be done, and write nothing")
	flags.DurationVar(&f.timeout, "timeout", 5*time.Minute, "how long to wait")
	complete(cmd, "timeout", cobra.NoFileCompletions)
}

// limited is the context of what may take as long as --timeout says.
func (f *installFlags) limited(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(cmd.Context(), f.timeout, fmt.Errorf("that took longer than %s (--timeout)", f.timeout))
}

// open opens the namespace that is meant. It returns that namespace's name as well. What the
// API server warns of is said once each.
func (f *installFlags) open(cmd *cobra.Command) (*install.Installer, string, error) {
	if f.timeout <= 0 {
		return nil, "", fmt.Errorf("reading --timeout: %s is no time to wait; write 5m", f.timeout)
	}
	config, namespace, err := cluster.Load(cluster.Options{Kubeconfig: f.mesh.kubeconfig, Context: f.mesh.context, Namespace: f.mesh.namespace})
	if err != nil {
		return nil, "", err
	}
	config.WarningHandler = rest.NewWarningWriter(cmd.ErrOrStderr(), rest.WarningWriterOptions{Deduplicate: true})
	in, err := install.Open(config, namespace)
	return in, namespace, err
}

func (f *installFlags) install(cmd *cobra.Command, names []string) error {
	if f.revision != "" && !f.createNamespace {
		return errors.New("reading --revision: it labels the namespace that is made; add --create-namespace")
	}
	var samples []install.Sample
	for _, name := range names {
		s, err := install.Read(name, f.mesh.image, defaultImage(), version())
		if err != nil {
			return err
		}
		samples = append(samples, s)
	}
	in, namespace, err := f.open(cmd)
	if err != nil {
		return err
	}
	defer in.Close()
	ctx, cancel := f.limited(cmd)
	defer cancel()
	steps, made, err := f.prepare(ctx, cmd, in, namespace, samples)
	if err != nil {
		return blame(ctx, err)
	}
	if f.dryRun {
		return nil
	}
	if err := f.carryOut(ctx, cmd, in, samples, steps); err != nil {
		takeAway := fmt.Sprintf("meshchaos uninstall %s --namespace %s", strings.Join(names, " "), namespace)
		return &runError{fmt.Errorf("%w\nwhat was made is still there; %s takes it away, and installing again goes on with it", err, takeAway)}
	}
	ready := fmt.Sprintf("%s in %s: every pod is ready, and its sidecar", strings.Join(names, ", "), namespace)
	if made {
		ready += "; the namespace was made for it"
	}
	fmt.Fprintln(cmd.OutOrStdout(), ready)
	return nil
}

// prepare finds out what is to be done, and makes the namespace, which goes again where
// something is in the way.
func (f *installFlags) prepare(ctx context.Context, cmd *cobra.Command, in *install.Installer, namespace string, samples []install.Sample) (steps []install.Step, made bool, err error) {
	there, err := in.There(ctx)
	switch {
	case err != nil:
		return nil, false, err
	case !there && !f.createNamespace:
		return nil, false, fmt.Errorf("installing in %s: there is no such namespace; add --create-namespace, or name another with --namespace", namespace)
	case !there && f.dryRun:
		fmt.Fprintf(cmd.OutOrStdout(), "create Namespace/%s\n", namespace)
		for _, s := range samples {
			for _, o := range s.Objects {
				fmt.Fprintf(cmd.OutOrStdout(), "create %s/%s\n", o.GetKind(), o.GetName())
			}
		}
		return nil, false, nil
	case !there:
		if err := in.Make(ctx, f.revision, version()); err != nil {
			return nil, false, err
		}
	}
	steps, err = in.Plan(ctx, samples)
	if err != nil && !there {
		leaving, cancel := patient(ctx, closeLimit, hurriedLimit)
		defer cancel()
		_, _, left := in.Vacate(leaving)
		return nil, false, errors.Join(err, left)
	}
	if f.dryRun {
		for _, s := range steps {
			fmt.Fprintln(cmd.OutOrStdout(), s.Does(), s.Name())
		}
	}
	return steps, !there, err
}

// carryOut writes, and waits until what was written serves.
func (f *installFlags) carryOut(ctx context.Context, cmd *cobra.Command, in *install.Installer, samples []install.Sample, steps []install.Step) error {
	line := newLiveLine(cmd.ErrOrStderr())
	defer line.clear()
	if err := in.Apply(ctx, steps, func(s install.Step, did string) { line.tell(s.Name() + " " + did) }); err != nil {
		return err
	}
	return in.Wait(ctx, samples, line.wait)
}

// blame says whose fault it is that something was not done: the user's, or that the
// cluster does not answer.
func blame(ctx context.Context, err error) error {
	if ctx.Err() != nil || !cluster.Answers(err) {
		return &runError{err}
	}
	return &runner.RefusedError{Err: err}
}
