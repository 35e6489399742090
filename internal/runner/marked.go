package runner

import (
	"context"
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// marked says which objects carry the mark of a run whose ledger is gone: nobody knows
// any more what they were, and a run would take them for what is to be put back. One
// whose ledger is there is spoken of as the run claims the namespace.
func marked(ctx context.Context, m mesh.Mesh, objects []*rules.Object) (wrong []error, err error) {
	var ledgers []*journal.Ledger
	for _, o := range objects {
		run := rules.MarkedBy(o)
		if run == "" {
			continue
		}
		if ledgers == nil {
			if ledgers, err = m.Ledgers(ctx); err != nil {
				return nil, fmt.Errorf("looking for the run that has left its mark: %w", err)
			}
		}
		known := slices.ContainsFunc(ledgers, func(l *journal.Ledger) bool { return l.Run == run })
		if !known && o.Namespace != m.Info().Namespace {
			known, err = holds(ctx, m, run, o)
		}
		if err != nil {
			return nil, fmt.Errorf("looking for the run that has left its mark: %w", err)
		}
		if known {
			continue
		}
		wrong = append(wrong, fmt.Errorf("%s carries the mark of the run %s, whose ledger somebody has deleted: what it was before is known to nobody here; put it back by hand, from where it comes from or from the report of that run (its changes[].before), or delete it", o.Ref, run))
	}
	return wrong, nil
}

// holds says whether a run still holds an object of another namespace, whose ledger may
// be anywhere.
func holds(ctx context.Context, m mesh.Mesh, run string, o *rules.Object) (bool, error) {
	info := m.Info()
	holders, err := m.Holders(ctx, journal.Claims([]*rules.Object{o}, info.Namespace, info.Gateway))
	return slices.ContainsFunc(holders, func(h *journal.Holder) bool { return h.Run == run }), err
}
