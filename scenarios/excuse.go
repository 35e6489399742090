package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// Excuse says of a mutant why no expectation can tell it from the scenario's own
// rules.
type Excuse struct {
	Mutant string // its id
	Reason string
	place  Error // where it stands
}

// Wrong is an error of the excuse that shows only beside the mutants, placed in the
// file.
func (e Excuse) Wrong(hint, format string, args ...any) error {
	placed := e.place
	placed.Message, placed.Hint = fmt.Sprintf(format, args...), hint
	return &placed
}

func (r *reader) compileExcuses(f *fileScenario) ([]Excuse, error) {
	var out []Excuse
	for i, entry := range f.Spec.Mutants {
		node := yamlnode.Follow(f.body, fmt.Sprintf("spec.mutants[%d]", i))
		switch {
		case entry.ID == "":
			return nil, yamlnode.At(node, "write id: as meshchaos mutate names it", "the excuse names no mutant")
		case !strings.ContainsFunc(entry.Equivalent, nameable):
			return nil, yamlnode.At(node, "write equivalent: with the argument", "the excuse of the mutant %q has no reason", entry.ID)
		case slices.ContainsFunc(out, func(e Excuse) bool { return e.Mutant == entry.ID }):
			return nil, yamlnode.At(node, "take one of the two out", "the mutant %q is excused twice", entry.ID)
		}
		id := yamlnode.Follow(node, "id")
		out = append(out, Excuse{Mutant: entry.ID, Reason: strings.TrimSpace(entry.Equivalent), place: *r.place(yamlnode.At(id, "", ""))})
	}
	return out, nil
}
