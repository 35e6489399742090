package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

// lead is how long before the senders of a load begin they are told when: each has heard
// of it by then.
const lead = 300 * time.Millisecond

// Group is the shares of one load while they run beside each other: they begin
// together, and what ends one of them before its time ends all.
type Group struct {
	shares     []*Share
	cohorts    map[string]*spread
	companions map[string][]companion // by the name of a cohort, what runs elsewhere while it does
	breached   func(soFar map[string]*loadgen.Result) *loadgen.StopError

	begin   func(context.Context) error
	observe func(loadgen.Progress)   // may be nil
	heard   func(*loadgen.StopError) // may be nil
	end     context.CancelFunc

	mu       sync.Mutex
	waiting  int           // the shares that are not ready yet
	begun    chan struct{} // closed when begin has returned
	at       time.Time     // when they begin; the zero time: at once
	refused  error         // of begin
	stop     *loadgen.StopError
	problems []error
}

// Run drives the load as Client.Load does: begin is called once, when all shares are ready,
// and observe hears of all senders of a cohort together. When a share dies the others are
// ended, and the results say what fell to it.
func (g *Group) Run(ctx context.Context, begin func(context.Context) error, observe func(loadgen.Progress), stopped func(*loadgen.StopError)) (map[string]*loadgen.Result, error) {
	running, end := context.WithCancel(ctx)
	defer end()
	g.begin, g.observe, g.heard, g.end, g.waiting = begin, observe, stopped, end, len(g.shares)
	var loading sync.WaitGroup
	for _, s := range g.shares {
		loading.Go(func() { g.load(running, s) })
	}
	loading.Wait()
	return g.outcome(ctx)
}

// load drives a share, until its generator dies at the latest: the connection to one whose
// node is lost would be waited for.
func (g *Group) load(ctx context.Context, s *Share) {
	living, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.Gone:
			cancel()
		case <-living.Done():
		}
	}()
	ready := false
	results, err := s.From.Load(living, s.asked, Handlers{
		Timed: g.timed(),
		Begin: func(ctx context.Context) (time.Time, error) {
			ready = true
			return g.pass(ctx)
		},
		Observe: func(p loadgen.Progress) { g.see(ctx, s, p) },
		SoFar:   func(soFar map[string]*loadgen.Result) { g.judge(s, soFar) },
		Stopped: g.stopped,
	})
	g.keep(s, results)
	switch {
	case ctx.Err() != nil: // whoever has ended it knows why
	case s.isGone():
		err = s.fate(ctx)
		if err == nil {
			err = errors.New(s.Name + " is no more; run again")
		}
		g.fail(s, err)
	case g.isRefused() != nil:
	case err != nil:
		switch died := s.fate(ctx); {
		case died != nil: // which names whose it is
			g.fail(s, died)
		case len(g.shares) > 1:
			g.lose(s, err, fmt.Errorf("%s: %w", s.Name, err))
		default:
			g.fail(s, err)
		}
	case !ready: // a cohort could not be prepared, as its result says, and the others must not wait
		g.end()
	default:
		for cohort := range s.asked.Plans {
			g.ended(ctx, s, cohort)
		}
	}
}

func (s *Share) isGone() bool {
	select {
	case <-s.Gone:
		return true
	default:
		return false
	}
}

func (s *Share) fate(ctx context.Context) error {
	if s.Fate == nil {
		return nil
	}
	return s.Fate(ctx)
}

// pass returns when every share is ready and begin, which the last of them calls, has
// returned, and when they are to begin.
func (g *Group) pass(ctx context.Context) (time.Time, error) {
	g.mu.Lock()
	g.waiting--
	last := g.waiting == 0
	g.mu.Unlock()
	if last {
		err := g.begin(ctx)
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.refused = err; err == nil && g.timed() {
			g.at = time.Now().Add(lead)
		}
		close(g.begun)
		return g.at, err
	}
	select {
	case <-g.begun:
		return g.at, g.isRefused()
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
}

// isRefused returns the error of begin.
func (g *Group) isRefused() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refused
}

