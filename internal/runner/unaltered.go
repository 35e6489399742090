package runner

import (
	"errors"
	"fmt"
	"slices"
)

// unaltered refuses a run whose rules are in force already, word for word: what
// it then measures is the baseline, and what it sees bite is not its own. given
// and steps are the stages without what switches access logs on.
func unaltered(given Stage, steps []Stage) error {
	const already = "is in force already, word for word, so the load would meet what it meets without it; apply what differs, or take it out of the mesh first"
	changes := func(s Stage) bool { return len(s.Changes) > 0 }
	switch {
	case !slices.ContainsFunc(steps, changes):
		return errors.New("planning the run: all that is applied " + already)
	case !changes(given) && !changes(steps[0]):
		return fmt.Errorf("planning the run: all that the step %q applies %s", steps[0].Name, already)
	}
	return nil
}
