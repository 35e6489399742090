package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/lint"
	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// Silence is a trap that a scenario is caught in on purpose.
type Silence struct {
	Trap   string
	Reason string
	place  Error // where it stands
}

// compileSilences reads spec.lint.
func (r *reader) compileSilences(f *fileScenario) ([]Silence, error) {
	var out []Silence
	for i, entry := range f.Spec.Lint {
		path := fmt.Sprintf("spec.lint[%d]", i)
		node := yamlnode.Follow(f.body, path)
		switch {
		case entry.ID == "":
			return nil, yamlnode.At(node, "write id: with what a warning has in brackets", "the entry of lint names no trap")
		case !slices.Contains(Traps(), entry.ID):
			return nil, yamlnode.At(yamlnode.Follow(f.body, path+".id"), nearest.Hint(entry.ID, Traps()), "there is no trap %q to silence", entry.ID)
		case slices.ContainsFunc(out, func(s Silence) bool { return s.Trap == entry.ID }):
			return nil, yamlnode.At(node, "write both reasons into one", "the trap %s is silenced twice", entry.ID)
		case strings.TrimSpace(entry.Reason) == "":
			return nil, yamlnode.At(node, "write reason: with why what it warns of is meant", "the silence of %s gives no reason", entry.ID)
		}
		out = append(out, Silence{Trap: entry.ID, Reason: entry.Reason, place: *r.place(yamlnode.At(node, "", ""))})
	}
	return out, nil
}

// Silenced says whether the file silences a trap.
func (s *Scenario) Silenced(trap string) bool {
	return slices.ContainsFunc(s.Silences, func(silence Silence) bool { return silence.Trap == trap })
}

// IdleSilences warns of the silences of traps that the scenario is not caught in:
// neither by what its file shows nor by caught, what its rules are caught in.
func (s *Scenario) IdleSilences(caught []string) []Warning {
	var idle []Warning
	for _, silence := range s.Silences {
		if !slices.Contains(caught, silence.Trap) && !slices.Contains(s.caught, silence.Trap) && !s.Silenced(lint.IdleSilence) {
			idle = append(idle, warningAt(silence.place, lint.IdleSilence, fmt.Sprintf("it silences %s, and the scenario is not caught in that; take it out", silence.Trap)))
		}
	}
	return idle
}
