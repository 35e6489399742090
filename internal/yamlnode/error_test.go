package yamlnode

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTheCaretOfALongLineIsBelowItsPlaceOnATerminal(t *testing.T) {
	for _, line := range []string{"a: X", strings.Repeat("é", 70) + "X", strings.Repeat("-", 71) + "X", strings.Repeat("-", 90) + "X" + strings.Repeat("-", 15), "a: X" + strings.Repeat("-", 200), strings.Repeat("-", 300) + "X" + strings.Repeat("-", 200)} {
		before, _, _ := strings.Cut(line, "X")
		e := &Error{File: "a.yaml", Line: 3, Column: utf8.RuneCountInString(before) + 1, Message: "it is wrong", Snippet: line}
		shown := strings.Split(e.Error(), "\n")
		at := []rune(shown[1])
		if len(at) > 80 || len(at) < min(80, utf8.RuneCountInString(line)) {
			t.Errorf("of %s it shows %d columns: %s", line, len(at), shown[1])
		}
		if caret := strings.IndexRune(shown[2], '^'); caret >= len(at) || at[caret] != 'X' {
			t.Errorf("the caret is elsewhere:\n%s", e)
		}
		if cut := utf8.RuneCountInString(line) > snippetWidth; cut != strings.Contains(shown[1], "…") {
			t.Errorf("what is left out is not said:\n%s", e)
		}
	}
}

func TestInBriefAnErrorShowsNothingOfTheFile(t *testing.T) {
	first := &Error{File: "a.yaml", Line: 3, Column: 5, Message: "it is wrong", Hint: "write | or 3 | x", Snippet: "a: b | c"}
	second := &Error{File: "b.yaml", Line: 12345, Column: 2, Message: "it is too", Snippet: "x"}
	got := Brief(errors.Join(fmt.Errorf("reading: %w", first), second).Error())
	if want := "reading: a.yaml:3:5: it is wrong; write | or 3 | x; b.yaml:12345:2: it is too"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
