package istio

import (
	"context"
	"sync"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

// Load implements mesh.Mesh. Short host names are those of the namespace.
// Cohorts that enter from the gateway connect to its service, past the load
// workload's sidecar.
func (m *Mesh) Load(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	shares, companions, err := m.shares(ctx, cohorts, guard)
	if err != nil {
		return nil, err
	}
	running, end := context.WithCancel(ctx)
	defer end()
	g := &group{
		companions: companions, begin: begin, observe: observe, heard: guard.Stopped, end: end,
		waiting: len(shares), begun: make(chan struct{}), over: map[string]bool{},
	}
	var loading sync.WaitGroup
	for _, s := range shares {
		loading.Go(func() { m.load(running, g, s) })
	}
	loading.Wait()
	return g.outcome(ctx)
}

// load drives a share, until its pod dies at the latest: the connection to one whose
// node is lost would be waited for.
func (m *Mesh) load(ctx context.Context, g *group, s *share) {
	living, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.from.vigil.over:
			cancel()
		case <-living.Done():
		}
	}()
	ready := false
	results, err := s.from.agent.Load(living, s.asked, func(ctx context.Context) error {
		ready = true
		return g.pass(ctx)
	}, func(p loadgen.Progress) { g.see(ctx, p) }, g.stopped)
	g.keep(results)
	switch {
	case ctx.Err() != nil: // whoever has ended it knows why
	case s.from.vigil.isOver():
		g.fail(m.fate(ctx, s.from))
	case g.isRefused() != nil:
	case err != nil:
		if died := m.fate(ctx, s.from); died != nil {
			err = died
		}
		g.fail(err)
	case !ready: // a cohort could not be prepared, as its result says, and the others must not wait
		g.end()
	default:
		for cohort := range s.asked.Plans {
			g.ended(ctx, cohort)
		}
	}
}
