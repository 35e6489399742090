package scenarios

import (
	"strconv"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// connections is a number of them, or from how many to how many they may grow.
type connections struct {
	said bool
	growing
}

type growing struct {
	From int `yaml:"from" jsonschema:"minimum=1" jsonschema_description:"How many there are as the load begins."`
	To   int `yaml:"to" jsonschema:"minimum=2" jsonschema_description:"How many there may come to be: one more whenever a request is due and all wait for answers."`
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (c *connections) UnmarshalYAML(node ast.Node) error {
	c.said = true
	text, isScalar := yamlnode.Scalar(node)
	number, err := strconv.Atoi(text)
	switch {
	case isScalar && err == nil:
		c.From = number
		return nil
	case isScalar:
		return yamlnode.At(node, "write one such as 4, or {from: 4, to: 64}", "connections takes a whole number, not %s", yamlnode.Kind(node))
	case yamlnode.Pair(node, "from") == nil || yamlnode.Pair(node, "to") == nil:
		return yamlnode.At(node, "write one such as 4, or {from: 4, to: 64}", "connections takes a whole number, or from and to, not %s", yamlnode.Kind(node))
	}
	if err := yamlnode.Decode(node, &c.growing, "the connections"); err != nil {
		return err
	}
	if c.To <= c.From {
		return yamlnode.At(yamlnode.Pair(node, "to").Value, "", "connections may grow from %d to %d; the end must be above the start", c.From, c.To)
	}
	return nil
}

// JSONSchema describes it to editors.
func (connections) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "integer", Minimum: "1"}, {Ref: "#/$defs/growing"}}}
}
