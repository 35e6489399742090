package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meshchaos/meshchaos/internal/evidence"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// reading is what is read of the proxies for one window.
type reading struct {
	run              *run
	name             string
	proxies          []mesh.Proxy
	longest          time.Duration // of the delays in force
	observed         evidence.Observed
	*evidence.Window           // of what was observed; nil until the window has ended
	since            int       // how much the run had heard of the mesh by then
	asked            time.Time // when the load was let begin
	over             time.Time // when it had settled
	clock            clock
	meddled          []string // what somebody else changed meanwhile

	mu     sync.Mutex // a load that is given up may still begin while the reading is closed
	closed bool
}

func (r *run) newReading(name string, proxies []mesh.Proxy) *reading {
	objects := r.objects()
	return &reading{
		run: r, name: name, proxies: proxies, longest: rules.LongestDelay(objects), since: r.heard.len(),
		observed: evidence.Observed{Namespace: r.mesh.Info().Namespace, Services: r.services, Objects: objects},
	}
}

// begin is called when everything is logged in and warmed up: what comes from
// now on counts.
func (o *reading) begin(ctx context.Context) error {
	var group errgroup.Group
	if !o.run.NoAccessLog {
		group.Go(func() error { return o.follow(ctx) })
	}
	before, err := o.take(ctx, o.proxies)
	if err != nil {
		err = fmt.Errorf("reading the proxies before the %s: %w", o.name, err)
	}
	if err := errors.Join(err, group.Wait()); err != nil {
		return err
	}
	before.Extend()
	o.observed.Before, o.asked = before, time.Now()
	return nil
}

// take reads the proxies for what is asked of the window: of one without rules of a step
// it is whether they were steady, and how many requests they took.
func (o *reading) take(ctx context.Context, proxies []mesh.Proxy) (*evidence.Snapshot, error) {
	if o.name == report.During {
		return evidence.Take(ctx, proxies)
	}
	return evidence.TakeCounts(ctx, proxies)
}

// follow follows the access logs until close, or until what takes them over ends.
func (o *reading) follow(ctx context.Context) error {
	log := o.run.logging.Follow(ctx, o.proxies, o.observed.Services, o.run.mesh.Info().LogDelay)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		log.Close()
		return fmt.Errorf("following the access logs of the %s: it is over", o.name)
	}
	o.observed.Log = log
	return nil
}

func (o *reading) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.observed.Log != nil {
		o.observed.Log.Close()
	}
}

// handOver returns the access logs, whose Close is the caller's from then on; nil:
// they are not followed.
func (o *reading) handOver() *evidence.Log {
	o.mu.Lock()
	defer o.mu.Unlock()
	log := o.observed.Log
	o.observed.Log = nil
	return log
}

// begun says whether the proxies were read before the load.
func (o *reading) begun() bool { return o.observed.Before != nil }

// end reads the proxies once more when the window has settled: those that are
// there now, so that one that came or went meanwhile is found.
func (o *reading) end(ctx context.Context, cohorts []mesh.Cohort, loads map[string]*loadgen.Result, ended time.Time) error {
	if o.longest > 0 {
		o.run.phase("waiting for delayed requests to end, %s at most", o.longest)
	}
	if err := evidence.AwaitDelayed(ctx, o.proxies, ended, o.longest); err != nil {
		return err
	}
	if err := evidence.AwaitMirrored(ctx, o.proxies, o.observed.Objects); err != nil {
		return err
	}
	o.observed.Cohorts, o.observed.Loads, o.observed.Settled = cohorts, loads, true
	o.over, o.clock = time.Now(), clockOf(loads, o.asked, ended)
	proxies, err := o.run.mesh.Proxies(ctx)
	if err != nil {
		return fmt.Errorf("finding the proxies: %w", err)
	}
	if o.observed.After, err = o.take(ctx, proxies); err != nil {
		return err
	}
	if log := o.observed.Log; log != nil {
		log.Begin(startOf(loads), o.observed.Before)
	}
	o.Window = evidence.Read(o.observed)
	o.meddled, err = o.run.meddling(ctx, o.since)
	return err
}

// startOf is when the first of the loads began, by the clock of the mesh; zero:
// none did.
func startOf(loads map[string]*loadgen.Result) time.Time {
	var first time.Time
	for _, load := range loads {
		if load != nil && !load.Started.IsZero() && (first.IsZero() || load.Started.Before(first)) {
			first = load.Started
		}
	}
	return first
}
