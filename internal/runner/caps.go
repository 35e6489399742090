package runner

import (
	"errors"
	"fmt"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Caps are what no load of a run may exceed, whatever the scenario asks for. The load
// is ended that does, and everything undone; one that asks for more is refused.
type Caps struct {
	QPS      float64       // requests a second, of all cohorts of a window together; 0: any number
	Duration time.Duration // of the load of a window, and of its warm-up; 0: what the mesh has for a limit, if any
}

// exceeded says which loads of a scenario ask for more than the caps allow.
func (c Caps) exceeded(s *scenarios.Scenario) error {
	var wrong []error
	for i, step := range s.Steps {
		err := c.exceededBy(step, s.Cohorts(report.During, step))
		for _, window := range []string{report.Baseline, report.Recovery} { // of a load that is shorter than they need
			if i == 0 && err == nil {
				err = c.exceededBy(step, s.Cohorts(window, step))
			}
		}
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}

// exceededBy says which of the cohorts of a window ask for more.
func (c Caps) exceededBy(step scenarios.Step, cohorts []mesh.Cohort) error {
	var together float64
	for _, cohort := range cohorts {
		together += cohort.Plan.Peak()
		if lasts := lasts(cohort.Plan); c.Duration > 0 && lasts > c.Duration {
			return step.WrongTarget(cohort.Name, fmt.Errorf("the load %s would last %v, and %v are allowed; %s", cohort.Name, lasts.Round(time.Millisecond), c.Duration, lessTime))
		}
		if c.QPS > 0 && together > c.QPS {
			asked := fmt.Sprintf("the load %s asks for %g requests a second", cohort.Name, together)
			if together > cohort.Plan.Peak() {
				asked = fmt.Sprintf("the loads until %s ask for %g requests a second together", cohort.Name, together)
			}
			return step.WrongTarget(cohort.Name, fmt.Errorf("%s, and %g are allowed; %s", asked, c.QPS, lessRate))
		}
	}
	return nil
}

// What to do about a cap.
const (
	lessRate = "ask for less, or allow more by --max-qps"
	lessTime = "ask for less, or allow more by --max-duration"
)

// lasts is how long a load begins requests, as far as its plan says so.
func lasts(plan loadgen.Plan) time.Duration {
	if plan.Requests > 0 && plan.Open() {
		plan.Arrival = "" // of what comes by chance that is the mean
		due := plan.Due(plan.Requests-1, 0)
		if plan.Duration.Duration == 0 || due < plan.Duration.Duration {
			return due
		}
	}
	return plan.Duration.Duration
}

// guarded returns what ends the load of a window before its time. Whoever sees it end
// the window hears of it at once: engine fortio's requests in flight are not waited for.
func (r *run) guarded(a *attended, w *report.Window, step scenarios.Step) mesh.Guard {
	g := mesh.Guard{QPS: r.Caps.QPS, Duration: r.Caps.Duration, Stopped: func(stop *loadgen.StopError) { a.end(stop) }}
	for _, condition := range r.scenario.AbortWhen(w.Name, step) {
		g.AbortWhen = append(g.AbortWhen, condition.Text())
	}
	return g
}

// stopped enters into the record which bound ended a load.
func (r *run) stopped(w *report.Window, stop *loadgen.StopError) error {
	w.Stopped = &report.Stopped{StopError: *stop, Line: r.scenario.Aborting(w, stop.Condition)}
	r.phase("%v", stop)
	if stop.Condition == "" {
		return fmt.Errorf("%s: %w; let it ask for less, or allow more by --max-qps or --max-duration", w.Words(), stop)
	}
	return fmt.Errorf("%s: %w", w.Words(), stop)
}
