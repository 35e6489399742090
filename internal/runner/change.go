package runner

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/live"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
)

// conflictTries bounds how often a write is tried again when only the resource
// version moved: Istio's status writer moves it without touching the rule.
const conflictTries = 5

// apply writes the changes of a stage, kind by kind, and waits after each kind
// until the proxies run it.
func (r *run) apply(ctx context.Context, stage Stage) error {
	if len(stage.Changes) == 0 {
		return nil
	}
	r.stage = stage.Name
	if stage.Name == report.Given {
		r.proceed(PartGiven, "")
	} else {
		r.proceed(PartApply, stage.Name)
	}
	r.phase("applying %s", report.StageWords(stage.Name))
	r.applying(stage.Name)
	var seen []live.Seen
	for _, group := range byKind(stage.Changes) {
		began := time.Now()
		first := len(r.record.Changes)
		for _, change := range group {
			before := r.current[change.Ref()]
			written, err := r.write(ctx, change)
			if err != nil {
				return againAfter(err)
			}
			r.marks[written] = stage.Mark
			r.record.Changes = append(r.record.Changes, recordOf(stage.Name, before, written))
		}
		in, err := r.waitAll(ctx, group, func(rules.Change) string { return stage.Mark }, r.LiveLimit)
		for i, one := range in {
			if one.Err == nil {
				entry := &r.record.Changes[first+i]
				entry.LiveIn, entry.Live.Duration = one.Proxies, one.At.Sub(began)
			}
		}
		if err != nil {
			return err
		}
		seen = append(seen, in...)
	}
	r.seenLive(stage.Name, seen)
	return nil
}

// write carries out one change on top of what is there now. The ledger has it before.
func (r *run) write(ctx context.Context, change rules.Change) (*rules.Object, error) {
	ref := change.Ref()
	first := r.book.ledger.Find(ref) == nil
	if rules.Relistens(change) {
		r.logging.Forget()
	}
	if err := r.enter(ctx, ref, change.After); err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		written, err := r.mesh.Write(ctx, rules.Change{Before: r.current[ref], After: change.After})
		if err == nil {
			r.know(ref, written)
			return written, nil
		}
		var conflict *mesh.ConflictError
		if errors.As(err, &conflict) && try < conflictTries {
			err = r.reread(ctx, ref, conflict)
		}
		if err != nil {
			if first && errors.As(err, &conflict) { // what is there is somebody else's, and none of ours to take away
				r.book.do(func(l *journal.Ledger) { l.Strike(ref) })
			}
			return nil, err
		}
	}
}

// enter notes in the ledger what is about to be written.
func (r *run) enter(ctx context.Context, ref rules.Ref, next *rules.Object) error {
	r.book.do(func(l *journal.Ledger) {
		e := l.Open(ref, r.current[ref])
		e.Is, e.Next, e.Writing = r.current[ref], next, true
	})
	err := r.book.store(ctx, aliveFor)
	if err == nil || r.undone(ref, next) {
		return nil
	}
	return err
}

// undone says whether an object that is about to be written is what it was before the
// run, which the ledger tells as it is: what cannot be kept must not keep a run from
// undoing.
func (r *run) undone(ref rules.Ref, next *rules.Object) bool {
	return rules.Equal(next, r.wanted(ref, r.book.was(ref)))
}

// know notes what is there now.
func (r *run) know(ref rules.Ref, now *rules.Object) {
	if was := r.current[ref]; was != nil {
		r.versions[ref] = was.ResourceVersion
	}
	r.current[ref] = now
	r.book.do(func(l *journal.Ledger) {
		if e := l.Find(ref); e != nil {
			e.Is, e.Next, e.Writing = now, nil, false
		}
	})
}

// againAfter says what to do after somebody else came between a run and its rules.
func againAfter(err error) error {
	var conflict *mesh.ConflictError
	if errors.As(err, &conflict) {
		return fmt.Errorf("%w; run again", err)
	}
	return err
}

