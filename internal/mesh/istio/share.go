package istio

import (
	"context"
	"fmt"

	"github.com/meshchaos/meshchaos/internal/agent"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// shares has each cohort sent from its load workload, what one pod sends by one share.
func (m *Mesh) shares(ctx context.Context, cohorts []mesh.Cohort) ([]agent.Cohort, error) {
	m.ask(cohorts)
	by := map[*workload]*agent.Share{}
	var all []agent.Cohort
	for _, c := range cohorts {
		w, err := m.start(ctx, c.Borrows())
		if err != nil {
			return nil, err
		}
		plan, err := m.plan(c, w.gateway)
		if err != nil {
			return nil, err
		}
		pods := w.pods()
		if len(pods) < c.Senders() {
			return nil, fmt.Errorf("sending load %s: the load workload %s has %d pods for %d senders; the mesh was prepared without this load", c.Name, w.name, len(pods), c.Senders())
		}
		from := agent.Cohort{Name: c.Name, Plan: plan}
		for _, pod := range pods[:c.Senders()] {
			if by[pod] == nil {
				by[pod] = m.share(pod)
			}
			from.From = append(from.From, by[pod])
		}
		all = append(all, from)
	}
	return all, nil
}

// share is that of a pod.
func (m *Mesh) share(w *workload) *agent.Share {
	return &agent.Share{
		Name: "pod " + m.namespace + "/" + w.podName(), From: w.agent, Gone: w.vigil.over,
		Fate: func(ctx context.Context) error { return m.fate(ctx, w) },
	}
}

// ask notes how many senders cohorts have. What is there already stays as it is.
func (m *Mesh) ask(cohorts []mesh.Cohort) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.most == nil {
		m.most = map[string]int{}
	}
	for borrows, senders := range mesh.MostSenders(cohorts) {
		m.most[borrows] = max(m.most[borrows], senders)
	}
}
