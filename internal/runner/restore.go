package runner

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/meshchaos/meshchaos/internal/evidence"
	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Restore undoes what a run that is over has left, by its ledger, proves that it is
// undone, and takes the ledger and the run's load workload away. It may be called any
// number of times. Of the options LiveLimit, Observe, Standing and Hurry
// count.
//
// The record has the changes and the problems of the undoing, and no verdict. The
// error says that nothing could be begun.
func Restore(ctx context.Context, m mesh.Mesh, ledger *journal.Ledger, o Options) (*report.Record, error) {
	if o.LiveLimit == 0 {
		o.LiveLimit = defaultLive
	}
	o.ID = ledger.Run
	r := newRun(m, &scenarios.Scenario{Name: ledger.Scenario}, o)
	defer r.voice.keepTalking()()
	r.logging = new(evidence.Logging)
	r.book.do(func(l *journal.Ledger) { *l = *ledger })
	if err := r.resume(ctx); err != nil {
		return nil, fmt.Errorf("reading what the run %s has left: %w", ledger.Run, err)
	}
	if err := r.finish(ctx, nil); err != nil {
		r.problem("%v", err)
	}
	r.prove(ctx)
	r.over(ctx)
	r.record.Ended = time.Now()
	return r.record, nil
}

// resume finds out what stands of what the ledger has.
func (r *run) resume(ctx context.Context) error {
	err := r.mesh.Span(ctx, r.book.ledger.Further, nil)
	if err != nil {
		return err
	}
	if r.services, err = r.mesh.Services(ctx); err != nil {
		return err
	}
	objects, err := r.mesh.Objects(ctx)
	if err != nil {
		return err
	}
	for _, o := range objects {
		r.current[o.Ref] = o
	}
	for _, e := range r.book.entries() {
		now := r.current[e.Ref]
		made := e.Made(now)
		e.Writing = false
		if isBack(now, e.Was) && rules.Equal(made, e.Was) && e.Ran == nil {
			continue
		}
		r.record.Changes = append(r.record.Changes, recordOf("", e.Was, cmp.Or(made, e.Ran, now, e.Was)))
		if !rules.Equal(now, e.Was) && !rules.Equal(now, made) {
			edits := []conceded{{made, now}}
			if _, err := withEdits(e.Was, edits); err != nil {
				r.current[e.Ref] = made // so that its undoing says why it cannot be
				continue
			}
			r.conceded[e.Ref] = edits
		}
		r.doubt(e, now, made)
	}
	return nil
}

// doubt has the run wait until the proxies follow where an object has nothing of the
// run's any more already: whoever took it out may not have waited, or not have seen it.
func (r *run) doubt(e *journal.Entry, now, made *rules.Object) {
	ran := e.Ran
	if ran == nil && !rules.Equal(made, now) {
		ran = made
	}
	if ran != nil && rules.Equal(now, r.wanted(e.Ref, e.Was)) {
		r.unproven[e.Ref], r.replaced[e.Ref] = "nobody has seen that the proxies run it", ran
	}
}

// Leftover is what stands of an object that a run has written.
type Leftover struct {
	Ref  rules.Ref
	Does string   // what Restore would do with it, in words that go on behind its name; empty: nothing, it is as it was
	Diff []string // how it differs from what it was, a line each; none if there was nothing
}

// Leftovers says what a run that is over has left, and what Restore would do about
// it. Nothing is written.
func Leftovers(ctx context.Context, m mesh.Mesh, ledger *journal.Ledger) ([]Leftover, error) {
	err := m.Span(ctx, ledger.Further, nil)
	if err != nil {
		return nil, fmt.Errorf("reading what the run %s has left: %w", ledger.Run, err)
	}
	objects, err := m.Objects(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading what the run %s has left: %w", ledger.Run, err)
	}
	var all []Leftover
	for _, e := range ledger.Entries {
		now := rules.Find(objects, e.Ref)
		left := Leftover{Ref: e.Ref, Diff: rules.Diff(e.Was, now)}
		to, err := journal.Retract(e.Was, e.Made(now), now)
		switch {
		case isBack(now, e.Was) && e.Ran != nil:
			left.Does = "it is as it was, and it is waited for until the proxies run it"
		case isBack(now, e.Was):
		case rules.Equal(now, e.Was):
			left.Does = "is as it was; its fields would be given back to who owned them"
		case err != nil:
			left.Does = fmt.Sprintf("would be left: %v", err)
		case rules.Equal(to, now):
			left.Does = "would be left: it has nothing of the run's, only what somebody else did"
		case to == nil:
			left.Does, left.Diff = "would be deleted: the run made it", nil
		case rules.Equal(to, e.Was):
			left.Does = "would be put back as it was"
		default:
			left.Does = "would lose what the run wrote, and keep what somebody else did"
		}
		all = append(all, left)
	}
	return all, nil
}
