package embedded

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/agent"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

// mostSenders is how many processes it takes to send the cohorts.
func mostSenders(cohorts []mesh.Cohort) int {
	most := 1
	for _, c := range cohorts {
		most = max(most, c.Senders())
	}
	return most
}

// loadTogether has cohorts of several senders come from processes of their own, and the
// others from this one.
func (m *Mesh) loadTogether(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	processes, err := m.processes(mostSenders(cohorts))
	if err != nil {
		return nil, err
	}
	var others []*agent.Share
	for _, p := range processes {
		others = append(others, p.Share())
	}
	here := []*agent.Share{{Name: "this process", From: agent.NewHere()}}
	var all []agent.Cohort
	for _, c := range cohorts {
		plan, err := m.trusting(c)
		if err != nil {
			return nil, err
		}
		from := agent.Cohort{Name: c.Name, Plan: plan, From: here}
		if c.Senders() > 1 {
			from.From = others[:c.Senders()]
		}
		for sender := range c.Senders() {
			address, err := m.leads(c, sender)
			if err != nil {
				return nil, err
			}
			from.Connect = append(from.Connect, address)
		}
		all = append(all, from)
	}
	g, err := agent.Together(all, agent.Request{QPS: guard.QPS, Duration: guard.Duration, AbortWhen: guard.AbortWhen})
	if err != nil {
		return nil, err
	}
	return g.Run(ctx, begin, observe, guard.Stopped)
}

// processes are so many that can send, started unless they run.
func (m *Mesh) processes(n int) ([]*agent.Process, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.agent) == 0 {
		return nil, errors.New("sending a load by several processes: this one does not know which program they are to be; take senders out")
	}
	m.senders = slices.DeleteFunc(m.senders, func(p *agent.Process) bool {
		dead := !p.Alive()
		if dead {
			p.Close()
		}
		return dead
	})
	for len(m.senders) < n {
		p, err := agent.Start(m.agent[0], m.agent[1:]...)
		if err != nil {
			return nil, fmt.Errorf("sending a load by %d processes: %w", n, err)
		}
		m.senders = append(m.senders, p)
	}
	return slices.Clone(m.senders[:n]), nil
}
