package runner

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/meshchaos/meshchaos/internal/evidence"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Planned is what a run would write, and what its plan was made from. Nothing has
// been written.
type Planned struct {
	Stages   []Stage // the first is what is given
	Warnings []string

	services []mesh.Service
	objects  []*rules.Object   // in force
	logging  *evidence.Logging // of the proxies
}

// PlanOn plans every change of a run and asks the mesh whether it would take them.
// What is refused is a *RefusedError. Of the options ID, NoAccessLog and Inert
// count.
func PlanOn(ctx context.Context, m mesh.Mesh, s *scenarios.Scenario, o Options) (*Planned, error) {
	p := &Planned{logging: new(evidence.Logging)}
	use := mesh.Use{Gateway: entersAtGateway(s) || bindsToGateway(s)}
	if err := m.Permits(ctx, use); err != nil { // before what is missed shows in one reading after another
		return nil, notAdmitted(ctx, err)
	}
	var err error
	var proxies []mesh.Proxy
	if !o.NoAccessLog { // before the objects, those of a gateway's namespace among them
		if proxies, err = m.Proxies(ctx); err != nil {
			p.Warnings = append(p.Warnings, fmt.Sprintf("how the proxies log is not known: %v", err))
		}
	}
	site, err := survey(ctx, m, s)
	if err != nil {
		return nil, err
	}
	p.services, p.objects = site.Services, site.Objects
	stages := Plan
	if o.Inert {
		stages = plan
	}
	if p.Stages, err = stages(site, s, o.ID); err != nil {
		return nil, &RefusedError{err}
	}
	p.logAccess(ctx, m, s, proxies)
	if err := p.admit(ctx, m); err != nil {
		return nil, err
	}
	return p, nil
}

// preflight does all that comes before the first write. The run hears of what
// others change until listening ends.
func (r *run) preflight(ctx, listening context.Context) error {
	r.phase("checking the scenario against the mesh")
	planned, err := PlanOn(ctx, r.mesh, r.scenario, r.Options)
	if err != nil {
		return err
	}
	for _, o := range planned.objects {
		r.current[o.Ref] = o
	}
	r.services, r.planned, r.logging = planned.services, planned.Stages, planned.logging
	r.record.Warnings = append(r.record.Warnings, planned.Warnings...)
	// Now, so that a load workload that cannot start is known before a rule is written.
	var group errgroup.Group
	group.Go(func() error { return r.listen(listening) })
	if err := r.mesh.Prepare(ctx, cohortsOf(r.scenario)); err != nil {
		return errors.Join(fmt.Errorf("preparing the mesh: %w", err), group.Wait())
	}
	if err := group.Wait(); err != nil {
		return err
	}
	base := planned.objects
	for _, o := range r.planned[0].Objects() {
		base = rules.Put(base, o)
	}
	r.record.Draws = draws(base, r.services)
	return r.claim(ctx)
}

// admit asks the mesh of every stage, whatever it says of one.
func (p *Planned) admit(ctx context.Context, m mesh.Mesh) error {
	var refused []error
	for _, stage := range p.Stages {
		for _, warning := range stage.Warnings {
			p.Warnings = append(p.Warnings, warning.Words())
		}
		err := m.Admit(ctx, stage.Objects())
		if err == nil {
			continue
		}
		err = notAdmitted(ctx, stage.Placed(err))
		var refusal *RefusedError
		if !errors.As(err, &refusal) {
			return err
		}
		refused = append(refused, err)
	}
	if err := errors.Join(refused...); err != nil {
		return &RefusedError{err}
	}
	return nil
}

// notAdmitted returns an error of mesh.Admit or mesh.Permits: as a *RefusedError if the mesh
// refuses the objects, and as it is if it only did not answer.
func notAdmitted(ctx context.Context, err error) error {
	var unanswered *mesh.UnansweredError
	if ctx.Err() != nil || errors.As(err, &unanswered) {
		return err
	}
	return &RefusedError{err}
}
