package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/istio"
)

// loadPodFlags say what the pod is like that load comes from on a cluster.
type loadPodFlags struct {
	file     string
	keep     bool
	template *istio.Template // that of the file; nil: none is named
}

func (f *loadPodFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.keep, "keep-pod", false, "leave the load workload's pod, for a day at most, to the next command with --keep-pod")
	cmd.Flags().StringVar(&f.file, "pod-template", "", "a Pod in YAML whose name, labels, resources, tolerations and the like the load workload's pod takes")
}

// read reads the file before anything is begun.
func (f *loadPodFlags) read(cmd *cobra.Command, kind string) error {
	for _, name := range []string{"keep-pod", "pod-template"} {
		if kind != mesh.Istio && cmd.Flags().Changed(name) {
			return fmt.Errorf("reading --%s: it is about a cluster; add --mesh istio", name)
		}
	}
	if f.file == "" {
		return nil
	}
	template, err := istio.ReadTemplate(f.file)
	if err != nil {
		return err
	}
	if template.Image != "" && cmd.Flags().Changed("image") {
		return fmt.Errorf("reading --image: %s names an image too, %s; leave one of them out", f.file, template.Image)
	}
	f.template = template
	return nil
}
