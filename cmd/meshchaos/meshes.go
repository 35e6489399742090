package main

import (
	"context"
	"fmt"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/istio"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/scenarios"
)

// meshes are those of the scenarios of a command: an embedded one for each, or the
// cluster, which is opened once for all, with one load workload.
type meshes struct {
	flags   *meshFlags
	pod     *loadPodFlags
	all     []*scenarios.Scenario
	caps    runner.Caps
	cluster *istio.Cluster // nil: it is not open
	kept    []string       // what is left of the load workload on purpose, worded
}

// open opens the mesh for one scenario. It says what a user waits for.
func (ms *meshes) open(ctx context.Context, s *scenarios.Scenario, seed uint64, id string, say func(string)) (mesh.Mesh, error) {
	if ms.flags.kind != mesh.Istio {
		return ms.flags.open(ctx, s, seed, id, say)
	}
	if ms.cluster == nil {
		options := ms.flags.options(id, say)
		options.Template, options.Fortio = ms.pod.template, ms.pod.fortio
		if ms.pod.keep {
			options.Keep = &istio.Keep{By: runner.Whoami(), Tool: version()}
		}
		for _, s := range ms.all {
			options.Lifetime += runner.Longest(s, runner.Options{Caps: ms.caps})
		}
		c, err := istio.Connect(ctx, options)
		if err != nil {
			return nil, notOpened(ctx, err)
		}
		ms.cluster = c
	}
	return ms.cluster.Mesh(id, say), nil
}

// close closes what the scenarios have shared, if that is still open.
func (ms *meshes) close(ctx context.Context) error {
	if ms.cluster == nil {
		return nil
	}
	closing, cancel := patient(ctx, closeLimit, hurriedLimit)
	defer cancel()
	if err := ms.cluster.Close(closing); err != nil {
		return fmt.Errorf("closing the mesh: %w", err)
	}
	ms.kept = ms.cluster.Kept()
	ms.cluster = nil
	return nil
}
