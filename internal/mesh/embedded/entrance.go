package embedded

import (
	"context"
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/sidecar"
)

// Workloads returns the names of those that an application has, sorted: what load may
// be from.
func Workloads(app string) ([]string, error) {
	sample, err := podsOf(app)
	if err != nil {
		return nil, err
	}
	return workloads(sample), nil
}

func workloads(sample []pod) []string {
	var names []string
	for _, w := range sample {
		names = append(names, w.Name())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Prepare implements mesh.Mesh. The load workload that borrows none runs from the
// start.
func (m *Mesh) Prepare(_ context.Context, cohorts []mesh.Cohort) error {
	if most := mostSenders(cohorts); most > 1 {
		if _, err := m.processes(most); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.certify(cohorts); err != nil {
		return err
	}
	for _, c := range cohorts {
		for sender := range c.Senders() {
			if err := m.lend(c.Borrows(), sender); err != nil {
				return fmt.Errorf("preparing the load %s: %w", c.Name, err)
			}
		}
	}
	return nil
}

// lend starts a pod of the load workload that borrows what is named, unless it runs. m.mu
// is held.
func (m *Mesh) lend(borrows string, sender int) error {
	if slices.ContainsFunc(m.workloads, func(w injected) bool { return w.client && w.borrows == borrows && w.sender == sender }) {
		return nil
	}
	name, own := clientName, ""
	if borrows != "" {
		name += "-" + borrows
	}
	if sender > 0 {
		own = fmt.Sprintf("-%d", sender)
	}
	w := injected{options: sidecar.Options{Name: name + own, App: clientName}, workload: name, client: true, borrows: borrows, sender: sender}
	if borrows != "" {
		if err := m.borrow(&w.options, borrows); err != nil {
			return err
		}
	}
	cfg, err := sidecar.Compile(m.common, m.store.objects)
	if err != nil {
		return err
	}
	return m.inject(w, cfg)
}

// borrow has the mesh take a proxy for one of a workload.
func (m *Mesh) borrow(as *sidecar.Options, workload string) error {
	at := slices.IndexFunc(m.sample, func(w pod) bool { return w.Name() == workload })
	if at < 0 {
		return fmt.Errorf("the application has no workload %q; %s", workload, nearest.Hint(workload, workloads(m.sample)))
	}
	lender := m.sample[at]
	as.App, as.Version, as.Account = lender.App, lender.Version, lender.name
	return nil
}

// entrance is the proxy by which one of a cohort's senders enters, nil if there is none.
// All enter by the one gateway.
func (m *Mesh) entrance(c mesh.Cohort, sender int) *sidecar.Sidecar {
	for _, w := range m.pods() {
		if (w.options.Gateway || w.sender == sender) && c.Enters(mesh.Proxy{Gateway: w.options.Gateway, Client: w.client, Borrows: w.borrows}) {
			return w.proxy
		}
	}
	return nil
}

// client is the proxy of the load workload that borrows none.
func (m *Mesh) client() *sidecar.Sidecar { return m.entrance(mesh.Cohort{From: mesh.FromClient}, 0) }
