package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meshchaos/meshchaos/internal/evidence"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// late is a window that has ended, of whose access logs the last lines may still come:
// on a cluster they do so seconds later. Only who decides by them waits for them.
type late struct {
	log   *evidence.Log
	over  time.Time // when the window had settled
	clock clock

	window int                  // its place in the record
	bears  bool                 // the verdict stands on them
	tell   func(*report.Window) // enters what they tell; nil: nothing, or it was entered
	read   chan struct{}        // closed when they are there
	err    error                // of waiting for them; known then
}

// decideLater enters into the record what the access logs tell of a window under rules,
// the at-th of the record.
func (r *run) decideLater(ctx context.Context, at int, seen *reading, step scenarios.Step, loads map[string]*loadgen.Result) {
	window, log, parts := seen.Window, seen.Log, r.parts(step)
	r.read(ctx, seen, window.AwaitLines, &late{window: at, bears: true, tell: func(w *report.Window) {
		w.Quantities, w.Bites = window.Quantities(needs(step)), window.Bites(parts)
		if log != nil {
			w.Calls = log.Calls(loads, r.services)
		}
	}})
}

// explainLater enters into the record the calls of a window without rules of a step,
// whose access logs are evidence of nothing else. The load workload may go before they
// have told all.
func (r *run) explainLater(ctx context.Context, at int, seen *reading, loads map[string]*loadgen.Result) {
	log := seen.Log
	if log == nil {
		return
	}
	log.Part()
	r.read(ctx, seen, seen.AwaitLines, &late{window: at, tell: func(w *report.Window) { w.Calls = log.Calls(loads, r.services) }})
}

// read takes the access logs of a window over, and reads them beside the run until the
// lines are there that it waits for, or ctx ends.
func (r *run) read(ctx context.Context, seen *reading, wait func(context.Context, time.Time, time.Duration) error, l *late) {
	l.log, l.over, l.clock, l.read = seen.handOver(), seen.over, seen.clock, make(chan struct{})
	r.late = append(r.late, l)
	go func() {
		defer close(l.read)
		l.err = guard(func() error { return wait(ctx, l.over, r.mesh.Info().LogDelay) })
		if l.log != nil {
			l.log.Close()
		}
	}()
}

// conclude enters into the record what the windows' lines tell, when they are there: of
// those on which the verdict stands, or of all.
func (r *run) conclude(bearing bool) {
	for _, l := range r.late {
		if l.tell == nil || bearing && !l.bears {
			continue
		}
		<-l.read
		tell, window := l.tell, &r.record.Windows[l.window]
		l.tell = nil
		switch {
		case l.err == nil:
		case errors.Is(l.err, context.Canceled), errors.Is(l.err, context.DeadlineExceeded):
			if l.bears { // the run was interrupted, as its record says
				continue
			}
			l.err = nil // what had come by then is explained
		}
		if l.err == nil {
			l.err = guard(func() error { tell(window); return nil })
		}
		if l.err != nil {
			r.spoil(fmt.Errorf("reading what the access logs tell of the %s: %w", window.Words(), l.err))
		}
	}
}

// clock is how far that of the mesh is ahead of this machine's, at least and at most.
type clock struct{ least, most time.Duration }

// clockOf tells it by a load, which begins after it was asked to, and ends before that
// is heard of.
func clockOf(loads map[string]*loadgen.Result, asked, heard time.Time) clock {
	var ended time.Time
	for _, load := range loads {
		if load != nil && !load.Started.IsZero() && load.Started.Add(load.Elapsed.Duration).After(ended) {
			ended = load.Started.Add(load.Elapsed.Duration)
		}
	}
	return clock{least: ended.Sub(heard), most: startOf(loads).Sub(asked)}
}

// loadsApart is how long a window has been over at least when the next load begins, if its
// lines are still awaited: those of either are told by when their requests began, and
// each node of a cluster has a clock of its own.
const loadsApart = 200 * time.Millisecond

// part keeps requests that are yet to be sent out of the window before.
func (r *run) part(ctx context.Context) error {
	if len(r.late) == 0 {
		return nil
	}
	last := r.late[len(r.late)-1]
	gap := time.NewTimer(time.Until(last.over.Add(last.clock.most - last.clock.least + loadsApart)))
	defer gap.Stop()
	select {
	case <-last.read:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-gap.C:
	}
	if last.log != nil {
		from, to := last.over.Add(last.clock.most), time.Now().Add(last.clock.least)
		last.log.Until(from.Add(to.Sub(from) / 2))
	}
	return nil
}
