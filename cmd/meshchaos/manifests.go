package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/samples"
	"github.com/meshchaos/meshchaos/manifests"
)

func newManifests() *cobra.Command {
	var image, namespace string
	names := slices.Concat(samples.Apps(), []string{"sleep"}, manifests.Cluster())
	cmd := &cobra.Command{
		Use:   "manifests NAME",
		Short: "Print what is to run in a cluster as YAML, for kubectl apply",
		Long: `Print a sample application as YAML, for kubectl apply; or what lets a cluster
run scenarios by itself: the rights of a run and a service account that has them
(rbac), a job that undoes what killed runs have left (reaper), and one that runs
scenarios every night (nightly). There are
` + strings.Join(samples.Apps(), ", ") + `,
sleep, ` + strings.Join(manifests.Cluster(), ", ") + `.`,
		Example:   "  meshchaos manifests bookinfo | kubectl -n bookinfo apply -f -\n  meshchaos manifests rbac --namespace shop | kubectl apply -f -",
		Args:      cobra.MatchAll(arguments(1, 1), cobra.OnlyValidArgs),
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := manifest(cmd, args[0], namespace, image)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&image, "image", defaultImage(), "the image of the services, and of the jobs")
	flags.StringVarP(&namespace, "namespace", namespaceLetter, "", "the namespace of the services that rbac, reaper and nightly are for")
	for _, name := range []string{"image", "namespace"} {
		complete(cmd, name, cobra.NoFileCompletions)
	}
	return cmd
}

// manifest returns what is printed. That of an application is for any namespace.
func manifest(cmd *cobra.Command, name, namespace, image string) ([]byte, error) {
	given := cmd.Flags().Changed("namespace")
	switch forCluster := slices.Contains(manifests.Cluster(), name); {
	case forCluster && !given:
		return nil, fmt.Errorf("printing the manifest of %s: it is for the services of one namespace; name it by --namespace", name)
	case forCluster:
		return manifests.ForCluster(name, namespace, image)
	case given:
		return nil, fmt.Errorf("printing the manifest of %s: it is for any namespace; leave --namespace out, and give it to kubectl apply", name)
	}
	return manifests.App(name, image)
}
