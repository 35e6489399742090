// Package runner is the life of a run: it plans every change before the first
// write, applies the rules, waits until the proxies run them, drives the load,
// reads what clients and proxies saw, undoes the rules, proves that they are
// undone, and judges.
//
// It knows the two meshes only by the contract in internal/mesh. It may import
// scenarios, report, loadgen and any package of internal but the meshes.
package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/meshchaos/meshchaos/internal/evidence"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/verdict"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Time limits. An interrupted run has to be back within 5 s.
const (
	defaultLive    = 90 * time.Second
	cutLimit       = time.Second
	interruptLimit = 3 * time.Second
	writeLimit     = 10 * time.Second
)

// Options of a run.
type Options struct {
	ID   string // short, lower-case letters and digits; part of every mark in the mesh
	Tool report.Tool
	Seed uint64 // only kept in the record, of the embedded mesh
	// Observe hears of what begins and, from another goroutine, of how far a load
	// is; of nothing any more when Run has returned. Nil: nobody does.
	Observe func(Event)
	// LiveLimit is how long the proxies may take to run a rule; 0: 90 s. Istio's
	// documentation speaks of seconds, its issues of 40 (istio/istio#8420).
	LiveLimit time.Duration
	// NoAccessLog keeps the run from reading access logs, and from switching them
	// on where they are off.
	NoAccessLog bool
	// Inert takes rules that change nothing: those of a mutant, which is run to see
	// who notices.
	Inert bool
	// AllowGitOps lets the run change objects that an agent of GitOps may set back.
	AllowGitOps bool
	// Close closes the mesh when the run is over. What it could not take away is
	// entered into the record: the run is no pass then, and on a cluster something
	// is left behind. It is not called where there is no record. Nil: the mesh is
	// left open.
	Close func() error
	// Standing hears which objects are not known to be as they were before the run:
	// of none before the ledger of the run is stored, and from then on with each
	// change. It must return at once. Nil: nobody hears.
	Standing func(objects []rules.Ref)
	// Wait is how long a run that is under way, and holds what this one needs, is
	// waited for; 0: not at all.
	Wait time.Duration
	// Hurry is closed when nobody wants to wait any more, not even for the proof
	// that a rule is undone. The rules are put back all the same. Nil: never.
	Hurry <-chan struct{}
	Caps  Caps
}

// Event is something that a user who waits may want to see.
type Event struct {
	Phase string            // what begins now, worded; empty: a progress
	Again bool              // it is what goes on already, worded with for how long, and what is waited for: each second, from the tenth on
	At    At                // where in the run that is
	Load  *loadgen.Progress // nil: a phase
}

// At is a place in a run.
type At struct {
	Part   Part
	Step   string // of a scenario with steps, the one under way
	Number int    // of it, from 1
	Of     int    // how many there are
}

// Part is one of the parts that a run goes through, apply and load once a step.
type Part string

// The parts, in their order.
const (
	PartCheck    Part = "check"
	PartGiven    Part = "given"
	PartBaseline Part = "baseline"
	PartApply    Part = "apply"
	PartLoad     Part = "load"
	PartUndo     Part = "undo"
	PartRecovery Part = "recovery"
)

// RefusedError says that a run was refused before anything was written.
type RefusedError struct{ Err error }

// Error implements error.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *RefusedError) Unwrap() error { return e.Err }

// run is one run under way.
type run struct {
	Options
	mesh     mesh.Mesh
	scenario *scenarios.Scenario
	services []mesh.Service
	planned  []Stage
	logging  *evidence.Logging
	record   *report.Record
	heard    heard

	book     book
	current  map[rules.Ref]*rules.Object // what the run knows to be there now
	versions map[rules.Ref]string        // the last that it knew before that
	marks    map[*rules.Object]string    // the marks of the objects that the run wrote
	unproven map[rules.Ref]string        // why an object that was undone is not known to be
	replaced map[rules.Ref]*rules.Object // what such an undoing took away
	hollowed map[rules.Ref]*rules.Object // what an object was that may stand there without content, until it is proved to be gone
	conceded map[rules.Ref][]conceded    // what somebody else did to them meanwhile, and is left
	goneAt   map[string]time.Time        // when what was taken back of an object was seen to be gone, by its name in the record
	stage    string                      // the one that was written last
	away     bool                        // the mesh did not answer for as long as it was asked

	voice voice
	late  []*late
}

func newRun(m mesh.Mesh, s *scenarios.Scenario, o Options) *run {
	info := m.Info()
	r := &run{
		Options: o, mesh: m, scenario: s, book: book{mesh: m, tell: o.Standing}, voice: voice{tell: discreet(s, o.Observe)},
		record: &report.Record{
			APIVersion: report.APIVersion, Kind: report.Kind, Tool: o.Tool, Who: who(), Run: o.ID, Started: time.Now(),
			Scenario: s.Recorded(),
			Mesh:     report.Mesh{Kind: info.Kind, Namespace: info.Namespace, Version: info.Version, Context: info.Context, Server: info.Server, Account: info.Account},
		},
		heard:    heard{news: make(chan struct{}, 1)},
		current:  map[rules.Ref]*rules.Object{},
		versions: map[rules.Ref]string{},
		marks:    map[*rules.Object]string{},
		unproven: map[rules.Ref]string{},
		replaced: map[rules.Ref]*rules.Object{},
		hollowed: map[rules.Ref]*rules.Object{},
		conceded: map[rules.Ref][]conceded{},
		goneAt:   map[string]time.Time{},
	}
	if info.Kind == mesh.Embedded {
		r.record.Seed = &o.Seed
	}
	for _, step := range s.Steps {
		for _, c := range step.Cohorts {
			r.record.Asked = append(r.record.Asked, report.Asked{Step: step.Name, Cohort: c.Name, From: c.From, Plan: c.Plan.AsRecorded()})
		}
	}
	return r
}

