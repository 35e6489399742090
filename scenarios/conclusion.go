package scenarios

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// Conclusion is what a pass of a step shows, in a sentence.
type Conclusion struct {
	*check.Sentence
	Line int
	set  bool // by an option: it was written of all that the others set
}

// Conclusions are what a pass shows, step by step, with the amounts as they are written.
func (s *Scenario) Conclusions() []string {
	var all []string
	for _, step := range s.Steps {
		if step.Conclusion != nil {
			all = append(all, step.Conclusion.Text())
		}
	}
	return all
}

// fileConclusion is a sentence with amounts in braces.
type fileConclusion struct {
	text string
	node ast.Node // nil: there is none
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (c *fileConclusion) UnmarshalYAML(node ast.Node) error {
	text, ok := yamlnode.Scalar(node)
	if !ok {
		return yamlnode.At(node, "quote this sentence", "YAML reads this conclusion as %s", yamlnode.Kind(node))
	}
	c.text, c.node = text, node
	return nil
}

// JSONSchema describes it to editors.
func (fileConclusion) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Description: "What a pass shows, in a sentence in which {EXPRESSION} stands for what was observed, such as: Their pages took {others.p99} at most. {{ is a brace."}
}

// compileConclusions compiles what a pass of each step shows.
func (r *reader) compileConclusions(f *fileScenario, s *Scenario, steps []fileStep) error {
	if spec := f.Spec.Conclusion; spec.node != nil && len(f.Spec.Steps) > 0 {
		return r.place(yamlnode.At(spec.node, "give the step one that it is of, or each its own", "a scenario with steps has no conclusion beside them"))
	}
	var wrong []error
	for i, step := range steps {
		if step.Conclusion.node == nil {
			continue
		}
		compiled, err := check.ReadSentence(s.Steps[i].scope, step.Conclusion.text, linesOf(s.Steps[i:i+1]), linesOf(s.Steps))
		if err != nil {
			wrong = append(wrong, r.placeIn(step.Conclusion.node)(err))
			continue
		}
		set := r.isSet(step.Conclusion.node)
		if other := r.otherwise(compiled.Plain(), r.named(step.Conclusion.node)); other != nil && !set {
			message := fmt.Sprintf("the conclusion in line %d was not written of this, and is left out; set it, too, or let a parameter stand in both", r.line(step.Conclusion.node))
			s.without = append(s.without, warningAt(*r.place(other.wrong("", "")), "", message))
			continue
		}
		s.Steps[i].Conclusion = &Conclusion{compiled, r.line(step.Conclusion.node), set}
	}
	return errors.Join(wrong...)
}

func linesOf(steps []Step) []*check.Expectation {
	var all []*check.Expectation
	for _, step := range steps {
		for _, line := range step.Expect {
			all = append(all, line.Expectation)
		}
	}
	return all
}

// isSet says whether a node stands in a setting.
func (r *reader) isSet(node ast.Node) bool { return node.GetToken().Position.Line > r.own }
