package evidence

import (
	"maps"
	"slices"
	"testing"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// TestEveryKindOfPartHasSources holds the kinds that rules have and those that
// are looked for equal.
func TestEveryKindOfPartHasSources(t *testing.T) {
	var kinds []string
	for _, kind := range rules.PartKinds() {
		kinds = append(kinds, kind.Name)
		if kind.None == "" || kind.Remedy == "" {
			t.Errorf("%s has no words", kind.Name)
		}
	}
	slices.Sort(kinds)
	if sought := slices.Sorted(maps.Keys(biteSources())); !slices.Equal(sought, kinds) {
		t.Errorf("what is looked for: %v; the kinds of parts: %v", sought, kinds)
	}
}
