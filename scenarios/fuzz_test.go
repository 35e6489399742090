package scenarios

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

// FuzzRead establishes that no text and no setting makes the reader panic, and that
// what is wrong is placed: at a line that the file has, or at the setting.
// lineBreak is what ends a line in YAML (1.2, 5.4).
var lineBreak = regexp.MustCompile(`\r\n|\r|\n`)

func FuzzRead(f *testing.F) {
	f.Add(good, "")
	f.Add("a: &a [*a]", "")
	f.Add(good, "load.jason.requests=50")
	f.Add(strings.Replace(good, "service: ratings", "service: ${who}", 1)+"  params: {who: ratings}\n", "params.who=reviews")
	for _, name := range Names() {
		text, err := Text(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "")
	}
	f.Fuzz(func(t *testing.T, text, setting string) {
		var set []string
		if setting != "" {
			set = []string{setting}
		}
		s, err := parse("t.yaml", text, set, openBeside(t.TempDir()))
		switch {
		case err == nil && (s == nil || len(s.Steps) == 0):
			t.Fatalf("a scenario without a step was read: %+v", s)
		case err != nil:
			placed(t, err, len(lineBreak.Split(text, -1)))
		}
	})
}

// placed fails unless each of the errors that are joined in err is placed.
func placed(t *testing.T, err error, lines int) {
	t.Helper()
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // its own type is asked for
		for _, one := range joined.Unwrap() {
			placed(t, one, lines)
		}
		return
	}
	var at *Error
	if !errors.As(err, &at) {
		t.Fatalf("%T is no *Error: %v", err, err)
	}
	if at.Message == "" || at.File == "" || at.Line < 0 || at.Line > lines || at.Option != "" && at.Line != 0 {
		t.Fatalf("of %d lines: %+v", lines, at)
	}
}
