package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/nearest"
)

// FieldError says what is wrong with one field of a manifest.
type FieldError struct {
	// Path leads to the field from the manifest's top, an unknown key included:
	// spec.http[0].fault.delay.fixedDelai. A key that is not a plain word is
	// quoted: metadata.labels["istio.io/rev"]. Empty: the manifest as a whole.
	Path       string
	Message    string
	Suggestion string // the value or key that was probably meant; empty: none is near
}

// Error implements error.
func (e *FieldError) Error() string {
	text := e.Message
	if e.Path != "" {
		text = e.Path + ": " + text
	}
	if e.Suggestion != "" {
		text += fmt.Sprintf("; did you mean %s?", e.Suggestion)
	}
	return text
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// at appends a key to a path.
func at(path, key string) string {
	switch {
	case !plainKey.MatchString(key):
		return fmt.Sprintf("%s[%q]", path, key)
	case path == "":
		return key
	}
	return path + "." + key
}

// unknownKey is the error of a key that is not one of those allowed.
func unknownKey(path, key string, allowed []string) *FieldError {
	e := &FieldError{Path: at(path, key), Suggestion: nearest.Word(key, allowed)}
	e.Message = "unknown key"
	if e.Suggestion == "" {
		e.Message += "; known are " + strings.Join(slices.Sorted(slices.Values(allowed)), ", ")
	}
	return e
}

// unknownWord is the error of a value that is not one of those allowed.
func unknownWord(path, word string, allowed []string) *FieldError {
	return &FieldError{
		Path:       path,
		Message:    fmt.Sprintf("%q is not one of %s", word, strings.Join(allowed, ", ")),
		Suggestion: nearest.Word(word, allowed),
	}
}
