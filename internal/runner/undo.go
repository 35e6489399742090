package runner

import (
	"context"
	"errors"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh"
)

// askAgainEvery is how long a mesh that does not answer is left alone.
const askAgainEvery = 200 * time.Millisecond

// finish undoes all that is still to be undone.
func (r *run) finish(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		r.problem("the run was interrupted")
		cause = nil
	}
	if errors.Is(cause, errMeddled) { // of which the record has who, and what
		cause = nil
	}
	undo, cancel := r.undoing(ctx)
	defer cancel()
	if err := r.settleUncertain(ctx); err != nil {
		r.problem("%v", err)
	}
	if err := r.undo(undo); err != nil {
		r.problem("%v", err)
	}
	return cause
}

// undo takes everything back. What fails is tried once more, as a write that ended
// in an error may have taken place all the same, and until ctx ends while the mesh
// does not answer: nobody else knows what is to be undone.
func (r *run) undo(ctx context.Context) error {
	err := r.restore(ctx, r.book.originals())
	if err == nil {
		return nil
	}
	if isUnanswered(err) {
		r.phase("the mesh does not answer: undoing again until it does")
	}
	return persist(ctx, func() error {
		if unsettled := r.settleUncertain(ctx); unsettled != nil {
			return errors.Join(err, unsettled)
		}
		err = r.restore(ctx, r.book.originals())
		return err
	})
}

// persist asks a mesh again and again, until it answers or ctx ends.
func persist(ctx context.Context, ask func() error) error {
	for {
		err := ask()
		if !isUnanswered(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(askAgainEvery):
		}
	}
}

func isUnanswered(err error) bool {
	var unanswered *mesh.UnansweredError
	return errors.As(err, &unanswered)
}

// undoing returns a context for the waits of the undoing: they have all the time
// that the proxies may take, but once the run is interrupted only a moment, and
// none at all once Hurry is closed.
func (r *run) undoing(ctx context.Context) (context.Context, context.CancelFunc) {
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*r.LiveLimit)
	go func() {
		select {
		case <-undo.Done():
			return
		case <-r.Hurry:
		case <-ctx.Done():
			select {
			case <-undo.Done():
				return
			case <-r.Hurry:
			case <-time.After(interruptLimit):
			}
		}
		cancel()
	}()
	return undo, cancel
}
