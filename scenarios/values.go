package scenarios

import (
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// maxRequests bounds one cohort's load: days of it.
const maxRequests = 1_000_000_000

// requests is a count, or auto.
type requests struct {
	count int64
	auto  bool
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (r *requests) UnmarshalYAML(node ast.Node) error {
	text, _ := yamlnode.Scalar(node)
	if text == "auto" {
		r.auto = true
		return nil
	}
	count, err := strconv.ParseInt(text, 10, 64)
	if err != nil || count < 1 || count > maxRequests {
		return yamlnode.At(node, "", "requests takes a whole number from 1 to %d, or auto, not %s", maxRequests, yamlnode.Kind(node))
	}
	r.count = count
	return nil
}

// JSONSchema describes it to editors.
func (requests) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "integer", Minimum: "1"}, {Const: "auto"}}}
}

// shares is a version, or weights by version in the order of the file.
type shares []rules.Share

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (s *shares) UnmarshalYAML(node ast.Node) error {
	if text, ok := yamlnode.Scalar(node); ok && text != "" {
		*s = shares{{Version: text}}
		return nil
	}
	pairs, err := yamlnode.Entries(node)
	if err != nil {
		return yamlnode.At(node, "write v1, or {v1: 90, v2: 10}", "to takes a version or weights by version, not %s", yamlnode.Kind(node))
	}
	var sum int64
	for _, pair := range pairs {
		text, _ := yamlnode.Scalar(pair.Value)
		weight, err := strconv.ParseInt(strings.TrimSuffix(text, "%"), 10, 32)
		if err != nil || weight < 0 {
			return yamlnode.At(pair.Value, "", "a weight is a whole number of at least 0, not %s", yamlnode.Kind(pair.Value))
		}
		sum += weight
		*s = append(*s, rules.Share{Version: yamlnode.Key(pair), Weight: int32(weight)})
	}
	if sum == 0 {
		return yamlnode.At(node, "one at least must be above 0", "the weights sum to 0")
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
