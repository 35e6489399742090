package runner

import (
	"context"
	"errors"
)

// finish undoes all that is still to be undone.
func (r *run) finish(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		r.problem("the run was interrupted")
		cause = nil
	}
	if errors.Is(cause, errMeddled) { // of which the record has who, and what
		cause = nil
	}
	undo, cancel := r.patient(ctx, 2*r.LiveLimit, 0)
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
		r.unanswered(ctx, err)
	}
	return r.insist(ctx, func() error {
		if unsettled := r.settleUncertain(ctx); unsettled != nil {
			return errors.Join(err, unsettled)
		}
		err = r.restore(ctx, r.book.originals())
		return err
	})
}
