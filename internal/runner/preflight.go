package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/meshchaos/meshchaos/internal/evidence"
	"github.com/meshchaos/meshchaos/internal/journal"
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
	proxies  []mesh.Proxy      // of them; none where the run reads no access logs
	objects  []*rules.Object   // in force
	logging  *evidence.Logging // of the proxies
}

// PlanOn plans every change of a run and asks the mesh whether it would take them, and
// whether anything else is in the way. What is refused is a *RefusedError, which has
// all of it. Of the options ID, NoAccessLog, Inert and AllowGitOps count.
func PlanOn(ctx context.Context, m mesh.Mesh, s *scenarios.Scenario, o Options) (*Planned, error) {
	p := &Planned{logging: new(evidence.Logging)}
	if err := span(ctx, m, s); err != nil {
		return nil, err
	}
	unpermitted := notAdmitted(ctx, m.Permits(ctx, mesh.Use{Gateway: entersAtGateway(s) || bindsToGateway(s), Cohorts: cohortsOf(s)}))
	if unpermitted != nil && !isRefused(unpermitted) {
		return nil, unpermitted
	}
	unplanned, err := p.plan(ctx, m, s, o)
	if err != nil {
		return nil, cmp.Or(unpermitted, err) // a right that is missed shows in one reading after another
	}
	wrong, err := p.inTheWay(ctx, m, s, o)
	if err != nil {
		return nil, cmp.Or(unpermitted, err)
	}
	admitted, err := p.admit(ctx, m)
	if err != nil {
		return nil, cmp.Or(unpermitted, err)
	}
	if err := errors.Join(slices.Concat([]error{unpermitted, unplanned}, wrong, admitted)...); err != nil {
		return nil, &RefusedError{err}
	}
	return p, nil
}

// plan works out the stages, and says why that cannot be done; err is that the mesh
// cannot be read.
func (p *Planned) plan(ctx context.Context, m mesh.Mesh, s *scenarios.Scenario, o Options) (unplanned, err error) {
	if !o.NoAccessLog { // before the objects, those of a gateway's namespace among them
		if p.proxies, err = m.Proxies(ctx); err != nil {
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
	if p.Stages, unplanned = stages(site, s, o.ID); unplanned == nil {
		p.logAccess(ctx, m, s, o.AllowGitOps)
	}
	return unplanned, nil
}

// inTheWay says what of the mesh keeps the run from being made, whether or not the API
// takes its objects. Its error is that the mesh did not answer.
func (p *Planned) inTheWay(ctx context.Context, m mesh.Mesh, s *scenarios.Scenario, o Options) ([]error, error) {
	wrong := p.kept(o.AllowGitOps)
	for _, look := range []func() ([]error, error){
		func() ([]error, error) { return p.inspected(ctx, m, s) },
		func() ([]error, error) { return p.elsewhere(ctx, m) },
		func() ([]error, error) { return marked(ctx, m, p.objects) },
	} {
		more, err := look()
		if err != nil {
			return nil, err
		}
		wrong = append(wrong, more...)
	}
	return wrong, nil
}

// preflight does all that comes before the first write. The run hears of what
// others change until listening ends.
func (r *run) preflight(ctx, listening context.Context) error {
	var busy *BusyError
	if err := r.free(ctx); errors.As(err, &busy) { // its rules the plan would take for what was there
		return err // any other is found again by claim, when it is known what this user may not do
	}
	r.proceed(PartCheck, "")
	r.phase("checking the scenario against the mesh")
	planned, err := PlanOn(ctx, r.mesh, r.scenario, r.Options)
	if err != nil {
		return err
	}
	for _, o := range planned.objects {
		r.current[o.Ref] = o
	}
	r.services, r.planned, r.logging = planned.services, planned.Stages, planned.logging
	info := r.mesh.Info()
	r.record.Mesh.Further = info.Further
	r.book.do(func(l *journal.Ledger) { l.Further, l.Claims = info.Further, claims(r.planned, info) })
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
	if err := r.unlikely(ctx, planned.objects); err != nil {
		return err
	}
	base := planned.objects
	for _, o := range r.planned[0].Objects() {
		base = rules.Put(base, o)
	}
	r.record.Draws = draws(base, r.services)
	return r.claim(ctx)
}

// admit asks the mesh of every stage, whatever it says of one. Its error is that the
// mesh did not answer.
func (p *Planned) admit(ctx context.Context, m mesh.Mesh) (refused []error, err error) {
	for _, stage := range p.Stages {
		for _, warning := range stage.Warnings {
			p.Warnings = append(p.Warnings, warning.Words())
		}
		err := m.Admit(ctx, stage.Objects())
		if err == nil {
			continue
		}
		if err = notAdmitted(ctx, stage.Placed(err)); !isRefused(err) {
			return nil, err
		}
		refused = append(refused, err)
	}
	return refused, nil
}

// notAdmitted returns an error of mesh.Admit: as a *RefusedError if the mesh
// refuses the objects, and as it is if it only did not answer.
func notAdmitted(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || isUnanswered(err) {
		return err
	}
	return &RefusedError{err}
}

func isRefused(err error) bool {
	var refused *RefusedError
	return errors.As(err, &refused)
}
