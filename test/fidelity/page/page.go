// Package page writes docs/fidelity.md, whose sections come from several tests. It
// may import nothing of this module.
package page

import (
	"fmt"
	"os"
	"strings"
)

// variable names the page's file; a test that is given none writes none.
const variable = "MESHCHAOS_FIDELITY_DOC"

// Write puts a section into the page that MESHCHAOS_FIDELITY_DOC names, in the
// place of the one that has its heading, or at the end. Where it names none nothing
// is done.
func Write(heading, text string) error {
	file := os.Getenv(variable)
	if file == "" {
		return nil
	}
	old, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("writing the section %q of the page that %s names: %w", heading, variable, err)
	}
	if err := os.WriteFile(file, []byte(replace(string(old), heading, text)), 0o644); err != nil {
		return fmt.Errorf("writing the section %q of the page that %s names: %w", heading, variable, err)
	}
	return nil
}

func replace(page, heading, text string) string {
	head := "## " + heading + "\n"
	section := head + "\n" + strings.TrimSpace(text) + "\n"
	before, after, found := strings.Cut(page, head)
	if !found {
		return strings.TrimRight(page, "\n") + "\n\n" + section
	}
	if _, next, more := strings.Cut(after, "\n## "); more {
		section += "\n## " + next
	}
	return before + section
}
