package evidence

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/report"
)

// TestEveryFunctionOfTheRecordIsCountedAndDescribed holds the list that an
// expectation is compiled by, the one that it is counted by, and the page equal.
func TestEveryFunctionOfTheRecordIsCountedAndDescribed(t *testing.T) {
	var names, headed []string
	for _, f := range report.Functions() {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	if counted := slices.Sorted(maps.Keys(quantities())); !slices.Equal(counted, names) {
		t.Errorf("what is counted: %v; the functions of an expectation: %v", counted, names)
	}

	page, err := os.ReadFile("../../docs/quantities.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		if name, found := strings.CutPrefix(line, "## "); found {
			headed = append(headed, strings.TrimSpace(name))
		}
	}
	if slices.Sort(headed); !slices.Equal(headed, names) {
		t.Errorf("docs/quantities.md describes %v; the functions of an expectation: %v", headed, names)
	}
}
