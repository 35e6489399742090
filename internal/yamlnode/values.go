package yamlnode

import (
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"
)

// Duration is a Go duration above 0, written with its unit, such as 7s or
// 1m30s. 0: absent.
type Duration struct{ time.Duration }

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (d *Duration) UnmarshalYAML(node ast.Node) error {
	text, ok := Scalar(node)
	if !ok {
		return At(node, "write one such as 7s or 250ms", "this takes a duration, not %s", Kind(node))
	}
	if decimal.MatchString(text) {
		return At(node, "write "+text+"s or "+text+"ms", "the duration %q has no unit", text)
	}
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed <= 0 {
		return At(node, "write one such as 7s, 250ms or 1m30s", "%q is not a duration above 0", text)
	}
	d.Duration = parsed
	return nil
}

// JSONSchema describes a duration to editors.
func (Duration) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`, Description: "A duration with its unit: 7s, 250ms, 1m30s."}
}

// Percent is above 0 and at most 100; the sign may be left out. A nil Value:
// absent.
type Percent struct{ Value *float64 }

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (p *Percent) UnmarshalYAML(node ast.Node) error {
	text, _ := Scalar(node)
	text = strings.TrimSuffix(text, "%")
	value, err := strconv.ParseFloat(text, 64)
	if !decimal.MatchString(text) || err != nil || !(value > 0 && value <= 100) {
		return At(node, "write one such as 50%", "this takes a percentage above 0 and at most 100, not %s", Kind(node))
	}
	p.Value = &value
	return nil
}

// JSONSchema describes a percentage to editors.
func (Percent) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "string", Pattern: `^[0-9]+(\.[0-9]+)?%$`},
		{Type: "number", ExclusiveMinimum: "0", Maximum: "100"},
	}}
}

// Names is the name of a service, or a list of them.
type Names []string

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (n *Names) UnmarshalYAML(node ast.Node) error {
	if text, ok := Scalar(node); ok && text != "" {
		*n = Names{text}
		return nil
	}
	var list []string
	if err := Decode(node, &list, "service"); err != nil {
		return err
	}
	if len(list) == 0 {
		return At(node, "", "this takes the name of a service, or a list of names")
	}
	*n = list
	return nil
}

// JSONSchema describes it to editors.
func (Names) JSONSchema() *jsonschema.Schema {
	name := &jsonschema.Schema{Type: "string"}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{name, {Type: "array", Items: name}}}
}
