package runner

import (
	"context"
	"errors"
	"fmt"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
)

// preflight plans every change and asks the mesh whether it would take them.
func (r *run) preflight(ctx context.Context) error {
	r.phase("checking the scenario against the mesh")
	services, err := r.mesh.Services(ctx)
	if err != nil {
		return fmt.Errorf("reading the services: %w", err)
	}
	r.services = services
	objects, err := r.mesh.Objects(ctx)
	if err != nil {
		return fmt.Errorf("reading the rules in force: %w", err)
	}
	for _, o := range objects {
		r.original[o.Ref], r.current[o.Ref] = o, o
	}
	var logging *rules.Change
	if !r.NoAccessLog {
		var why string
		if logging, why = Logging(ctx, r.mesh, services, objects); why != "" {
			r.record.Warnings = append(r.record.Warnings, why)
		}
	}
	planned, err := Plan(objects, services, r.mesh.Info().Namespace, r.scenario, r.ID, logging)
	if err != nil {
		return &RefusedError{err}
	}
	if info := r.mesh.Info(); info.Closed {
		if err := (there{namespace: info.Namespace, services: services}).outside(r.scenario); err != nil {
			return &RefusedError{err}
		}
	}
	if err := r.admit(ctx, planned); err != nil {
		return err
	}
	// Now, so that a load workload that cannot start is known before a rule is written.
	if err := r.mesh.Prepare(ctx); err != nil {
		return fmt.Errorf("preparing the mesh: %w", err)
	}
	r.planned = planned
	base := objects
	for _, o := range planned[0].Objects() {
		base = rules.Put(base, o)
	}
	r.record.Draws = draws(base, services)
	return nil
}

// admit asks the mesh of every stage, whatever it says of one.
func (r *run) admit(ctx context.Context, planned []Stage) error {
	var refused []error
	for _, stage := range planned {
		for _, warning := range stage.Warnings {
			r.record.Warnings = append(r.record.Warnings, fmt.Sprintf("%s: %s: %s", warning.Ref, warning.Path, warning.Message))
		}
		err := r.mesh.Admit(ctx, stage.Objects())
		if err == nil {
			continue
		}
		err = NotAdmitted(ctx, fmt.Errorf("checking %s: %w", report.StageWords(stage.Name), err))
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

// NotAdmitted returns an error of mesh.Admit: as a *RefusedError if the mesh
// refuses the objects, and as it is if it only did not answer.
func NotAdmitted(ctx context.Context, err error) error {
	var unanswered *mesh.UnansweredError
	if ctx.Err() != nil || errors.As(err, &unanswered) {
		return err
	}
	return &RefusedError{err}
}
