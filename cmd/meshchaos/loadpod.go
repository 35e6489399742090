package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/istio"
	"github.com/meshchaos/meshchaos/scenarios"
)

// loadPodFlags say what the pod is like that load comes from on a cluster.
type loadPodFlags struct {
	file     string
	keep     bool
	template *istio.Template // that of the file; nil: none is named
	fortio   string          // the image of a fortio server in the place of this program's; empty: none
}

func (f *loadPodFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.keep, "keep-pod", false, "leave the load workload's pod, for a day at most, to the next command with --keep-pod")
	cmd.Flags().StringVar(&f.file, "pod-template", "", "a Pod in YAML whose name, labels, resources, tolerations and the like the load workload's pod takes")
	cmd.Flags().StringVar(&f.fortio, "fortio-image", "", "drive the load by an image of fortio, where this program's cannot be had")
	complete(cmd, "fortio-image", cobra.NoFileCompletions)
}

// read reads the file before anything is begun.
func (f *loadPodFlags) read(cmd *cobra.Command, kind string) error {
	for _, name := range []string{"keep-pod", "pod-template", "fortio-image"} {
		if kind != mesh.Istio && cmd.Flags().Changed(name) {
			return fmt.Errorf("reading --%s: it is about a cluster; add --mesh istio", name)
		}
	}
	switch {
	case f.fortio != "" && cmd.Flags().Changed("image"):
		return errors.New("reading --image: --fortio-image names the image of the load workload too; leave one of them out")
	case f.fortio != "" && f.keep:
		return errors.New("reading --keep-pod: fortio does not say who uses it, so that two commands could take its pod at once; leave one of --keep-pod and --fortio-image out")
	}
	if f.file == "" {
		return nil
	}
	template, err := istio.ReadTemplate(f.file)
	if err != nil {
		return err
	}
	for _, name := range []string{"image", "fortio-image"} {
		if template.Image != "" && cmd.Flags().Changed(name) {
			return fmt.Errorf("reading --%s: %s names an image too, %s; leave one of them out", name, f.file, template.Image)
		}
	}
	f.template = template
	return nil
}

// fit makes the scenario one that the pod can drive, or says why it cannot.
func (f *loadPodFlags) fit(s *scenarios.Scenario) error {
	if f.fortio == "" {
		return nil
	}
	return s.DriveByFortio()
}
