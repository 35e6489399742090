package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/samples"
	"github.com/meshchaos/meshchaos/manifests"
)

func newManifests() *cobra.Command {
	var image string
	apps := append(samples.Apps(), "sleep")
	cmd := &cobra.Command{
		Use:       "manifests " + strings.Join(apps, "|"),
		Short:     "Print a sample application as YAML, for kubectl apply",
		Example:   "  meshchaos manifests bookinfo | kubectl -n bookinfo apply -f -",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: apps,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := manifests.App(args[0], image)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	cmd.Flags().StringVar(&image, "image", defaultImage(), "the image of the services")
	return cmd
}
