package scenarios

import (
	"errors"
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/report"
)

// Condition is one line of abortWhen.
type Condition struct {
	*check.Condition
	Line  int
	place func(error) error // places what is wrong in the line
}

// AbortWhen returns what ends the load of a window: in that of a step the conditions
// of the file and its own, in the baseline and the recovery the file's.
func (s *Scenario) AbortWhen(window string, step Step) []Condition {
	if window == report.During {
		return step.AbortWhen
	}
	return s.abortWhen
}

// Aborting returns the line of the file at which a condition of a window stands; 0:
// it has none of this text.
func (s *Scenario) Aborting(w *report.Window, text string) int {
	for _, step := range s.Steps {
		if w.Name == report.During && step.Name != w.Step {
			continue
		}
		for _, c := range s.AbortWhen(w.Name, step) {
			if c.Text() == text {
				return c.Line
			}
		}
	}
	return 0
}

// fileConditions are those of abortWhen: a text, or a list of them.
type fileConditions []ast.Node

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (c *fileConditions) UnmarshalYAML(node ast.Node) error {
	nodes := []ast.Node{node}
	if list, is := node.(*ast.SequenceNode); is {
		nodes = list.Values
	}
	for _, one := range nodes {
		if text, ok := yamlnode.Scalar(one); !ok || text == "" {
			return yamlnode.At(one, `write a comparison, as in others.share(503) > 5%`, "abortWhen takes a condition, or a list of them, not %s", yamlnode.Kind(one))
		}
	}
	*c = nodes
	return nil
}

// JSONSchema describes them to editors.
func (fileConditions) JSONSchema() *jsonschema.Schema {
	text := &jsonschema.Schema{Type: "string", Description: "Such as: others.share(503) > 5%"}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{text, {Type: "array", Items: text}}}
}

// compileAborts reads the conditions of the file, which hold in each window, and those
// of its steps.
func (r *reader) compileAborts(f *fileScenario, s *Scenario, steps []fileStep) error {
	for i := range s.Steps {
		step := &s.Steps[i]
		own, err := r.compileConditions(step.scope, steps[i].AbortWhen)
		if err != nil {
			return err
		}
		all, err := r.compileConditions(step.scope, f.Spec.AbortWhen)
		if err != nil && i > 0 {
			return r.ofEachStep(err, step.Name)
		}
		if err != nil {
			return err
		}
		step.AbortWhen = slices.Concat(all, own)
		if i == 0 {
			s.abortWhen = all
		}
	}
	return nil
}

// ofEachStep says of a condition of the whole file in which step it has no meaning.
func (r *reader) ofEachStep(err error, step string) error {
	var placed *Error
	if !errors.As(err, &placed) {
		return err
	}
	in := *placed
	in.Message, in.Hint = fmt.Sprintf("in step %s: %s", step, placed.Message), "write it as abortWhen of the steps that it is for"
	return &in
}

func (r *reader) compileConditions(scope check.Scope, nodes fileConditions) ([]Condition, error) {
	var all []Condition
	var wrong []error
	for _, node := range nodes {
		text, _ := yamlnode.Scalar(node)
		place := r.placeIn(node)
		compiled, err := check.CompileCondition(scope, text)
		if err != nil {
			wrong = append(wrong, place(err))
			continue
		}
		all = append(all, Condition{Condition: compiled, Line: r.line(node), place: place})
	}
	return all, errors.Join(wrong...)
}

// judgeable refuses a condition that would never be judged: in no step that it is for
// do its cohorts send as many requests as it takes.
func (s *Scenario) judgeable() error {
	var wrong []error
	for i, c := range s.abortWhen {
		var few error
		for _, step := range s.Steps {
			if few = step.AbortWhen[i].neverJudged(step); few == nil {
				break
			}
		}
		if few != nil {
			wrong = append(wrong, c.place(few))
		}
	}
	for _, step := range s.Steps {
		for _, c := range step.AbortWhen[len(s.abortWhen):] {
			if few := c.neverJudged(step); few != nil {
				wrong = append(wrong, c.place(few))
			}
		}
	}
	return errors.Join(wrong...)
}

// fromOnePlace refuses a condition over cohorts that enter the mesh from different
// workloads: each load is ended where it is made, by what is seen there.
func (s *Scenario) fromOnePlace() error {
	var wrong []error
	for _, step := range s.Steps {
		lender := map[string]string{}
		for _, cohort := range step.Cohorts {
			lender[cohort.Name] = cohort.Borrows()
		}
		for _, c := range step.AbortWhen {
			names := c.Cohorts()
			for _, name := range names[min(1, len(names)):] {
				if lender[name] != lender[names[0]] {
					wrong = append(wrong, c.place(fmt.Errorf("%s names %s and %s, which are not from one place, so that nobody sees both in time; write a condition of each alone", c.Text(), names[0], name)))
					break
				}
			}
		}
	}
	return errors.Join(wrong...)
}

// Judgeable says whether the load of a step is to send as many requests as the condition
// takes: one of the whole file may be meant for other steps.
func (c Condition) Judgeable(step Step) bool { return c.neverJudged(step) == nil }

// neverJudged says why a condition is never judged in the load of a step; nil: it may
// be.
func (c Condition) neverJudged(step Step) error {
	for _, cohort := range step.Cohorts {
		most, takes := check.BoundsOf(cohort.Plan).Most, c.Least(cohort.Name)
		if most > 0 && most < takes {
			return fmt.Errorf("%s would never be judged: it takes %d requests, and %s sends %d; send more, or count them, as in %s.status[503] > 0", c.Text(), takes, cohort.Name, most, cohort.Name)
		}
	}
	return nil
}
