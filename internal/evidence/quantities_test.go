package evidence

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestEveryQuantityIsDescribed holds the list and the page equal.
func TestEveryQuantityIsDescribed(t *testing.T) {
	var names, headed []string
	for _, f := range Functions() {
		names = append(names, f.Name)
	}
	slices.Sort(names)

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
		t.Errorf("docs/quantities.md describes %v; the quantities are %v", headed, names)
	}
}
