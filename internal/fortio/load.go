package fortio

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

const (
	stopGrace = 2 * time.Second // how long an interrupted load's results are waited for
	askEvery  = 25 * time.Millisecond
)

// group is loads that fortio carries out beside each other.
type group struct {
	client  *Client
	bounds  loadgen.Bounds
	cohorts []*cohort // by name
	broken  chan struct{}
	breach  sync.Once
	stopped *loadgen.StopError // to be read once nothing runs
}

// cohort is one load of a group.
type cohort struct {
	name    string
	plan    loadgen.Plan
	request request
	id      int64         // of fortio's run, where another cohort ends it
	done    chan struct{} // closed: fortio has answered
	result  *loadgen.Result
	err     error // why there is no result
}

// Load runs plans beside each other in fortio's pod and returns what each cohort saw,
// as far as fortio tells (package comment). A plan that Check does not take is an error
// before anything is sent, but for a number of requests at a rate, which is rounded up
// as Check says, and so are those that a duration makes due. begin, which may be nil, is called before; its error is
// returned, and nothing was sent then.
//
// A cohort with While is begun before the other, and ended after it. What cannot be
// carried out, or was carried out otherwise than it was asked for, is in its Result's
// Failure, and ends the others.
//
// Of bounds, Breached must be nil, for fortio tells nothing before the end. A rate that
// is capped is kept by fortio's own schedule: a load without a rate of its own is a
// *loadgen.StopError when the cap may have held it back.
//
// When ctx ends the loads are stopped, the requests in flight are not cut off, and what
// came of them within two seconds is returned with ctx's error. Any other error says
// that fortio was lost sight of.
func (c *Client) Load(ctx context.Context, plans map[string]loadgen.Plan, bounds loadgen.Bounds, begin func(context.Context) error) (map[string]*loadgen.Result, error) {
	g, err := newGroup(c, plans, bounds)
	if err != nil {
		return nil, err
	}
	if begin != nil {
		if err := begin(ctx); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = g.run(ctx)
	results := map[string]*loadgen.Result{}
	for _, c := range g.cohorts {
		if c.result != nil {
			results[c.name] = c.result
		}
	}
	return results, err
}

func newGroup(client *Client, plans map[string]loadgen.Plan, bounds loadgen.Bounds) (*group, error) {
	if bounds.Breached != nil {
		return nil, errors.New("driving the load by fortio: it does not tell what it sees before it has ended, so that no condition can be judged meanwhile; leave abortWhen out, or drive the load with this program's image")
	}
	names := slices.Sorted(maps.Keys(plans))
	for _, name := range names {
		wrong := []error{plans[name].Validate()}
		for _, cannot := range unable(plans[name]) {
			wrong = append(wrong, cannot)
		}
		if err := errors.Join(wrong...); err != nil {
			return nil, fmt.Errorf("driving the load %s by fortio: %w", name, err)
		}
	}
	pace, stop := paceOf(plans, bounds.QPS)
	if stop != nil {
		if bounds.Stopped != nil {
			bounds.Stopped(stop)
		}
		return nil, stop
	}
	g := &group{client: client, bounds: bounds, broken: make(chan struct{})}
	token := fmt.Sprintf("meshchaos-%d", time.Now().UnixNano())
	for _, name := range names {
		g.cohorts = append(g.cohorts, &cohort{
			name: name, plan: plans[name], request: newRequest(plans[name], token+"-"+name, pace), done: make(chan struct{}),
		})
	}
	return g, nil
}

// run carries the loads out and returns when fortio has answered of all, or will not.
func (g *group) run(ctx context.Context) error {
	// The requests outlive ctx by a moment, for the results of stopped loads.
	asking, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	var sending, ending sync.WaitGroup
	ended := make(chan struct{})
	ending.Go(func() { g.endEarly(ctx, asking, giveUp, ended) })
	send := func(companions bool) {
		for _, c := range g.cohorts {
			if (c.plan.While != "") == companions {
				sending.Go(func() { g.send(asking, c) })
			}
		}
	}
	send(true)
	err := g.awaitCompanions(asking)
	if err == nil {
		send(false)
	} else {
		g.abandon()
	}
	sending.Wait()
	close(ended)
	ending.Wait()
	for _, c := range g.cohorts {
		err = errors.Join(err, c.err)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case g.stopped != nil:
		return g.stopped
	case err != nil:
		return fmt.Errorf("driving the load by fortio: %w", err)
	}
	if stop := heldBack(g.cohorts); stop != nil {
		if g.bounds.Stopped != nil {
			g.bounds.Stopped(stop)
		}
		return stop
	}
	return nil
}

// send carries out one load, and ends those that were to run as long.
func (g *group) send(ctx context.Context, c *cohort) {
	defer close(c.done)
	c.result, c.err = g.ask(ctx, c)
	if c.err != nil || c.result.Failure != "" {
		g.abandon()
		return
	}
	for _, companion := range g.cohorts {
		if companion.plan.While == c.name {
			if err := g.client.stop(ctx, companion.id); err != nil {
				c.err = err
				g.abandon()
			}
		}
	}
}

// ask has fortio run one load. What it refuses is in the result's Failure.
func (g *group) ask(ctx context.Context, c *cohort) (*loadgen.Result, error) {
	body, err := c.request.body()
	if err != nil {
		return nil, err
	}
	var said answer
	err = g.client.ask(ctx, "POST", "run", body, &said)
	var refused *refusedError
	if errors.As(err, &refused) {
		return &loadgen.Result{Planned: c.plan.Requests, Connections: c.plan.Connections, TargetQPS: c.plan.QPS, Failure: refused.Error()}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the load %s: %w", c.name, err)
	}
	return said.result(c), nil
}

// awaitCompanions returns once fortio runs the loads that another one ends, by the ids
// that it has given to them.
func (g *group) awaitCompanions(ctx context.Context) error {
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for {
		waiting, over := false, false
		running, err := g.client.running(ctx)
		if err != nil {
			return err
		}
		for _, c := range g.cohorts {
			if c.plan.While == "" {
				continue
			}
			c.id = running[c.request.Label]
			waiting = waiting || c.id == 0
			select {
			case <-c.done:
				over = true
			default:
			}
		}
		if over {
			return errors.New("a load that another was to end has ended before that began")
		}
		if !waiting {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// abandon has all loads ended, since one of them cannot go on.
func (g *group) abandon() { g.breach.Do(func() { close(g.broken) }) }

// endEarly stops all loads if ctx ends, one of them cannot go on, or their time is over.
func (g *group) endEarly(ctx, asking context.Context, giveUp func(), ended <-chan struct{}) {
	begun := time.Now()
	var over <-chan time.Time
	if g.bounds.Duration > 0 {
		timer := time.NewTimer(g.bounds.Duration)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-ended:
		return
	case <-ctx.Done():
	case <-g.broken:
	case <-over:
		after := time.Since(begun)
		g.stopped = &loadgen.StopError{
			Observed: "it was not over by then", Limit: g.bounds.Duration.String(), After: loadgen.Duration{Duration: after},
			Values: []loadgen.Measure{{Value: after.Seconds(), Unit: loadgen.Seconds, Least: true}}, Bounds: loadgen.Cap(g.bounds.Duration.Seconds()),
		}
		if g.bounds.Stopped != nil {
			g.bounds.Stopped(g.stopped)
		}
	}
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	var patience <-chan time.Time
	interrupted := ctx.Done()
	for {
		_ = g.client.stop(asking, 0) // asked again until the loads have ended, since fortio passes over one that it is about to begin
		select {
		case <-ended:
			return
		case <-interrupted:
			timer := time.NewTimer(stopGrace)
			defer timer.Stop()
			patience, interrupted = timer.C, nil
		case <-patience:
			giveUp()
			return
		case <-ticker.C:
		}
	}
}