// reread takes over a new resource version if the rule itself is unchanged.
func (r *run) reread(ctx context.Context, ref rules.Ref, conflict error) error {
	objects, err := r.mesh.Objects(ctx)
	if err != nil {
		return err
	}
	now, known := rules.Find(objects, ref), r.current[ref]
	if now == nil || known == nil || !rules.Equal(now, known) {
		return conflict
	}
	r.current[ref], r.marks[now] = now, r.marks[known]
	return nil
}

// settleUncertain finds out whether writes that ended in an error took place all
// the same, as they do when only the answer was lost. The end of ctx does not keep
// it from that.
func (r *run) settleUncertain(ctx context.Context) error {
	writing := slices.DeleteFunc(slices.Clone(r.book.entries()), func(e *journal.Entry) bool { return !e.Writing })
	if len(writing) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeLimit)
	defer cancel()
	objects, err := r.mesh.Objects(ctx)
	if err != nil {
		return fmt.Errorf("reading the rules after a write that failed: %w", err)
	}
	for _, e := range writing {
		now := rules.Find(objects, e.Ref)
		if !rules.Equal(now, e.Next) {
			continue
		}
		if now != nil && !rules.Equal(now, e.Was) {
			r.record.Changes = append(r.record.Changes, recordOf(r.stage, r.current[e.Ref], now))
		}
		r.know(e.Ref, now)
	}
	return nil
}

// boundary is what the run knows to be there now.
func (r *run) boundary() map[rules.Ref]*rules.Object { return maps.Clone(r.current) }

// restore takes every object that the run has written back to what it was at a
// boundary. The order is that of the writes, reversed. A failure does not stop
// the others, and the end of ctx ends only the waiting, never the writing.
func (r *run) restore(ctx context.Context, to map[rules.Ref]*rules.Object) error {
	var back []rules.Change
	for _, ref := range r.book.refs() {
		switch {
		case r.hollowed[ref] != nil: // proxies may run what it was, and of what it is nothing would be seen
			back = append(back, rules.Change{Before: r.hollowed[ref], After: to[ref]})
		case !isBack(r.current[ref], r.wanted(ref, to[ref])):
			back = append(back, rules.Change{Before: cmp.Or(r.replaced[ref], r.current[ref]), After: to[ref]})
		case r.unproven[ref] != "": // it is written; only the proxies are in doubt
			back = append(back, rules.Change{Before: r.replaced[ref], After: to[ref]})
		}
	}
	if len(back) == 0 {
		return nil
	}
	r.proceed(PartUndo, "")
	r.phase("undoing")
	r.undoing(back)
	groups := byKind(back)
	slices.Reverse(groups)
	var failures []error
	for _, group := range groups {
		failures = append(failures, r.restoreGroup(ctx, group)...)
	}
	r.seenGone()
	return errors.Join(failures...)
}

// isBack says whether an object is what it is to be taken back to, and belongs to whom
// it did.
func isBack(now, to *rules.Object) bool {
	return rules.Equal(now, to) && !journal.Signed(to, now)
}

// restoreGroup writes first, all of it, and waits then.
func (r *run) restoreGroup(ctx context.Context, group []rules.Change) (failures []error) {
	var written []rules.Change
	for _, change := range group {
		change, err := r.putBack(ctx, change)
		if err != nil {
			failures = append(failures, r.notUndone(change, fmt.Errorf("undoing %s: %w", change.Ref(), err)))
			continue
		}
		if rules.Equal(change.Before, change.After) { // only its fields were given back, which no proxy shows
			r.goneAt[change.Ref().String()] = time.Now()
			continue
		}
		written = append(written, change)
	}
	in := r.waitBack(ctx, written)
	for i, change := range written {
		if in[i].Err != nil && errors.Is(ctx.Err(), context.Canceled) {
			done := "it is written back, but the wait until the proxies run it"
			if change.After == nil {
				done = "it is deleted, but the wait until it is gone from the proxies"
			}
			in[i].Err = errors.New(done + " was cut short; they follow in a moment as long as istiod serves")
		}
		if in[i].Err != nil {
			failures = append(failures, r.notUndone(change, fmt.Errorf("proving that %s is undone: %w", change.Ref(), in[i].Err)))
			continue
		}
		r.goneAt[change.Ref().String()] = in[i].At
		r.followed(change.Ref())
	}
	return failures
}

