package istio

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	var refused error
	asked := agent.Request{Plans: plans, QPS: guard.QPS, Duration: guard.Duration, AbortWhen: guard.AbortWhen}
	results, err := w.agent.Load(ctx, asked, func(ctx context.Context) error {
		refused = begin(ctx)
		return refused
	}, observe, guard.Stopped)
	var stop *loadgen.StopError
	if err != nil && refused == nil && ctx.Err() == nil && !errors.As(err, &stop) {
		err = m.withState(ctx, w, err)
	}
	return results, err
}

// withState adds to a failed load what became of the pod that it came from.
func (m *Mesh) withState(ctx context.Context, w *workload, err error) error {
	now, lost := m.kube.CoreV1().Pods(m.namespace).Get(ctx, w.name, metav1.GetOptions{})
	if lost == nil && now.DeletionTimestamp != nil {
		lost = errors.New("somebody is deleting it")
	}
	if lost != nil {
		return fmt.Errorf("%w (reading pod %s/%s: %w)", err, m.namespace, w.name, lost)
	}
	if failed := failure(now, m.image); failed != nil {
		return fmt.Errorf("%w (pod %s/%s: %w)", err, m.namespace, w.name, failed)
	}
	return err
}
