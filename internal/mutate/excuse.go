package mutate

import (
	"errors"

	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Excuses checks that each excuse of a scenario is for one of its mutants.
func Excuses(s *scenarios.Scenario) error {
	if len(s.Excuses) == 0 {
		return nil
	}
	all, err := Of(s)
	if err != nil {
		return err
	}
	_, err = excusesOf(s, all)
	return err
}

// excusesOf are the reasons that a file gives, by the mutants' ids.
func excusesOf(s *scenarios.Scenario, all []Mutant) (map[string]string, error) {
	var ids []string
	there := map[string]bool{}
	for _, m := range all {
		ids = append(ids, m.ID)
		there[m.ID] = true
	}
	reasons := map[string]string{}
	var wrong []error
	for _, excuse := range s.Excuses {
		if !there[excuse.Mutant] {
			hint := "meshchaos mutate lists them"
			if meant := nearest.Word(excuse.Mutant, ids); meant != "" {
				hint = "did you mean " + meant + "?"
			}
			wrong = append(wrong, excuse.Wrong(hint, "there is no mutant %q", excuse.Mutant))
		}
		reasons[excuse.Mutant] = excuse.Reason
	}
	return reasons, errors.Join(wrong...)
}
