package istio

import (
	"context"

	"github.com/meshchaos/meshchaos/internal/agent"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

// Load implements mesh.Mesh. Short host names are those of the namespace.
// Cohorts that enter from the gateway connect to its service, past the load
// workload's sidecar.
func (m *Mesh) Load(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	shares, err := m.shares(ctx, cohorts)
	if err != nil {
		return nil, err
	}
	g, err := agent.Together(shares, agent.Request{QPS: guard.QPS, Duration: guard.Duration, AbortWhen: guard.AbortWhen})
	if err != nil {
		return nil, err
	}
	return g.Run(ctx, begin, observe, guard.Stopped)
}