// putBack carries out a change of the undoing, and returns it as it was carried out:
// without what somebody else did to the object meanwhile it would be undone too.
func (r *run) putBack(ctx context.Context, change rules.Change) (rules.Change, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeLimit)
	defer cancel()
	ref, to := change.Ref(), change.After
	r.book.do(func(l *journal.Ledger) { // whoever restores after a kill has to wait for the proxies, too
		if e := l.Find(ref); e != nil && e.Ran == nil {
			e.Ran = change.Before
		}
	})
	for try := 0; ; try++ {
		if change.After = r.wanted(ref, to); isBack(r.current[ref], change.After) {
			return change, nil
		}
		_, err := r.write(ctx, change)
		var conflict *mesh.ConflictError
		if !errors.As(err, &conflict) || try == concedeTries {
			return change, err
		}
		if overlap := r.concede(ctx, ref); overlap != nil {
			return change, fmt.Errorf("%w; %w", err, overlap)
		}
	}
}

// followed notes that the proxies were seen to run what an object was taken back to.
func (r *run) followed(ref rules.Ref) {
	delete(r.unproven, ref)
	delete(r.replaced, ref)
	delete(r.hollowed, ref)
	r.book.do(func(l *journal.Ledger) {
		if e := l.Find(ref); e != nil {
			e.Ran = nil
		}
	})
}

// notUndone remembers what could not be proved, for the record of the change.
func (r *run) notUndone(change rules.Change, err error) error {
	r.unproven[change.Ref()], r.replaced[change.Ref()] = err.Error(), change.Before
	return err
}

// waitAll waits until the proxies run the changes, all at once, up to a limit. The
// error is that of the first change that has one.
func (r *run) waitAll(ctx context.Context, changes []rules.Change, mark func(rules.Change) string, limit time.Duration) ([]live.Seen, error) {
	proxies, err := r.mesh.Proxies(ctx)
	if err != nil {
		err = fmt.Errorf("finding the proxies: %w", err)
		all := make([]live.Seen, len(changes))
		for i := range all {
			all[i].Err = err
		}
		return all, err
	}
	awaited := make([]live.Awaited, len(changes))
	for i, change := range changes {
		awaited[i] = live.Awaited{Change: change, Mark: mark(change)}
	}
	names := make([]string, len(changes))
	for i, change := range changes {
		names[i] = change.Ref().String()
	}
	r.voice.waitFor("until the proxies run %s, %s at most", strings.Join(names, ", "), limit)
	all := live.Wait(ctx, proxies, r.services, awaited, limit)
	r.voice.waitFor("")
	for _, one := range all {
		if one.Err != nil {
			return all, one.Err
		}
	}
	return all, nil
}

// byKind groups changes that may be written together, in the order of writing.
func byKind(changes []rules.Change) [][]rules.Change {
	var groups [][]rules.Change
	for _, kind := range rules.Kinds() {
		var group []rules.Change
		for _, change := range changes {
			if change.Ref().Kind == kind {
				group = append(group, change)
			}
		}
		if len(group) > 0 {
			groups = append(groups, group)
		}
	}
	return groups
}

func recordOf(stage string, before, after *rules.Object) report.Change {
	c := report.Change{Object: after.String(), Step: stage, Action: "created", After: json.RawMessage(after.Manifest)}
	if before != nil {
		c.Action, c.Before = "updated", json.RawMessage(before.Manifest)
	}
	return c
}
