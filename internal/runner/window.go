package runner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/evidence"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// whole and third scale the load of a window: the baseline and the recovery
// take a third of the requests.
const (
	whole = 1
	third = 3
)

// window drives the load of a step and keeps what was seen. The proxies are
// read when everything is logged in and warmed up, before the first request, and
// after the last.
func (r *run) window(ctx context.Context, name string, step scenarios.Step, part int64) error {
	r.phase("%s", wordWindow(name, step.Name))
	w := report.Window{Name: name, Started: time.Now()}
	if name == report.During {
		w.Step = step.Name
	}
	proxies, err := r.mesh.Proxies(ctx)
	if err != nil {
		return fmt.Errorf("finding the proxies: %w", err)
	}
	var before *evidence.Snapshot // nil: the load could not be begun
	cohorts := scale(step.Cohorts, part, func(cohort string) int64 { return r.scenario.SamplesNeeded(name, cohort) })
	loads, loadErr := r.load(ctx, cohorts, func(ctx context.Context) error {
		var err error
		if before, err = evidence.Take(ctx, proxies); err != nil {
			return fmt.Errorf("reading the proxies before the %s: %w", name, err)
		}
		return nil
	})
	w.Loads, w.Ended = loads, time.Now()
	if loadErr != nil {
		w.Cut = loadErr.Error()
	} else if before != nil {
		after, err := evidence.Take(ctx, proxies)
		if err != nil {
			return fmt.Errorf("reading the proxies after the %s: %w", name, err)
		}
		if name == report.During {
			w.Quantities = evidence.Quantities(before, after, r.needs(step), r.services, r.objects())
		}
		w.Reconciled = evidence.Reconcile(before, after, cohorts, loads)
	}
	r.record.Windows = append(r.record.Windows, w)
	if loadErr != nil {
		return fmt.Errorf("driving the load of the %s: %w", name, loadErr)
	}
	return nil
}

// load drives the cohorts. After the end of ctx it does not wait for an engine
// that cannot be cut: fortio's ends only with the connections.
func (r *run) load(ctx context.Context, cohorts []mesh.Cohort, begin func(context.Context) error) (map[string]*loadgen.Result, error) {
	type outcome struct {
		loads map[string]*loadgen.Result
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		loads, err := r.mesh.Load(ctx, cohorts, begin, r.observe)
		done <- outcome{loads, err}
	}()
	select {
	case o := <-done:
		return o.loads, o.err
	case <-ctx.Done():
	}
	select {
	case o := <-done:
		return o.loads, o.err
	case <-time.After(cutLimit):
		return nil, fmt.Errorf("the load did not end in time: %w", ctx.Err())
	}
}

func (r *run) observe(p loadgen.Progress) {
	if r.Observe != nil {
		r.Observe(Event{Load: &p})
	}
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

// needs are the quantities that a step asks for, and the faults that its rules
// inject whether or not it asks: a fault that never bit proves nothing.
func (r *run) needs(step scenarios.Step) []check.Need {
	var needs []check.Need
	add := func(n check.Need) {
		if !slices.ContainsFunc(needs, func(have check.Need) bool {
			return have.Function == n.Function && slices.Equal(have.Args, n.Args)
		}) {
			needs = append(needs, n)
		}
	}
	for _, line := range step.Expect {
		for _, need := range line.Needs() {
			add(need)
		}
	}
	i := slices.IndexFunc(r.scenario.Steps, func(s scenarios.Step) bool { return s.Name == step.Name })
	for _, service := range r.faulted(i) {
		add(check.Need{Function: report.Faults, Args: []string{service}})
	}
	return needs
}

// faulted are the services that the run's own rules inject a fault into while
// the i-th step is under way: given's, and those of the steps until then.
func (r *run) faulted(i int) []string {
	var written []*rules.Object
	for _, stage := range r.planned[:i+2] { // given is the first stage
		for _, object := range stage.Objects() {
			written = rules.Put(written, object)
		}
	}
	return rules.Faulted(written)
}

// scale returns the cohorts with a part of their load, at least as many requests
// as are needed of each, and one, over no more connections than requests. How long a load without a number of requests
// and without a rate must last for that, nobody knows.
func scale(cohorts []mesh.Cohort, part int64, needed func(cohort string) int64) []mesh.Cohort {
	if part == whole {
		return cohorts
	}
	out := slices.Clone(cohorts)
	for i := range out {
		plan, least := &out[i].Plan, needed(out[i].Name)
		if plan.Requests > 0 {
			plan.Requests = max((plan.Requests+part-1)/part, least)
			plan.Connections = int(min(int64(plan.Connections), plan.Requests))
		}
		if plan.Duration > 0 {
			plan.Duration = max(plan.Duration/time.Duration(part), loadgen.MinDuration)
		}
		if plan.Duration > 0 && plan.QPS > 0 {
			plan.Duration = max(plan.Duration, time.Duration(float64(least)/plan.QPS*float64(time.Second)))
		}
	}
	return out
}

func wordWindow(name, step string) string {
	switch {
	case name == report.During && step != "":
		return "load of step " + step
	case name == report.During:
		return "load under the rule"
	}
	return name
}
