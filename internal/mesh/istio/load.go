package istio

import (
	"context"
	"errors"

	"github.com/meshchaos/meshchaos/internal/agent"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

// Load implements mesh.Mesh. Short host names are those of the namespace.
// Cohorts that enter from the gateway connect to its service, past the load
// workload's sidecar.
func (m *Mesh) Load(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	w, err := m.start(ctx)
	if err != nil {
		return nil, err
	}
	plans := make(map[string]loadgen.Plan, len(cohorts))
	for _, c := range cohorts {
		if plans[c.Name], err = m.plan(c, w.gateway); err != nil {
			return nil, err
		}
	}
	// The connection to a pod whose node is lost would be waited for.
	interrupted := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-w.vigil.over:
			cancel()
		case <-ctx.Done():
		}
	}()
	var refused error
	asked := agent.Request{Plans: plans, QPS: guard.QPS, Duration: guard.Duration, AbortWhen: guard.AbortWhen}
	results, err := w.agent.Load(ctx, asked, func(ctx context.Context) error {
		refused = begin(ctx)
		return refused
	}, observe, guard.Stopped)
	var stop *loadgen.StopError
	if err == nil || refused != nil || interrupted.Err() != nil || errors.As(err, &stop) {
		return results, err
	}
	if died := m.fate(interrupted, w); died != nil {
		return results, died
	}
	return results, err
}
