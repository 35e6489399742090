package embedded

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/meshchaos/meshchaos/internal/journal"
)

// Enter implements mesh.Mesh. The ledger goes with this process, as the mesh does.
func (m *Mesh) Enter(_ context.Context, ledger *journal.Ledger) error {
	text, err := json.Marshal(ledger)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ledgers[ledger.Run] = text
	return nil
}

// Ledgers implements mesh.Mesh.
func (m *Mesh) Ledgers(context.Context) ([]*journal.Ledger, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*journal.Ledger
	for _, text := range m.ledgers {
		ledger := &journal.Ledger{}
		if err := json.Unmarshal(text, ledger); err != nil {
			return nil, err
		}
		all = append(all, ledger)
	}
	slices.SortFunc(all, journal.InOrder)
	return all, nil
}

// Holders implements mesh.Mesh. There is no other namespace here whose runs could hold
// anything, and one ledger holds all of this one.
func (m *Mesh) Holders(context.Context, []journal.Claim) ([]*journal.Holder, error) { return nil, nil }

// Settle implements mesh.Mesh. The load workload is the mesh's own.
func (m *Mesh) Settle(_ context.Context, run string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.ledgers, run)
	clear(m.secrets)
	return nil
}
