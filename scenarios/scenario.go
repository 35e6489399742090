// Package scenarios is the file format: it reads a scenario strictly, checks
// what can be checked without a mesh, and compiles it to what a run needs. It
// also holds the library of scenarios that are built into the program.
//
// The package may import internal/check, internal/evidence, internal/lint, internal/mesh,
// internal/rules, internal/samples, internal/secret, internal/yamlnode, internal/nearest, internal/fortio, report
// and loadgen.
// A label is what Kubernetes takes for one (k8s.io/apimachinery).
package scenarios

import (
	"fmt"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/secret"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// Error is something wrong at one place of a file.
type Error = yamlnode.Error

// Scenario is a file, read and checked.
type Scenario struct {
	Name     string
	Summary  string
	App      string // the sample application; empty: the user's own
	Labels   map[string]string
	File     string           // as it was named; stdin: from there
	Library  bool             // it is the library's, and File its name there
	Revision *report.Revision // of the folder of the file; nil: not known
	Text     string
	Set      []string                  // each --set that changed it: load.a.requests=50
	Files    map[string]string         // the files of rules that it names, by that name, each as it was read
	Values   map[string]loadgen.Values // the files of values that it names, by that name, without their rows
	// Descriptors are the files of them that it names, by that name, without what is in them.
	Descriptors map[string]loadgen.Descriptors
	Params      map[string]string // by name, each as it was used
	Load        []Override        // what its load was overridden by
	Given       []Rule
	Steps       []Step // at least one; the only step of a file without steps has no name
	Rollback    bool   // the first step that is no pass ends the run
	Warnings    []Warning

	abortWhen []Condition // what ends the load of the baseline and of the recovery

	Silences []Silence // of traps that the file says are meant

	secrets      *secret.Values  // nil: there are none
	objects      *secret.Values  // the same, and those that objects have shown
	secretParams map[string]bool // the parameters that are
	shown        *shown          // nil: a report has all as it is

	alike []Warning // of versions that are not told apart

	without []Warning // of conclusions that are left out

	caught []string // the traps that the file alone shows, silenced or not

	NoEndpoints []NoEndpoints // where requests are sent on purpose although nobody is there
	Excuses     []Excuse      // mutants that are no matter
}

// NoEndpoints is a service that is not there or has no ready pod, or a subset
// of a service of which the same is true.
type NoEndpoints struct {
	Service string // short or fully qualified
	Subset  string // or the version that a route names; empty: the whole service
	place   Error  // where it stands
}

// Wrong is an error of the entry that shows only in a mesh, placed in the file.
func (n NoEndpoints) Wrong(err error) error {
	placed := n.place
	placed.Message = err.Error()
	return &placed
}

// Step is one stretch of the run.
type Step struct {
	Name    string
	Apply   []Rule
	Cohorts []mesh.Cohort // sorted by name
	Expect  []Line

	Conclusion *Conclusion // nil: it has none

	AbortWhen []Condition // what ends its load: the file's, and then its own

	targets map[string]Error                 // where what a cohort calls stands
	froms   map[string]Error                 // where it stands what it is from
	fields  func(cohort, field string) Error // where a field of its plan stands, as loadgen.FieldError has it
	scope   check.Scope
}

// Compile reads a line as if it stood among the expectations of the step. The
// error is a *check.Error.
func (s Step) Compile(text string) (*check.Expectation, error) {
	return check.Compile(s.scope, text)
}

// WrongTarget is an error of what a cohort calls that shows only in a mesh, placed
// in the file.
func (s Step) WrongTarget(cohort string, err error) error {
	placed := s.targets[cohort]
	placed.Message = err.Error()
	return &placed
}

// WrongEntrance is an error of what a cohort is from that shows only in a mesh, placed
// in the file.
func (s Step) WrongEntrance(cohort string, err error) error {
	placed := s.froms[cohort]
	placed.Message = err.Error()
	return &placed
}

// Rule is one entry of given or apply: either an intent or objects.
type Rule struct {
	Intent  rules.Intent    // nil: objects
	Objects []*rules.Object // verbatim; their namespace is the run's
	sources []source        // where each of the objects stands
	place   Error           // where it stands
}

// Line is where the rule begins in the scenario's file.
func (r Rule) Line() int { return r.place.Line }

// As is the rule at its place in the file, with objects in the stead of what it
// says.
func (r Rule) As(objects []*rules.Object) Rule {
	return Rule{Objects: objects, place: r.place}
}

// Wrong is an error of a rule that shows only in a mesh, placed in the file.
func (r Rule) Wrong(err error) error {
	return r.wrong("", "%v", err)
}

// WrongAt is an error of a field of an object that the rule has written, placed at
// the field if the rule writes the object as it stands, or else at the rule.
func (r Rule) WrongAt(ref rules.Ref, path string, err error) error {
	placed := r.at(ref, path)
	placed.Message = err.Error()
	return &placed
}

func (r Rule) wrong(hint, format string, args ...any) error {
	placed := r.place
	placed.Message, placed.Hint = fmt.Sprintf(format, args...), hint
	return &placed
}

// Line is one expectation.
type Line struct {
	*check.Expectation
	KnownBug string // the ticket; the expectation is expected to be false
	Line     int
	place    func(error) error // places what is wrong in the line
}

// Wrong is an error of an expectation that shows only in a mesh, placed in the file.
func (l Line) Wrong(err error) error { return l.place(err) }
