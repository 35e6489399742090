package evidence

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meshchaos/meshchaos/internal/mesh"
)

const (
	settlePoll = 20 * time.Millisecond
	// lateness is how much later than it may a line of a log is still waited for.
	lateness = 3 * time.Second
	// straggling is for what passes between the first reading of the proxies and
	// the first request.
	straggling = time.Second
)

// AwaitDelayed waits until every request that a rule delays has ended, so that
// all of the window can be read: a delay goes on when its caller has gone. That
// is so at the latest when the longest delay is over since the load ended, and
// before that if every proxy keeps count of its active faults and none is left.
// The error is that of an ended ctx.
func AwaitDelayed(ctx context.Context, proxies []mesh.Proxy, ended time.Time, longest time.Duration) error {
	if longest == 0 {
		return nil
	}
	over := time.NewTimer(time.Until(ended.Add(longest)))
	defer over.Stop()
	quiet := 0 // readings in a row without any
	for pause := settlePoll; ; pause = min(2*pause, time.Second/10) {
		active, known := activeFaults(ctx, proxies)
		switch {
		case !known:
			pause = longest // the wait for the end is all that is left
		case active > 0:
			quiet = 0
		case quiet > 0: // a call that was on its way at the first would be held by now
			return ctx.Err()
		default:
			quiet, pause = quiet+1, settlePoll
		}
		select {
		case <-over.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// activeFaults adds up the requests that fault filters hold now. It is known
// only if every sidecar keeps the gauge.
func activeFaults(ctx context.Context, proxies []mesh.Proxy) (active uint64, known bool) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	found := make([]uint64, len(proxies))
	kept := make([]bool, len(proxies))
	var group errgroup.Group
	group.SetLimit(readers)
	for i, proxy := range proxies {
		group.Go(func() error {
			stats, err := proxy.Admin.Stats(ctx, `^http\..*\.fault\.active_faults$`)
			kept[i] = err == nil && (len(stats) > 0 || proxy.Gateway)
			for _, n := range stats {
				found[i] += n
			}
			return nil
		})
	}
	_ = group.Wait() // each proxy answers for itself
	for i := range proxies {
		if !kept[i] {
			return 0, false
		}
		active += found[i]
	}
	return active, true
}

// Begin tells when the load began, by the clock of the mesh, as the first reading
// of the proxies was before it: what began earlier does not count. A zero start
// makes the logs no evidence.
func (l *Log) Begin(start time.Time, before *Snapshot) {
	for _, p := range l.proxies {
		p.begin(start, before.took+straggling)
	}
}

func pauseUntil(ctx context.Context, then time.Time) error {
	timer := time.NewTimer(time.Until(then))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
