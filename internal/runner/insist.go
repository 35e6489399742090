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
	// sayAgainEvery is how long a user who waits hears nothing at most.
	sayAgainEvery = 10 * time.Second
)

// insist asks a mesh again and again, aloud, until it answers or ctx ends.
func (r *run) insist(ctx context.Context, doing string, ask func() error) error {
	said := time.Now()
	for pause := askAgainAfter; ; pause = min(2*pause, askAgainEvery) {
		err := ask()
		if !isUnanswered(err) {
			r.away = false
			return err
		}
		if time.Since(said) >= sayAgainEvery {
			r.unanswered(ctx, doing, err)
			said = time.Now()
		}
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

// unanswered says what is tried again, for how long, and why.
func (r *run) unanswered(ctx context.Context, doing string, err error) {
	why, _, _ := strings.Cut(err.Error(), "\n")
	left := time.Duration(0)
	if end, limited := ctx.Deadline(); limited {
		left = max(0, time.Until(end).Round(time.Second))
	}
	r.phase("%s: the mesh does not answer, trying again for %s at most: %s", doing, left, why)
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

// remind says what is waited for, every now and then until stop is called, which
// waits for that.
func (r *run) remind(waiting func(since time.Duration) string) (stop func()) {
	began, over, ended := time.Now(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(sayAgainEvery)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				r.phase("%s", waiting(time.Since(began).Round(time.Second)))
			}
		}
	}()
	return func() {
		close(over)
		<-ended
	}
}
