package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
)

// lookEvery is how often a run that waits for another one looks after it.
const lookEvery = 2 * time.Second

// BusyError says that a run was not begun, since another one is not over.
type BusyError struct{ Holder *journal.Holder }

// Error implements error.
func (e *BusyError) Error() string {
	h := e.Holder
	restore := fmt.Sprintf("meshchaos restore --namespace %s --run %s", h.Namespace, h.Run)
	if left := time.Until(h.Until).Round(time.Second); left > 0 {
		return fmt.Sprintf("%s, %s; wait until it has ended, as with --wait, or end it there; if it was killed, that is known in %s: %s", RunOf(h), heldBy(h), left, restore)
	}
	where := "the namespace " + h.Namespace
	if h.What != "" {
		where += ", for " + h.What
	}
	return fmt.Sprintf("%s, was killed, or could not undo everything, and its rules may be in force in %s; undo them: %s", RunOf(h), where, restore)
}

// RunOf words which run it is that holds something.
func RunOf(h *journal.Holder) string {
	return fmt.Sprintf("the run %s of %s, which %s began at %s", h.Run, h.Scenario, h.By, h.Since.Local().Format(time.DateTime))
}

// heldBy words what a run that is alive holds.
func heldBy(h *journal.Holder) string {
	if h.What == "" {
		return "is under way in the namespace " + h.Namespace
	}
	return fmt.Sprintf("is under way in the namespace %s and holds %s", h.Namespace, h.What)
}

// free refuses to begin beside a run that is not over.
func (r *run) free(ctx context.Context) error {
	holders, err := r.holders(ctx)
	if err != nil {
		return fmt.Errorf("looking for other runs: %w", err)
	}
	if len(holders) > 0 {
		return &BusyError{holders[0]}
	}
	return nil
}

// holders are the runs, other than this one, that hold the namespace, something in it,
// or what this run claims, as far as it knows that by now.
func (r *run) holders(ctx context.Context) ([]*journal.Holder, error) {
	ledgers, err := r.mesh.Ledgers(ctx)
	if err != nil {
		return nil, err
	}
	var all []*journal.Holder
	own := &journal.Ledger{Run: r.ID, Started: cmp.Or(r.book.ledger.Started, r.record.Started.UTC())}
	for _, other := range ledgers {
		holder := other.Holder(r.mesh.Info().Namespace)
		if other.Run != r.ID && (!holder.Alive() || journal.InOrder(other, own) < 0) { // one that began later gives way
			all = append(all, holder)
		}
	}
	elsewhere, err := r.mesh.Holders(ctx, r.book.ledger.Claims)
	return append(all, elsewhere...), err
}

// claim stores the ledger, and with it holds what the run is about to write; it
// refuses to begin beside a run that is not over.
func (r *run) claim(ctx context.Context) error {
	r.book.do(func(l *journal.Ledger) {
		// Not when it began to look: one that has begun since, and stored its ledger before
		// this one, did not find it, and does not give way.
		l.Run, l.Scenario, l.By, l.Started = r.ID, r.scenario.Name, Whoami(), time.Now().UTC()
	})
	err := r.book.store(ctx, aliveFor)
	var held *mesh.HeldError
	if errors.As(err, &held) {
		err = &BusyError{held.Holder}
	} else if err == nil {
		err = r.free(ctx)
	}
	if err != nil { // the ledger may stand there all the same
		return errors.Join(err, r.settleLedger(ctx))
	}
	return nil
}

// claims are what the run is going to write, of the hosts that an object has, and of
// those that it had.
func claims(stages []Stage, on mesh.Info) []journal.Claim {
	var objects []*rules.Object
	for _, stage := range stages {
		for _, change := range stage.Changes {
			for _, o := range []*rules.Object{change.Before, change.After} {
				if o != nil {
					objects = append(objects, o)
				}
			}
		}
	}
	return journal.Claims(objects, on.Namespace, on.Gateway)
}

// await waits until none of the runs that are under way is any more, as long as
// Options.Wait, and says for whom. One that was killed is waited for by nobody.
func (r *run) await(ctx context.Context, busy *BusyError) error {
	if r.Wait == 0 || !busy.Holder.Alive() {
		return busy
	}
	waiting, cancel := context.WithTimeout(ctx, r.Wait)
	defer cancel()
	for {
		r.phase("waiting for %s: it %s", RunOf(busy.Holder), heldBy(busy.Holder))
		select {
		case <-waiting.Done():
			return fmt.Errorf("waiting for another run, for %s: %w", r.Wait, cmp.Or[error](ctx.Err(), busy))
		case <-time.After(lookEvery):
		}
		holders, err := r.holders(waiting)
		switch {
		case waiting.Err() != nil || isUnanswered(err):
		case err != nil:
			return fmt.Errorf("looking for other runs: %w", err)
		case len(holders) == 0:
			return nil
		case !holders[0].Alive():
			return &BusyError{holders[0]}
		default:
			busy = &BusyError{holders[0]}
		}
	}
}

// Whoami is who runs this program, and where.
func Whoami() string {
	me := who()
	return cmp.Or(me.User, "somebody") + "@" + cmp.Or(me.Host, "somewhere")
}

// who is the same for a record.
func who() *report.Who {
	me := new(report.Who)
	if u, err := user.Current(); err == nil {
		me.User = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		me.Host = host
	}
	return me
}
