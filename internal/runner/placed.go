package runner

import (
	"errors"
	"fmt"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// fieldError is what is wrong with a field of an object that a stage writes.
type fieldError struct {
	ref  rules.Ref
	path string // as in rules.FieldError
	err  error
}

func (e *fieldError) Error() string { return fmt.Sprintf("checking %s: %s: %v", e.ref, e.path, e.err) }

func (e *fieldError) Unwrap() error { return e.err }

func wrongField(ref rules.Ref, path, format string, args ...any) error {
	return &fieldError{ref, path, fmt.Errorf(format, args...)}
}

// placed places each of the errors that are joined in one at its field, where the
// rule writes the object as it stands, else at the rule; nil if there is none.
func placed(rule scenarios.Rule, err error) error {
	var all []error
	for _, one := range apart(err) {
		if ref, path, ok := fieldOf(one); ok {
			all = append(all, rule.WrongAt(ref, path, one))
			continue
		}
		all = append(all, rule.Wrong(one))
	}
	return errors.Join(all...)
}

// Placed places what a mesh says of fields of the stage's objects where the scenario
// says it, and names the stage in any other error; nil if there is none.
func (s Stage) Placed(err error) error {
	var all []error
	for _, one := range apart(err) {
		ref, path, _ := fieldOf(one)
		if rule, ok := s.by[ref]; ok {
			all = append(all, rule.WrongAt(ref, path, one))
			continue
		}
		all = append(all, fmt.Errorf("checking %s: %w", report.StageWords(s.Name), one))
	}
	return errors.Join(all...)
}

// apart are the errors that are joined in one, none if it is nil.
func apart(err error) []error {
	switch joined, ok := err.(interface{ Unwrap() []error }); { //nolint:errorlint // of itself, not of what it wraps
	case err == nil:
		return nil
	case ok:
		var all []error
		for _, one := range joined.Unwrap() {
			all = append(all, apart(one)...)
		}
		return all
	}
	return []error{err}
}

// fieldOf is the field that an error is about, if it is about one.
func fieldOf(err error) (ref rules.Ref, path string, ok bool) {
	var wrong *fieldError
	var unsupported *config.UnsupportedError
	switch {
	case errors.As(err, &wrong):
		return wrong.ref, wrong.path, true
	case errors.As(err, &unsupported):
		return unsupported.Object, unsupported.Path, true
	}
	return rules.Ref{}, "", false
}