// Run carries out a scenario. Once the first rule may have been written it
// always returns a record, in which whatever went wrong stands as a problem;
// before that, what is refused is a *RefusedError.
//
// When ctx ends, the load stops at once, and the rules are undone all the same.
func Run(ctx context.Context, m mesh.Mesh, s *scenarios.Scenario, o Options) (*report.Record, error) {
	if o.LiveLimit == 0 {
		o.LiveLimit = defaultLive
	}
	if err := o.Caps.exceeded(s); err != nil {
		return nil, &RefusedError{err}
	}
	r, stop, err := begin(ctx, m, s, o)
	if err != nil {
		return nil, err
	}
	defer stop()
	defer r.voice.keepTalking()()
	alive, die := context.WithCancel(context.WithoutCancel(ctx))
	var pushing sync.WaitGroup
	pushing.Go(func() { r.stayAlive(alive) })
	if err := r.life(ctx); err != nil {
		r.problem("%v", err)
	}
	r.prove(ctx)
	die()
	pushing.Wait()
	r.over(ctx)
	r.conclude(true)
	if err := guard(func() error { r.judge(); return nil }); err != nil {
		r.record.Verdict = report.Inconclusive
		r.problem("judging: %v", err)
	}
	r.record.Ended = time.Now()
	stop()
	r.end()
	s.HideRecord(r.record)
	return r.record, nil
}

// begin does all that comes before the first write, and as long as Options.Wait says
// anew when another run that stood in the way has ended: its rules are in the plan no
// more. stop ends the listening of the run.
func begin(ctx context.Context, m mesh.Mesh, s *scenarios.Scenario, o Options) (r *run, stop context.CancelFunc, err error) {
	for {
		r = newRun(m, s, o)
		listening, stop := context.WithCancel(ctx)
		quiet := r.voice.keepTalking()
		err := r.preflight(ctx, listening)
		quiet()
		if err == nil {
			return r, stop, nil
		}
		stop()
		var busy *BusyError
		if !errors.As(err, &busy) {
			return nil, nil, err
		}
		began := time.Now()
		if err := r.await(ctx, busy); err != nil {
			return nil, nil, err
		}
		o.Wait = max(o.Wait-time.Since(began), 0)
	}
}

// life goes through the windows. However it ends, no rule of the run is left
// in force by intent: what could not be undone is found by prove.
func (r *run) life(ctx context.Context) (err error) {
	defer func() { err = r.finish(ctx, err) }()
	return guard(func() error { return r.windows(ctx) })
}

func (r *run) windows(ctx context.Context) error {
	given := r.planned[0]
	if err := r.apply(ctx, given); err != nil {
		return err
	}
	first := r.scenario.Steps[0]
	if err := r.window(ctx, report.Baseline, first); err != nil {
		return err
	}
	base := r.boundary()
	if err := r.steps(ctx); err != nil {
		return err
	}
	if err := r.restore(ctx, base); err != nil {
		return err
	}
	return r.window(ctx, report.Recovery, first)
}

// steps goes through the steps of the scenario, until one is no pass if the
// file says so.
func (r *run) steps(ctx context.Context) error {
	for i, step := range r.scenario.Steps {
		if err := r.apply(ctx, r.planned[i+1]); err != nil {
			return err
		}
		if err := r.window(ctx, report.During, step); err != nil {
			return err
		}
		if !r.scenario.Rollback {
			continue
		}
		if r.conclude(true); !verdict.Passed(r.record, r.scenario, step) {
			r.phase("step %s is no pass: taking everything back", step.Name)
			return nil
		}
	}
	return nil
}

// discreet tells of what goes on without what of the scenario is secret.
func discreet(s *scenarios.Scenario, tell func(Event)) func(Event) {
	if tell == nil {
		return nil
	}
	return func(e Event) {
		e.Phase = s.Hide(e.Phase)
		tell(e)
	}
}

// proceed says which part of the run begins, of the step of a name.
func (r *run) proceed(part Part, step string) {
	at := At{Part: part, Step: step}
	if i := slices.IndexFunc(r.scenario.Steps, func(s scenarios.Step) bool { return s.Name == step }); i >= 0 && step != "" {
		at.Number, at.Of = i+1, len(r.scenario.Steps)
	}
	r.voice.enter(at)
}

// phase says what begins now.
func (r *run) phase(format string, args ...any) { r.voice.begin(fmt.Sprintf(format, args...)) }

func (r *run) problem(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(r.record.Problems, text) { // what is tried again fails in the same words
		r.record.Problems = append(r.record.Problems, text)
	}
}
