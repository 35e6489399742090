package runner

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// A run that is alive pushes the deadline of its ledger on.
const (
	aliveFor   = time.Minute
	aliveEvery = 15 * time.Second
	storeLimit = 5 * time.Second
)

// book is the ledger of a run. It is stored by the run and, so that others see that
// it is alive, beside it.
type book struct {
	mu     sync.Mutex
	mesh   mesh.Mesh
	ledger journal.Ledger
	tell   func([]rules.Ref) // Options.Standing
}

// do changes the ledger.
func (b *book) do(change func(*journal.Ledger)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.ledger)
	if b.tell == nil || b.ledger.Run == "" {
		return
	}
	standing := []rules.Ref{}
	for _, e := range b.ledger.Entries {
		if e.Writing || !rules.Equal(e.Is, e.Was) {
			standing = append(standing, e.Ref)
		}
	}
	b.tell(standing)
}

// store stores it, with a deadline that is so far ahead.
func (b *book) store(ctx context.Context, ahead time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	b.ledger.Deadline = time.Now().Add(ahead).UTC()
	if err := b.mesh.Enter(ctx, &b.ledger); err != nil {
		return fmt.Errorf("keeping the ledger of the run: %w", err)
	}
	return nil
}

// entries are those of the ledger, in the order of their first write.
func (b *book) entries() []*journal.Entry { return b.ledger.Entries }

// refs are the objects that the run has written.
func (b *book) refs() []rules.Ref {
	refs := make([]rules.Ref, len(b.ledger.Entries))
	for i, e := range b.ledger.Entries {
		refs[i] = e.Ref
	}
	return refs
}

// was is an object as it was before the run, of those that it has written.
func (b *book) was(ref rules.Ref) *rules.Object {
	if e := b.ledger.Find(ref); e != nil {
		return e.Was
	}
	return nil
}

// originals are the objects that the run has written as they were before it.
func (b *book) originals() map[rules.Ref]*rules.Object {
	all := map[rules.Ref]*rules.Object{}
	for _, e := range b.ledger.Entries {
		all[e.Ref] = e.Was
	}
	return all
}

// stayAlive pushes the deadline of the ledger on until ctx ends. What fails is tried
// again in a moment, and at the next write in any case.
func (r *run) stayAlive(ctx context.Context) {
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = r.book.store(ctx, aliveFor)
		}
	}
}

// over ends the ledger: nothing is left that it would be needed for, or it is kept.
func (r *run) over(ctx context.Context) {
	switch {
	case r.record.Restored:
		if err := r.settleLedger(ctx); err != nil {
			r.record.Restored = false
			r.problem("%v", err)
		}
	case !r.mesh.Info().Ephemeral:
		// It is over now, and not only in a minute; else that is all that is lost.
		_ = r.book.store(context.WithoutCancel(ctx), 0)
		r.problem("what was there is kept in the ledger of the run: meshchaos restore --namespace %s --run %s tries again to undo what is left", r.mesh.Info().Namespace, r.ID)
	}
}

// settleLedger takes the ledger away, and what it has beside rules: what keeps others off,
// certificates, and where the load of a run that is over came from.
func (r *run) settleLedger(ctx context.Context) error {
	ctx, cancel := r.patient(ctx, patience, interruptLimit)
	defer cancel()
	err := r.insist(ctx, func() error {
		once, cancel := context.WithTimeout(ctx, writeLimit)
		defer cancel()
		return r.mesh.Settle(once, r.ID)
	})
	if err != nil {
		return fmt.Errorf("the rules are undone; taking away the ledger of the run and what else it made: %w; meshchaos restore --namespace %s --run %s tries again", err, r.mesh.Info().Namespace, r.ID)
	}
	return nil
}
