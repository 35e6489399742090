package runner

import (
	"context"
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Impose puts into force what is so under the load of a step: what is given, and
// the rules of the steps up to that one; the first, if step is empty, and what is
// given alone for report.Given. It returns the stages that it wrote. Nothing undoes
// them: it is for a mesh that goes with its process.
//
// What is refused is a *RefusedError, and then nothing was written.
func Impose(ctx context.Context, m mesh.Mesh, s *scenarios.Scenario, step, id string) ([]Stage, error) {
	last, err := stageOf(s, step)
	if err != nil {
		return nil, &RefusedError{err}
	}
	planned, err := PlanOn(ctx, m, s, Options{ID: id, NoAccessLog: true})
	if err != nil {
		return nil, err
	}
	now := planned.objects
	for _, stage := range planned.Stages[:last+1] {
		for _, change := range stage.Changes {
			written, err := m.Write(ctx, rules.Change{Before: rules.Find(now, change.Ref()), After: change.After})
			if err != nil {
				return nil, fmt.Errorf("writing %s: %w", change.Ref(), err)
			}
			now = rules.Put(now, written)
		}
	}
	return planned.Stages[:last+1], nil
}

// stageOf is the number of the stage that a step has in a plan.
func stageOf(s *scenarios.Scenario, step string) (int, error) {
	if step == "" {
		return 1, nil
	}
	names := []string{report.Given}
	for _, one := range s.Steps {
		names = append(names, one.Name)
	}
	if i := slices.Index(names, step); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("looking for the step %q: %s has none of that name; %s", step, s.Name, nearest.Hint(step, slices.DeleteFunc(names, func(n string) bool { return n == "" })))
}
