package runner

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

// load drives the cohorts. After the end of ctx it does not wait for an engine
// that cannot be cut: fortio's ends only with the connections. Of such a load
// nobody hears any more.
func (r *run) load(ctx context.Context, cohorts []mesh.Cohort, guarded mesh.Guard, begin func(context.Context) error) (map[string]*loadgen.Result, error) {
	type outcome struct {
		loads map[string]*loadgen.Result
		err   error
	}
	done := make(chan outcome, 1)
	o := &observer{tell: r.voice.progress}
	go func() {
		var out outcome
		out.err = guard(func() (err error) {
			out.loads, err = r.mesh.Load(ctx, cohorts, guarded, begin, o.observe)
			return err
		})
		done <- out
	}()
	select {
	case out := <-done:
		return out.loads, out.err
	case <-ctx.Done():
	}
	select {
	case out := <-done:
		return out.loads, out.err
	case <-time.After(cutLimit):
		o.leave()
		return nil, fmt.Errorf("the load did not end in time: %w", ctx.Err())
	}
}

// observer is told how far a load is, until it leaves.
type observer struct {
	mu   sync.Mutex
	tell func(Event) // nil: nobody is told
}

func (o *observer) observe(p loadgen.Progress) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.tell != nil {
		o.tell(Event{Load: &p})
	}
}

func (o *observer) leave() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tell = nil
}
