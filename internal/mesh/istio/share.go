package istio

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/meshchaos/meshchaos/internal/agent"
	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

// share is the part of a load that comes from one load workload.
type share struct {
	from  *workload
	asked agent.Request
}

// companion is a cohort that runs while one of another share does.
type companion struct {
	name string
	of   *share
}

// shares are those of a load, and by the name of a cohort what runs elsewhere while
// it does.
func (m *Mesh) shares(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard) ([]*share, map[string][]companion, error) {
	by := map[string]*share{}
	of := map[string]*share{}
	for _, c := range cohorts {
		s := by[c.Borrows()]
		if s == nil {
			w, err := m.start(ctx, c.Borrows())
			if err != nil {
				return nil, nil, err
			}
			s = &share{from: w, asked: agent.Request{Plans: map[string]loadgen.Plan{}, Duration: guard.Duration}}
			by[c.Borrows()] = s
		}
		plan, err := m.plan(c, s.from.gateway)
		if err != nil {
			return nil, nil, err
		}
		s.asked.Plans[c.Name], of[c.Name] = plan, s
	}
	all := slices.Collect(maps.Values(by))
	divide(guard.QPS, all)
	return all, parted(of), watchedBy(all, guard.AbortWhen)
}

// divide gives each share a part of what all may send within a second together: what
// it is to send, and as much of the rest as the others.
func divide(qps float64, shares []*share) {
	if qps == 0 {
		return
	}
	rest := qps
	for _, s := range shares {
		for _, plan := range s.asked.Plans {
			s.asked.QPS += plan.QPS
			rest -= plan.QPS
		}
	}
	for _, s := range shares {
		s.asked.QPS = max(s.asked.QPS+rest/float64(len(shares)), 1) // 0 would be no cap
	}
}

// parted takes from the plans what they run while another share's do.
func parted(of map[string]*share) map[string][]companion {
	companions := map[string][]companion{}
	for name, s := range of {
		plan := s.asked.Plans[name]
		if plan.While != "" && of[plan.While] != s {
			companions[plan.While] = append(companions[plan.While], companion{name, s})
			plan.While = ""
			s.asked.Plans[name] = plan
		}
	}
	return companions
}

// watchedBy gives each condition to a share that has all of its cohorts, and says
// which none has.
func watchedBy(shares []*share, conditions []string) error {
	for _, text := range conditions {
		var why error
		at := slices.IndexFunc(shares, func(s *share) bool {
			_, err := check.Watch(s.asked.Plans, []string{text})
			why = err
			return err == nil
		})
		if at < 0 && len(shares) > 1 {
			return fmt.Errorf("guarding the load: %q names cohorts that are not from one place, and so nobody could judge it; write a condition for each (%w)", text, why)
		}
		if at < 0 {
			return fmt.Errorf("guarding the load: %w", why)
		}
		shares[at].asked.AbortWhen = append(shares[at].asked.AbortWhen, text)
	}
	return nil
}
