package scenarios

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestEveryTrapHasAPageAndEveryPageATrap(t *testing.T) {
	index, err := os.ReadFile("../docs/lint.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range Traps() {
		text, err := os.ReadFile("../docs/lint/" + id + ".md")
		if err != nil {
			t.Error(err)
			continue
		}
		for _, part := range []string{"# " + id + "\n", "## Why it bites\n", "## What to write\n", "## Source\n"} {
			if !strings.Contains(string(text), part) {
				t.Errorf("the page of %s has no %q", id, part)
			}
		}
		if !strings.Contains(string(index), "(lint/"+id+".md)") {
			t.Errorf("docs/lint.md does not list %s", id)
		}
	}
	pages, err := os.ReadDir("../docs/lint")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if !slices.Contains(Traps(), strings.TrimSuffix(page.Name(), ".md")) {
			t.Errorf("docs/lint/%s is of no trap", page.Name())
		}
	}
}
