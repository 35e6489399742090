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
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range cohorts {
		if err := m.borrow(c.Borrows()); err != nil {
			return fmt.Errorf("preparing the load %s: %w", c.Name, err)
		}
	}
	return nil
}

// borrow starts the load workload that passes for a workload, unless it runs. m.mu is
// held.
func (m *Mesh) borrow(workload string) error {
	if slices.ContainsFunc(m.workloads, func(w injected) bool { return w.client && w.borrows == workload }) {
		return nil
	}
	at := slices.IndexFunc(m.sample, func(w pod) bool { return w.Name() == workload })
	if at < 0 {
		return fmt.Errorf("the application has no workload %q; %s", workload, nearest.Hint(workload, workloads(m.sample)))
	}
	cfg, err := sidecar.Compile(m.common, m.store.objects)
	if err != nil {
		return err
	}
	lender := m.sample[at]
	name := clientName + "-" + workload
	return m.inject(injected{
		options:  sidecar.Options{Name: name, App: lender.App, Version: lender.Version, Account: lender.name},
		workload: name, client: true, borrows: workload,
	}, cfg)
}

// entrance is the proxy by which a cohort enters, nil if there is none.
func (m *Mesh) entrance(c mesh.Cohort) *sidecar.Sidecar {
	for _, w := range m.pods() {
		if c.Enters(mesh.Proxy{Gateway: w.options.Gateway, Client: w.client, Borrows: w.borrows}) {
			return w.proxy
		}
	}
	return nil
}

// client is the proxy of the load workload that borrows none.
func (m *Mesh) client() *sidecar.Sidecar { return m.entrance(mesh.Cohort{From: mesh.FromClient}) }
