package scenarios

import (
	"encoding/json"

	"github.com/invopop/jsonschema"
)

// Schema returns the JSON Schema of a scenario file, for editors.
func Schema() ([]byte, error) {
	r := jsonschema.Reflector{FieldNameTag: "yaml", ExpandedStruct: true}
	schema := r.Reflect(&file{})
	schema.ID = ""
	schema.Title = "meshchaos scenario"
	for name, value := range map[string]any{"fileIntent": &fileIntent{}, "fileExpectation": &fileExpectation{}} {
		inner := r.Reflect(value)
		for key, definition := range inner.Definitions {
			schema.Definitions[key] = definition
		}
		inner.Definitions, inner.Version, inner.ID = nil, "", "" // an $id would rebase the references
		schema.Definitions[name] = inner
	}
	return json.MarshalIndent(schema, "", "  ")
}
