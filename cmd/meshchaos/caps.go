package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/runner"
)

// What a load may do on a cluster, unless somebody says otherwise.
const (
	clusterQPS      = 5000
	clusterDuration = 10 * time.Minute
)

// addCaps adds the flags of what no load may exceed.
func addCaps(cmd *cobra.Command, to *runner.Caps) {
	flags := cmd.Flags()
	flags.Float64Var(&to.QPS, "max-qps", 0, fmt.Sprintf("requests a second, of all cohorts together, at which a load is ended and undone (default: %d on a cluster, none on the embedded mesh)", clusterQPS))
	flags.DurationVar(&to.Duration, "max-duration", 0, fmt.Sprintf("how long a load may begin requests, before it is ended and undone (default: %s on a cluster, none on the embedded mesh)", strings.TrimSuffix(clusterDuration.String(), "0s")))
	for _, name := range []string{"max-qps", "max-duration"} {
		complete(cmd, name, cobra.NoFileCompletions)
	}
}

// setCaps checks what was given, and sets what was not.
func setCaps(cmd *cobra.Command, caps *runner.Caps, kind string) error {
	qps, duration := cmd.Flags().Changed("max-qps"), cmd.Flags().Changed("max-duration")
	switch {
	case qps && !(caps.QPS > 0):
		return fmt.Errorf("reading --max-qps: it takes a number above 0, not %g", caps.QPS)
	case duration && caps.Duration <= 0:
		return fmt.Errorf("reading --max-duration: it takes a time above 0s, not %v", caps.Duration)
	}
	if kind == mesh.Istio && !qps {
		caps.QPS = clusterQPS
	}
	if kind == mesh.Istio && !duration {
		caps.Duration = clusterDuration
	}
	return nil
}
