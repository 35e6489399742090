package scenarios

import (
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// decode reads a node into a value of its own, strictly.
func decode(node ast.Node, into any, path string) error {
	if err := fits(node, reflect.TypeOf(into), path); err != nil {
		return err
	}
	return yaml.NodeToValue(node, into, yaml.Strict())
}

// scalar returns the text of a scalar as it was written.
func scalar(node ast.Node) (string, bool) {
	if literal, ok := node.(*ast.LiteralNode); ok { // its own token is the | or >
		return strings.TrimSpace(literal.Value.Value), true
	}
	if _, ok := node.(ast.ScalarNode); !ok || node.Type() == ast.NullType {
		return "", false
	}
	return node.GetToken().Value, true
}

// duration is a Go duration with a unit, such as 7s or 1m30s.
type duration struct{ time.Duration }

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (d *duration) UnmarshalYAML(node ast.Node) error {
	text, ok := scalar(node)
	if !ok {
		return at(node, "write one such as 7s or 250ms", "this takes a duration, not %s", kindOf(node))
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return at(node, "write "+text+"s or "+text+"ms", "the duration %q has no unit", text)
	}
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed <= 0 {
		return at(node, "write one such as 7s, 250ms or 1m30s", "%q is not a duration above 0", text)
	}
	d.Duration = parsed
	return nil
}

// JSONSchema describes a duration to editors.
func (duration) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`, Description: "A duration with its unit: 7s, 250ms, 1m30s."}
}

// percent is above 0 and at most 100; the sign may be left out. nil: absent.
type percent struct{ value *float64 }

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (p *percent) UnmarshalYAML(node ast.Node) error {
	text, ok := scalar(node)
	value, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if !ok || err != nil || !(value > 0 && value <= 100) {
		return at(node, "write one such as 50%", "this takes a percentage above 0 and at most 100, not %s", kindOf(node))
	}
	p.value = &value
	return nil
}

// JSONSchema describes a percentage to editors.
func (percent) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "string", Pattern: `^[0-9]+(\.[0-9]+)?%$`},
		{Type: "number", ExclusiveMinimum: "0", Maximum: "100"},
	}}
}

// maxRequests bounds one cohort's load: days of it.
const maxRequests = 1_000_000_000

// requests is a count, or auto.
type requests struct {
	count int64
	auto  bool
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (r *requests) UnmarshalYAML(node ast.Node) error {
	text, _ := scalar(node)
	if text == "auto" {
		r.auto = true
		return nil
	}
	count, err := strconv.ParseInt(text, 10, 64)
	if err != nil || count < 1 || count > maxRequests {
		return at(node, "", "requests takes a whole number from 1 to %d, or auto, not %s", maxRequests, kindOf(node))
	}
	r.count = count
	return nil
}

// JSONSchema describes it to editors.
func (requests) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "integer", Minimum: "1"}, {Const: "auto"}}}
}

// words is one word or a list of them.
type words []string

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (w *words) UnmarshalYAML(node ast.Node) error {
	if text, ok := scalar(node); ok && text != "" {
		*w = words{text}
		return nil
	}
	var list []string
	if err := decode(node, &list, "service"); err != nil {
		return err
	}
	if len(list) == 0 {
		return at(node, "", "this takes the name of a service, or a list of names")
	}
	*w = list
	return nil
}

// JSONSchema describes it to editors.
func (words) JSONSchema() *jsonschema.Schema {
	name := &jsonschema.Schema{Type: "string"}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{name, {Type: "array", Items: name}}}
}

// shares is a version, or weights by version in the order of the file.
type shares []rules.Share

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (s *shares) UnmarshalYAML(node ast.Node) error {
	if text, ok := scalar(node); ok && text != "" {
		*s = shares{{Version: text}}
		return nil
	}
	pairs, err := entries(node)
	if err != nil {
		return at(node, "write v1, or {v1: 90, v2: 10}", "to takes a version or weights by version, not %s", kindOf(node))
	}
	var sum int64
	for _, pair := range pairs {
		text, _ := scalar(pair.Value)
		weight, err := strconv.ParseInt(strings.TrimSuffix(text, "%"), 10, 32)
		if err != nil || weight < 0 {
			return at(pair.Value, "", "a weight is a whole number of at least 0, not %s", kindOf(pair.Value))
		}
		sum += weight
		*s = append(*s, rules.Share{Version: keyOf(pair), Weight: int32(weight)})
	}
	if sum == 0 {
		return at(node, "one at least must be above 0", "the weights sum to 0")
	}
	return nil
}

// JSONSchema describes it to editors.
func (shares) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "string", Description: "A version: all of the traffic."},
		{Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "integer", Minimum: "0"}, Description: "Weights by version: {v1: 90, v2: 10}."},
	}}
}
