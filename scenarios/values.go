package scenarios

import (
	"strconv"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

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
