package terminal

import (
	"strings"
	"testing"
)

func TestALineGoesOnFurtherInThanItBegins(t *testing.T) {
	for text, want := range map[string]string{
		"one two three\n":         "one two\n  three\n",
		"  one two three\n":       "  one\n    two\n    three\n",
		"one two\n":               "one two\n",
		"  a\n\n b":               "  a\n\n b\n",
		"a-word-that-is-long b\n": "a-word-that-is-long\n  b\n",
		"a b  c de\n":             "a b  c\n  de\n",
		"abc def  gh\n":           "abc def\n  gh\n",
	} {
		var out strings.Builder
		if err := Fold(&out, text, 8); err != nil || out.String() != want {
			t.Errorf("%q: %q, %v, want %q", text, out.String(), err, want)
		}
		out.Reset()
		if err := Fold(&out, text, 0); err != nil || out.String() != strings.TrimSuffix(text, "\n")+"\n" {
			t.Errorf("%q, as it is: %q, %v", text, out.String(), err)
		}
	}
}
