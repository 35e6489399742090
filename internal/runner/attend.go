package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// errMeddled ends a window with which somebody meddles. What they did stands in the
// record.
var errMeddled = errors.New("somebody else changed what acts on the traffic")

// attended is the time of a window. Whoever sees a reason to end the window before
// its time calls end with it: the load stops, and the run undoes.
type attended struct {
	context.Context
	end      context.CancelCauseFunc
	watching sync.WaitGroup
}

// attend begins the time of a window, which ends at once when the mesh tells of what
// is not the run's own doing: of two things at a time nothing is learnt of one. leave
// must be called. Nothing is written until then.
func (r *run) attend(ctx context.Context, since int) *attended {
	a := &attended{}
	a.Context, a.end = context.WithCancelCause(ctx)
	a.watching.Go(func() {
		for {
			if events, lost := r.heard.from(since); len(lost) > 0 || len(r.others(events)) > 0 {
				a.end(errMeddled)
			}
			select {
			case <-a.Done():
				return
			case <-r.heard.news:
			}
		}
	})
	return a
}

// leave ends the time of the window, and returns the reason why it was ended before;
// nil: it was not, or the run was interrupted.
func (a *attended) leave() error {
	a.end(context.Canceled)
	a.watching.Wait()
	if cause := context.Cause(a); !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return nil
}

// ended enters into the record why a window was ended before its time.
func (r *run) ended(ctx context.Context, w *report.Window, since int, why error) error {
	w.Cut = why.Error()
	var stop *loadgen.StopError
	if errors.As(why, &stop) {
		return r.stopped(w, stop)
	}
	if !errors.Is(why, errMeddled) {
		return fmt.Errorf("%s: %w", w.Words(), why)
	}
	found, err := r.meddling(ctx, since)
	if err != nil {
		return fmt.Errorf("%s: %w; who it was is not known: %w", w.Words(), why, err)
	}
	r.meddled(w, found)
	return why
}

// meddled enters into the record what somebody else did during a window.
func (r *run) meddled(w *report.Window, found []string) {
	for _, what := range found {
		r.problem("%s: %s", w.Words(), what)
	}
}
