package runner

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh"
)

// A mesh that does not answer is asked again, at first soon, then less often.
const (
	askAgainAfter = 200 * time.Millisecond
	askAgainEvery = 2 * time.Second
	// patience is how long a mesh may be away at the end of a run, when its rules are
	// undone and only the proof of it and the ledger are left; istiod takes half a
	// minute to start, an API server somewhat less.
	patience = 2 * time.Minute
)

// insist asks a mesh again and again, aloud, until it answers or ctx ends.
func (r *run) insist(ctx context.Context, ask func() error) error {
	for pause := askAgainAfter; ; pause = min(2*pause, askAgainEvery) {
		err := ask()
		if !isUnanswered(err) {
			r.away = false
			r.voice.waitFor("")
			return err
		}
		r.unanswered(ctx, err)
		select {
		case <-ctx.Done():
			r.away = true
			return err
		case <-time.After(pause):
		}
	}
}

func isUnanswered(err error) bool {
	var unanswered *mesh.UnansweredError
	return errors.As(err, &unanswered)
}

// unanswered says why something is tried again, and for how long.
func (r *run) unanswered(ctx context.Context, err error) {
	why, _, _ := strings.Cut(err.Error(), "\n")
	left := time.Duration(0)
	if end, limited := ctx.Deadline(); limited {
		left = max(0, time.Until(end).Round(time.Second))
	}
	r.voice.waitFor("the mesh does not answer; trying again for %s at most: %s", left, why)
}

// patient returns a context for what is done however the run ends, and may be waited
// for. Once the run is interrupted it lasts a moment only; once Hurry is closed, no
// longer than hurried.
func (r *run) patient(ctx context.Context, limit, hurried time.Duration) (context.Context, context.CancelFunc) {
	lasting, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	go func() {
		defer cancel()
		interrupted, hurry := ctx.Done(), r.Hurry
		var end <-chan time.Time
		for {
			select {
			case <-lasting.Done():
				return
			case <-end:
				return
			case <-interrupted:
				interrupted, end = nil, time.After(interruptLimit)
			case <-hurry:
				interrupted, hurry, end = nil, nil, time.After(hurried)
			}
		}
	}()
	return lasting, cancel
}