// see passes on how far a cohort is, and ends what runs elsewhere while it does.
func (g *Group) see(ctx context.Context, s *Share, p loadgen.Progress) {
	of := g.cohorts[p.Cohort]
	g.mu.Lock()
	of.progress[s.parts[p.Cohort]] = p
	if g.observe != nil {
		g.observe(of.far())
	}
	g.mu.Unlock()
	if p.Ended {
		g.ended(ctx, s, p.Cohort)
	}
}

// ended ends the companions of a cohort whose senders have all ended.
func (g *Group) ended(ctx context.Context, s *Share, cohort string) {
	of := g.cohorts[cohort]
	g.mu.Lock()
	known := of.over[s.parts[cohort]]
	of.over[s.parts[cohort]] = true
	all := of.ended()
	g.mu.Unlock()
	if known || !all {
		return
	}
	for _, c := range g.companions[cohort] {
		if err := c.of.From.Over(ctx, c.name); err != nil && ctx.Err() == nil && !g.isOver(c) {
			g.fail(nil, err)
		}
	}
}

// isOver says whether what a share has of a cohort has ended.
func (g *Group) isOver(c companion) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cohorts[c.name].over[c.of.parts[c.name]]
}

// judge holds the conditions that no share can judge against what all have seen.
func (g *Group) judge(s *Share, soFar map[string]*loadgen.Result) {
	g.mu.Lock()
	for cohort, r := range soFar {
		g.cohorts[cohort].soFar[s.parts[cohort]] = r
	}
	all := map[string]*loadgen.Result{}
	for cohort, of := range g.cohorts {
		if r, err := of.seen(); err == nil && r != nil {
			all[cohort] = r
		}
	}
	done := g.stop != nil
	g.mu.Unlock()
	if done {
		return
	}
	if stop := g.breached(all); stop != nil {
		for _, r := range all {
			stop.Sent += r.Sent
			stop.After.Duration = max(stop.After.Duration, r.Elapsed.Duration)
		}
		g.stopped(stop)
	}
}

// stopped ends the load because a share has exceeded a bound.
func (g *Group) stopped(stop *loadgen.StopError) {
	g.mu.Lock()
	first := g.stop == nil
	if first {
		g.stop = stop
	}
	g.mu.Unlock()
	g.end()
	if first && g.heard != nil {
		g.heard(stop)
	}
}

// fail ends the load because something went wrong, in a share or with none.
func (g *Group) fail(s *Share, err error) { g.lose(s, err, err) }

// lose does so for the words of the load as a whole, which are not those of its entry of the
// share: that names it by itself.
func (g *Group) lose(s *Share, why, problem error) {
	g.mu.Lock()
	g.problems = append(g.problems, problem)
	if s != nil {
		for cohort, i := range s.parts {
			g.cohorts[cohort].lost[i] = why
		}
	}
	g.mu.Unlock()
	g.end()
}

// keep takes the results of a share.
func (g *Group) keep(s *Share, results map[string]*loadgen.Result) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for cohort, r := range results {
		g.cohorts[cohort].results[s.parts[cohort]] = r
	}
}

// merged are the results of the cohorts of which there are any.
func (g *Group) merged() (map[string]*loadgen.Result, error) {
	var all map[string]*loadgen.Result
	for cohort, of := range g.cohorts {
		if !slices.ContainsFunc(of.results, func(r *loadgen.Result) bool { return r != nil }) {
			continue
		}
		if all == nil {
			all = map[string]*loadgen.Result{}
		}
		if all[cohort] = of.results[0]; len(of.from) == 1 {
			continue
		}
		var err error
		if all[cohort], err = of.plan.Merge(of.named(of.results)); err != nil {
			return nil, fmt.Errorf("sending load %s: %w", cohort, err)
		}
	}
	return all, nil
}

// outcome is what the load comes to once all shares have ended. ctx is that of whoever
// drives it.
func (g *Group) outcome(ctx context.Context) (map[string]*loadgen.Result, error) {
	results, err := g.merged()
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return results, ctx.Err()
	case g.stop != nil:
		return results, g.stop
	case len(g.problems) > 0:
		return results, errors.Join(g.problems...)
	}
	return results, g.refused
}
