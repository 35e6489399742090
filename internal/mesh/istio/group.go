package istio

import (
	"context"
	"errors"
	"maps"
	"sync"

	"github.com/meshchaos/meshchaos/loadgen"
)

// group is the shares of one load while they run beside each other: they begin
// together, and what ends one of them before its time ends all.
type group struct {
	companions map[string][]companion
	begin      func(context.Context) error
	observe    func(loadgen.Progress)   // may be nil
	heard      func(*loadgen.StopError) // may be nil
	end        context.CancelFunc

	mu       sync.Mutex
	waiting  int           // the shares that are not ready yet
	begun    chan struct{} // closed when begin has returned
	refused  error         // of begin
	stop     *loadgen.StopError
	over     map[string]bool // the cohorts that have ended
	results  map[string]*loadgen.Result
	problems []error
}

// pass returns when every share is ready and begin, which the last of them calls, has
// returned.
func (g *group) pass(ctx context.Context) error {
	g.mu.Lock()
	g.waiting--
	last := g.waiting == 0
	g.mu.Unlock()
	if last {
		err := g.begin(ctx)
		g.mu.Lock()
		g.refused = err
		g.mu.Unlock()
		close(g.begun)
		return err
	}
	select {
	case <-g.begun:
		return g.isRefused()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isRefused returns the error of begin.
func (g *group) isRefused() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refused
}

// see passes on how far a cohort is, and ends what runs elsewhere while it does.
func (g *group) see(ctx context.Context, p loadgen.Progress) {
	g.mu.Lock()
	if g.observe != nil {
		g.observe(p)
	}
	g.mu.Unlock()
	if p.Ended {
		g.ended(ctx, p.Cohort)
	}
}

// ended ends the companions of a cohort that has ended.
func (g *group) ended(ctx context.Context, cohort string) {
	g.mu.Lock()
	known := g.over[cohort]
	g.over[cohort] = true
	g.mu.Unlock()
	if known {
		return
	}
	for _, c := range g.companions[cohort] {
		if err := c.of.from.agent.Over(ctx, c.name); err != nil && ctx.Err() == nil && !g.isOver(c.name) {
			g.fail(err)
		}
	}
}

// isOver says whether a cohort has ended.
func (g *group) isOver(cohort string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.over[cohort]
}

// stopped ends the load because a share has exceeded a bound.
func (g *group) stopped(stop *loadgen.StopError) {
	g.mu.Lock()
	first := g.stop == nil
	if first {
		g.stop = stop
	}
	g.mu.Unlock()
	g.end()
	if first && g.heard != nil {
		g.heard(stop)
	}
}

// fail ends the load because something went wrong in a share.
func (g *group) fail(err error) {
	g.mu.Lock()
	g.problems = append(g.problems, err)
	g.mu.Unlock()
	g.end()
}

// keep takes the results of a share.
func (g *group) keep(results map[string]*loadgen.Result) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.results == nil && results != nil {
		g.results = map[string]*loadgen.Result{}
	}
	maps.Copy(g.results, results)
}

// outcome is what the load comes to once all shares have ended. ctx is that of whoever
// drives it.
func (g *group) outcome(ctx context.Context) (map[string]*loadgen.Result, error) {
	switch {
	case ctx.Err() != nil:
		return g.results, ctx.Err()
	case g.stop != nil:
		return g.results, g.stop
	case len(g.problems) > 0:
		return g.results, errors.Join(g.problems...)
	}
	return g.results, g.refused
}
