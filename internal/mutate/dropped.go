package mutate

import "github.com/meshchaos/meshchaos/internal/rules"

// dropped leaves the rule out.
func dropped(w written) []edit {
	return []edit{{id: "dropped", what: "the rule is left out", alter: func(written) ([]rules.Change, error) { return nil, nil }}}
}
