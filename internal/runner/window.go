package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// window drives the load of a step and keeps what was seen. The proxies are
// read when everything is logged in and warmed up, before the first request, and
// when the window has settled.
func (r *run) window(ctx context.Context, name string, step scenarios.Step) error {
	w := report.Window{Name: name, Started: time.Now()}
	if name == report.During {
		w.Step = step.Name
	}
	r.proceed(map[string]Part{report.Baseline: PartBaseline, report.During: PartLoad, report.Recovery: PartRecovery}[name], w.Step)
	r.phase("%s", w.Words())
	if err := r.part(ctx); err != nil {
		return err
	}
	proxies, err := r.mesh.Proxies(ctx)
	if err != nil {
		return fmt.Errorf("finding the proxies: %w", err)
	}
	reading := r.newReading(name, proxies)
	defer reading.close()
	attended := r.attend(ctx, reading.since)
	err = r.measure(attended, &w, reading, step)
	if why := attended.leave(); why != nil {
		err = r.ended(ctx, &w, reading.since, why)
	} else if err == nil && reading.Window != nil {
		err = r.keep(ctx, &w, reading, step)
	}
	r.record.Windows = append(r.record.Windows, w)
	return err
}

// seeded are cohorts that draw by the seed of the run what they draw, where they have none
// of their own.
func (r *run) seeded(w *report.Window, cohorts []mesh.Cohort) []mesh.Cohort {
	cohorts = slices.Clone(cohorts)
	for i := range cohorts {
		if plan := &cohorts[i].Plan; plan.Draws() && plan.Seed == 0 {
			plan.Seed = r.record.LoadSeed(w, cohorts[i].Name)
		}
	}
	return cohorts
}

// measure drives the load of a window and reads the proxies before and after it.
func (r *run) measure(ctx *attended, w *report.Window, reading *reading, step scenarios.Step) error {
	cohorts := r.seeded(w, r.scenario.Cohorts(w.Name, step))
	loads, err := r.load(ctx, cohorts, r.guarded(ctx, w, step), reading.begin)
	w.Loads, w.Ended = loads, time.Now()
	if err != nil {
		if w.Cut = err.Error(); errors.Is(err, context.Canceled) {
			w.Cut = "the run was interrupted"
		}
		return fmt.Errorf("%s: driving the load: %w", w.Words(), err)
	}
	if !reading.begun() { // the load ended before it
		return nil
	}
	if err := reading.end(ctx, cohorts, loads, w.Ended); err != nil {
		return fmt.Errorf("%s: reading the proxies after it: %w", w.Words(), err)
	}
	return nil
}

// keep enters into the record what the proxies showed. The error is that somebody
// else changed the mesh meanwhile, which ends the run.
func (r *run) keep(ctx context.Context, w *report.Window, seen *reading, step scenarios.Step) error {
	where := w.Words()
	if gap := seen.Gap(); gap != "" {
		r.problem("%s: %s", where, gap)
	}
	r.meddled(w, seen.meddled)
	w.Reconciled = seen.Reconcile()
	if at := len(r.record.Windows); w.Name == report.During {
		r.decideLater(ctx, at, seen, step, w.Loads)
	} else {
		r.explainLater(ctx, at, seen, w.Loads)
	}
	if len(seen.meddled) > 0 {
		return errMeddled
	}
	return nil
}

// objects are those that the run knows to be in force.
func (r *run) objects() []*rules.Object {
	var all []*rules.Object
	for _, o := range r.current {
		if o != nil {
			all = append(all, o)
		}
	}
	return all
}

// needs are the quantities that a step asks for.
func needs(step scenarios.Step) []check.Need {
	var all []check.Need
	for _, line := range step.Expect {
		for _, n := range line.Needs() {
			if !slices.ContainsFunc(all, func(have check.Need) bool {
				return have.Function == n.Function && slices.Equal(have.Args, n.Args)
			}) {
				all = append(all, n)
			}
		}
	}
	return all
}

// parts are the parts of the run's own rules that are in force while a step is under
// way: given's, and those of the steps until then.
func (r *run) parts(step scenarios.Step) []rules.Part {
	i := slices.IndexFunc(r.scenario.Steps, func(s scenarios.Step) bool { return s.Name == step.Name })
	var parts []rules.Part
	for _, stage := range r.planned[:i+2] { // given is the first stage
		for _, change := range stage.Changes {
			parts = rules.Follow(parts, stage.Name, change)
		}
	}
	return rules.InLoadOf(parts, report.Given, r.planned[i+1].Name)
}
