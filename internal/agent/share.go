package agent

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/loadgen"
)

// Generator drives load, in this process or in another.
type Generator interface {
	Load(ctx context.Context, asked Request, h Handlers) (map[string]*loadgen.Result, error)

	// Over ends a cohort of the load that runs as one ends that runs while another does.
	Over(ctx context.Context, cohort string) error
}

// Share is the part of a load that one generator drives.
type Share struct {
	Name string // as a report names who sends it: process 4711
	From Generator

	// Gone is closed when the generator is no more; nil: it is there as long as this
	// process is.
	Gone <-chan struct{}

	// Fate says why the generator is no more; nil: it still is. It may take its time to
	// find out. A nil Fate: it still is.
	Fate func(ctx context.Context) error

	asked Request
	parts map[string]int // of the cohorts that it sends, which sender of each it is, from 0 on
}

// Cohort is one that several shares may send together.
type Cohort struct {
	Name string
	Plan loadgen.Plan
	From []*Share // as many as it has senders

	// Connect is of each sender the host:port that it connects to, as loadgen.Plan.Through
	// has it; nil: where the plan leads.
	Connect []string
}

// companion is a cohort of a share that runs while one does that not only this share sends.
type companion struct {
	name string
	of   *Share
}

// Together readies what shares drive beside each other, by what each of them is asked for.
// Of what is asked it takes all but the plans: QPS is that of all together.
func Together(cohorts []Cohort, asked Request) (*Group, error) {
	g := &Group{
		cohorts: map[string]*spread{}, companions: map[string][]companion{},
		begun: make(chan struct{}),
	}
	for _, c := range cohorts {
		if err := g.assign(c, asked); err != nil {
			return nil, err
		}
	}
	divide(asked.QPS, g.shares)
	g.part()
	return g, g.watch(asked.AbortWhen)
}

// assign gives each sender of a cohort its part.
func (g *Group) assign(c Cohort, asked Request) error {
	parts := c.Plan.Parts()
	if len(parts) != len(c.From) || c.Connect != nil && len(parts) != len(c.Connect) {
		return fmt.Errorf("sending load %s: it has %d senders, and there are %d to send it", c.Name, len(parts), len(c.From))
	}
	whole := parts[0]
	whole.Sender = 0
	n := len(parts)
	g.cohorts[c.Name] = &spread{
		plan: whole, from: c.From, progress: make([]loadgen.Progress, n), over: make([]bool, n),
		soFar: make([]*loadgen.Result, n), results: make([]*loadgen.Result, n), lost: make([]error, n),
	}
	for i, s := range c.From {
		if !slices.Contains(g.shares, s) {
			g.shares = append(g.shares, s)
			s.asked, s.parts = Request{Plans: map[string]loadgen.Plan{}, Duration: asked.Duration}, map[string]int{}
		}
		if c.Connect != nil {
			parts[i] = parts[i].Through(c.Connect[i])
		}
		s.asked.Plans[c.Name], s.parts[c.Name] = parts[i], i
	}
	return nil
}

// divide gives each share a part of what all may send within a second together: what
// it is to send, and as much of the rest as the others.
func divide(qps float64, shares []*Share) {
	if qps == 0 {
		return
	}
	rest := qps
	for _, s := range shares {
		for _, plan := range s.asked.Plans {
			s.asked.QPS += plan.Peak()
			rest -= plan.Peak()
		}
	}
	for _, s := range shares {
		s.asked.QPS = max(s.asked.QPS+rest/float64(len(shares)), 1) // 0 would be no cap
	}
}

// part takes from the plans what they run while others do, unless one share has both.
func (g *Group) part() {
	for name, of := range g.cohorts {
		while := of.plan.While
		if while == "" || len(of.from) == 1 && slices.Equal(of.from, g.cohorts[while].from) {
			continue
		}
		for _, s := range of.from {
			plan := s.asked.Plans[name]
			plan.While = ""
			s.asked.Plans[name] = plan
			g.companions[while] = append(g.companions[while], companion{name, s})
		}
	}
}

// watch gives each condition to a share that sends all of its cohorts, alone. The others
// are judged here, by what all shares tell.
func (g *Group) watch(conditions []string) error {
	var here []string
	for _, text := range conditions {
		at := slices.IndexFunc(g.shares, func(s *Share) bool {
			_, err := check.Watch(g.aloneOn(s), []string{text})
			return err == nil
		})
		if at < 0 {
			here = append(here, text)
			continue
		}
		g.shares[at].asked.AbortWhen = append(g.shares[at].asked.AbortWhen, text)
	}
	plans := map[string]loadgen.Plan{}
	for name, of := range g.cohorts {
		plans[name] = of.plan
	}
	var err error
	if g.breached, err = check.Watch(plans, here); err != nil {
		return fmt.Errorf("guarding the load: %w", err)
	}
	for _, s := range g.shares {
		s.asked.Tell = g.breached != nil
	}
	return nil
}

// aloneOn are the plans of the cohorts that a share sends alone.
func (g *Group) aloneOn(s *Share) map[string]loadgen.Plan {
	alone := maps.Clone(s.asked.Plans)
	maps.DeleteFunc(alone, func(name string, _ loadgen.Plan) bool { return len(g.cohorts[name].from) > 1 })
	return alone
}

// timed says whether the shares are to begin at the same time, to the millisecond: only the
// senders of one load have to.
func (g *Group) timed() bool {
	for _, of := range g.cohorts {
		if len(of.from) > 1 {
			return true
		}
	}
	return false
}
