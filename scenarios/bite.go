package scenarios

import (
	"errors"
	"slices"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// replaced refuses a rule that would take the place of an earlier one of its
// list: of that one nothing would be left to bite.
func replaced(list []Rule) error {
	var wrong []error
	for i, later := range list {
		for _, earlier := range list[:i] {
			if err := takesPlace(later, earlier); err != nil {
				wrong = append(wrong, err)
				break
			}
		}
	}
	return errors.Join(wrong...)
}

func takesPlace(later, earlier Rule) error {
	if later.Intent != nil && earlier.Intent != nil {
		if !rules.Replaces(later.Intent, earlier.Intent) {
			return nil
		}
		return later.wrong("write both into one, or the one for fewer requests last",
			"%s is for every request that %s in %s is for, and takes its place", later.Intent, earlier.Intent, earlier.place.Where())
	}
	for _, object := range earlier.Objects {
		if later.Intent == nil {
			break
		}
		if path := rules.Overwritten(object, later.Intent); path != "" {
			return later.wrong("write both into one", "%s takes the place of what %s %s in %s says in %s", later.Intent, object.Kind, object.Name, earlier.place.Where(), path)
		}
	}
	for _, object := range later.Objects {
		if slices.ContainsFunc(earlier.Objects, func(o *rules.Object) bool { return o.Ref == object.Ref }) {
			return later.wrong("write both into one", "%s %s stands in %s of the same list too, and this one takes its place", object.Kind, object.Name, earlier.place.Where())
		}
	}
	return nil
}

// rulesInForce refuses a scenario that puts nothing to the test, and one whose
// first step is driven before any rule is in force; later steps have those of
// the steps before them.
func rulesInForce(f *fileScenario, s *Scenario) error {
	if !slices.ContainsFunc(s.Steps, func(step Step) bool { return len(step.Apply) > 0 }) {
		return yamlnode.At(yamlnode.Follow(f.body, "spec.apply"), "write apply: with the rules under test",
			"nothing is applied, so the load would meet what it meets in the baseline")
	}
	if first := s.Steps[0]; len(s.Given) == 0 && len(first.Apply) == 0 {
		return yamlnode.At(yamlnode.Follow(f.body, "spec.steps[0]"), "write apply: with its rules",
			"no rule is in force in the step %q", first.Name)
	}
	return nil
}
