package runner

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
)

// unaltered refuses a run whose rules are in force already, but for names and
// labels, which do nothing: what it then measures is the baseline, and what it
// sees bite is not its own.
func unaltered(given Stage, steps []Stage) error {
	const already = "is in force already, but for names and labels, so the load would meet what it meets without it; apply what differs, or take it out of the mesh first"
	changes := func(s Stage) bool {
		return slices.ContainsFunc(s.Changes, func(c rules.Change) bool { return !rules.SameTraffic(c.Before, c.After) })
	}
	switch {
	case !slices.ContainsFunc(steps, changes):
		return errors.New("planning the run: all that is applied " + already)
	case !changes(given) && !changes(steps[0]):
		return fmt.Errorf("planning the run: all that the step %q applies %s", steps[0].Name, already)
	}
	return nil
}

// inert refuses a run with a step that writes an entry which changes nothing, or of
// which nothing could be seen to bite: a new Gateway, or new subsets, that no route of
// the step uses would pass whatever they say.
func inert(steps []Stage) error {
	for _, step := range steps {
		if err := errors.Join(step.idle...); err != nil {
			return err
		}
		if len(step.Changes) == 0 || slices.ContainsFunc(step.Changes, rules.Alters) {
			continue
		}
		var names []string
		for _, change := range step.Changes {
			names = append(names, change.Ref().String())
		}
		return fmt.Errorf("planning the run: nothing of %s (%s) could be seen to bite: gateways and subsets bite through the routes that use them; apply such a route with them, or write them in given",
			report.StageWords(step.Name), strings.Join(names, ", "))
	}
	return nil
}
