package loadgen

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// observeEvery is how often an observer is called.
const observeEvery = 200 * time.Millisecond

// RunGroup carries out the plans of cohorts beside each other and returns what
// each saw, by name.
//
// When the last of them is logged in and warmed up, begin is called, which may
// be nil and may take its time; the connections stay open meanwhile. All begin
// together when it has returned, so that a cohort with While is there all the
// time that the other one is. It is stopped gracefully when the other has ended:
// requests in flight finish and none begin. When one cannot be carried out, begin
// is not called and the others do not begin; that is no error, but its Result has
// the Failure.
//
// When ctx ends, requests in flight are cut off and counted as canceled, and the
// Results so far are returned with ctx's error. An error of begin is returned
// likewise, with Results of no requests. Any other error is of Validate, or of a
// While that names no other cohort or leads back to itself, before anything was
// sent.
//
// When the load exceeds one of its bounds it ends as when ctx does, and the error is
// a *StopError.
//
// Observe, which may be nil, is called from one goroutine about five times a
// second and once at the end.
func RunGroup(ctx context.Context, plans map[string]Plan, bounds Bounds, begin func(context.Context) error, observe func(Progress)) (map[string]*Result, error) {
	if err := bounds.validate(); err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(plans))
	var cohorts []*cohort
	for _, name := range names {
		plan := plans[name]
		if err := plan.Validate(); err != nil {
			return nil, fmt.Errorf("cohort %q: %w", name, err)
		}
		if plan.Senders > 1 && plan.Sender == 0 {
			return nil, fmt.Errorf("cohort %q: its load is that of %d senders, and this is one; take one of its Parts", name, plan.Senders)
		}
		if err := validateWhile(plans, name); err != nil {
			return nil, err
		}
		c, err := newCohort(name, plan)
		if err != nil {
			return nil, fmt.Errorf("cohort %q: %w", name, err)
		}
		cohorts = append(cohorts, c)
	}
	bounded, end := context.WithCancel(endless{ctx})
	defer end()
	g := &guard{Bounds: bounds, cohorts: cohorts, end: end}
	err := runAll(bounded, g, begin, observe)
	if g.reason != nil && ctx.Err() == nil {
		err = g.reason
	}
	results := map[string]*Result{}
	for _, c := range cohorts {
		results[c.name] = c.result()
	}
	return results, err
}

// endless is a context that ends when another does and does not tell when that will be:
// net.Dialer would give up at that very moment by itself, and be taken for late.
type endless struct{ context.Context }

// Deadline implements context.Context.
func (endless) Deadline() (time.Time, bool) { return time.Time{}, false }

// runAll prepares the cohorts, runs them, and closes their connections.
func runAll(ctx context.Context, g *guard, begin func(context.Context) error, observe func(Progress)) error {
	cohorts := g.cohorts
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { stopOnEnd(ctx, ended, cohorts) })
	var refused error
	var prepared bool
	g.during(func() { prepared = prepare(ctx, cohorts) }, false)
	if prepared && ctx.Err() == nil {
		if begin != nil {
			refused = begin(ctx)
		}
		if refused == nil && ctx.Err() == nil {
			start := g.await(ctx)
			for _, c := range cohorts {
				c.load.start = start
			}
			g.during(func() { runPrepared(ctx, cohorts, g.Over, observe) }, true)
		}
	}
	close(ended)
	watching.Wait()
	for _, c := range cohorts {
		c.close()
	}
	reclaim(cohorts)
	if refused != nil && ctx.Err() == nil {
		return refused
	}
	return ctx.Err()
}

// await returns when the load begins, once that has come.
func (b *Bounds) await(ctx context.Context) time.Time {
	now := time.Now()
	if b.Start == nil {
		return now
	}
	start := b.Start()
	if start.IsZero() {
		return now
	}
	start = now.Add(start.Sub(now)) // by the clock that nobody sets
	timer := time.NewTimer(time.Until(start))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return start
}

// stopOnEnd stops the cohorts if the context ends before they have.
func stopOnEnd(ctx context.Context, ended <-chan struct{}, cohorts []*cohort) {
	select {
	case <-ctx.Done():
	case <-ended:
		return
	}
	for _, c := range cohorts {
		c.stop()
	}
}

// prepare opens all connections, primes them, then warms them up. It returns false if that
// failed.
func prepare(ctx context.Context, cohorts []*cohort) bool {
	opening, openCtx := errgroup.WithContext(ctx)
	var first sync.Once
	for _, c := range cohorts {
		opening.Go(func() error {
			err := c.driver.open(openCtx)
			if err != nil {
				first.Do(func() { c.failure = err.Error() })
			}
			return err
		})
	}
	if opening.Wait() != nil {
		return false
	}
	var priming sync.WaitGroup
	for _, c := range cohorts {
		if c.plan.Prime {
			priming.Go(func() { c.prime(ctx) })
		}
	}
	priming.Wait()
	if slices.ContainsFunc(cohorts, func(c *cohort) bool { return c.failure != "" }) {
		return false
	}
	var warming sync.WaitGroup
	for _, c := range cohorts {
		if c.plan.Warmup > 0 {
			warming.Go(func() { c.warm(ctx) })
		}
	}
	warming.Wait()
	return true
}

// runPrepared carries out the loads beside each other.
func runPrepared(ctx context.Context, cohorts []*cohort, over <-chan string, observe func(Progress)) {
	ended := make(chan struct{})
	var running, observing sync.WaitGroup
	observing.Go(func() { stopOver(cohorts, over, ended) })
	for _, c := range cohorts {
		running.Go(func() {
			c.run(ctx)
			stopCompanions(cohorts, c.name)
		})
	}
	if observe != nil {
		observing.Go(func() { report(cohorts, observe, ended) })
	}
	running.Wait()
	close(ended)
	observing.Wait()
}

// stopCompanions stops the cohorts that were to run while another did.
func stopCompanions(cohorts []*cohort, of string) {
	for _, c := range cohorts {
		if c.plan.While != "" && c.plan.While == of {
			c.stop()
		}
	}
}

// stopOver stops the cohorts that are over, until all have ended.
func stopOver(cohorts []*cohort, over <-chan string, ended <-chan struct{}) {
	for {
		select {
		case name := <-over:
			for _, c := range cohorts {
				if c.name == name {
					c.stop()
				}
			}
		case <-ended:
			return
		}
	}
}

// report tells the observer how far the cohorts have come, until they ended.
func report(cohorts []*cohort, observe func(Progress), ended <-chan struct{}) {
	untilEnded(observeEvery, ended, func() (more bool) {
		for _, c := range cohorts {
			observe(c.progress())
		}
		return true
	})
}

// untilEnded looks again and again until something has ended, and once more then; or
// until look wants no more.
func untilEnded(every time.Duration, ended <-chan struct{}, look func() (more bool)) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for running := true; running; {
		select {
		case <-ticker.C:
		case <-ended:
			running = false
		}
		if !look() {
			return
		}
	}
}
