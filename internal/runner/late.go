package runner

import (
	"context"
	"fmt"
	"sync"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// late is what is known of windows only when the run has gone on: the calls of
// those whose access logs are evidence of nothing else. Nobody waits for their
// last lines, which on a cluster come seconds later.
type late struct {
	waiting sync.WaitGroup
	mu      sync.Mutex
	all     []explained
}

type explained struct {
	window int // its place in the record
	calls  []report.Explained
	err    error
}

// explainLater takes the access logs over of a window that has ended, the at-th of
// the record, and explains its requests when the last lines are there, or when ctx
// ends.
func (r *run) explainLater(ctx context.Context, at int, seen *reading, loads map[string]*loadgen.Result) {
	log, window := seen.handOver(), seen.Window
	log.Part()
	r.late.waiting.Go(func() {
		defer log.Close()
		var calls []report.Explained
		err := guard(func() error {
			_ = window.AwaitLines(ctx, seen.over, r.mesh.Info().LogDelay) // what has come by then is explained
			calls = log.Calls(loads, r.services)
			return nil
		})
		r.late.mu.Lock()
		defer r.late.mu.Unlock()
		r.late.all = append(r.late.all, explained{at, calls, err})
	})
}

// explain enters into the record what was explained late.
func (r *run) explain() {
	r.late.waiting.Wait()
	for _, e := range r.late.all {
		window := &r.record.Windows[e.window]
		window.Calls = e.calls
		if e.err != nil {
			r.spoil(fmt.Errorf("explaining the requests of the %s: %w", window.Words(), e.err))
		}
	}
	r.late.all = nil
}
