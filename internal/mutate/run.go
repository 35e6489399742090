package mutate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Options say how mutants are run.
type Options struct {
	Tool     report.Tool
	Seed     uint64              // of every run
	Parallel int                 // how many run beside each other, at least 1
	Agent    []string            // as embedded.Options has it
	First    func(runner.Event)  // hears of the run of the scenario as it stands; nil: nobody does
	Begin    func(mutants int)   // is called before the first mutant is run; nil: nothing is
	Done     func(report.Mutant) // hears of each mutant, one after another; nil: nobody does
}

// Run runs a scenario as it stands and, if it passes, each of its mutants, each on
// an embedded mesh of its own. A scenario that cannot be planned, and an excuse for a
// mutant that there is not, are a *runner.RefusedError; any other error is that of a
// first run that could not be carried out. When ctx ends, what is not known yet is Unknown.
func Run(ctx context.Context, s *scenarios.Scenario, o Options) (*report.Mutation, error) {
	all, err := Of(s)
	if err != nil {
		return nil, &runner.RefusedError{Err: err}
	}
	excuses, err := excusesOf(s, all)
	if err != nil {
		return nil, &runner.RefusedError{Err: err}
	}
	m := &report.Mutation{
		APIVersion: report.APIVersion, Kind: report.KindMutation, Tool: o.Tool, Seed: o.Seed, Started: time.Now(),
		Scenario: s.Recorded(),
		Mutants:  []report.Mutant{},
	}
	defer func() {
		m.Ended = time.Now()
		s.HideMutation(m)
	}()
	if m.Run, err = o.one(ctx, s, "m0", runner.Options{Observe: o.First, Seed: o.Seed}); err != nil {
		return nil, err
	}
	if m.Run.Verdict != report.Pass {
		return m, nil
	}
	if o.Begin != nil {
		o.Begin(len(all))
	}
	m.Mutants = make([]report.Mutant, len(all))
	var done sync.Mutex
	var group errgroup.Group
	group.SetLimit(o.Parallel)
	for i, mutant := range all {
		group.Go(func() error {
			entry := o.try(ctx, mutant, fmt.Sprintf("m%d", i+1), m.Run, excuses[mutant.ID])
			done.Lock()
			defer done.Unlock()
			m.Mutants[i] = entry
			if o.Done != nil {
				o.Done(entry)
			}
			return nil
		})
	}
	return m, group.Wait()
}

// tries is how often a mutant is run of which a busy machine may be what killed it.
const tries = 3

// try runs a mutant until it is known what became of it. It is enough if it survives
// once.
func (o Options) try(ctx context.Context, mutant Mutant, id string, first *report.Record, excuse string) report.Mutant {
	began := time.Now()
	entry := report.Mutant{ID: mutant.ID, Line: mutant.Line, What: mutant.What, Excuse: excuse}
	for i := range uint64(tries) {
		if ctx.Err() != nil {
			entry.Fate, entry.Reason = report.Unknown, interrupted
			break
		}
		record, err := o.one(ctx, mutant.Scenario, id, runner.Options{Inert: true, Seed: o.Seed + i})
		entry.Fate, entry.By, entry.Reason = fateOf(record, mutant, err)
		if ctx.Err() != nil {
			entry.Fate, entry.By, entry.Reason = report.Unknown, nil, interrupted
		}
		if entry.Fate == report.Survived {
			entry.Wanted, entry.Advice = wanted(mutant, first, record), mutant.Advice
			if excuse != "" {
				entry.Fate, entry.Advice = report.Excused, ""
			}
		}
		if !mutant.doubtful(entry) {
			break
		}
	}
	entry.Millis = time.Since(began).Milliseconds()
	return entry
}

// The points of docs/verdicts.md that are about chance and the machine as much as
// about the rules: whether each rule was seen to bite, the load was driven, and the
// proxies were read.
const (
	bitePoint    = 1
	loadPoint    = 5
	proxiesPoint = 7
)

// doubtful says whether a mutant may have been killed by what its mesh shares a
// machine with, or by how the lots fell: a load falls short, a limit on time fails,
// and be it one before the rule was in force; one request in ten is none of twenty.
func (m Mutant) doubtful(became report.Mutant) bool {
	switch {
	case became.Fate != report.Killed:
		return became.Fate == report.Unknown
	case became.By.Expectation != nil:
		return became.Wrong() || became.By.Expectation.Verdict != report.Fail
	case became.By.Point == bitePoint && m.draws:
		return true
	}
	return became.Wrong() || became.By.Point == 0 || became.By.Point == loadPoint || became.By.Point == proxiesPoint
}

const interrupted = "it was interrupted"

// one runs a scenario on a mesh of its own.
func (o Options) one(ctx context.Context, s *scenarios.Scenario, id string, options runner.Options) (*report.Record, error) {
	m, err := embedded.Open(ctx, embedded.Options{App: s.App, Seed: options.Seed, Agent: o.Agent})
	if err != nil {
		return nil, fmt.Errorf("starting the embedded mesh: %w", err)
	}
	options.ID, options.Tool = id, o.Tool
	options.Close = func() error { return m.Close(context.WithoutCancel(ctx)) }
	record, err := runner.Run(ctx, m, s, options)
	if err != nil {
		return nil, errors.Join(err, options.Close())
	}
	return record, nil
}
