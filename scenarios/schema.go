package scenarios

import (
	"encoding/json"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/samples"
)

// intentName is that of the schema's definition of an intent, of whatever kind.
const (
	intentName = "intent"
	intentRef  = "#/$defs/" + intentName

	referenceName = "reference"
	referenceRef  = "#/$defs/" + referenceName
)

// Schema returns the JSON Schema of a scenario file, for editors.
func Schema() ([]byte, error) {
	r := jsonschema.Reflector{FieldNameTag: "yaml", ExpandedStruct: true}
	schema := r.Reflect(&file{})
	schema.ID = ""
	schema.Title = "meshchaos scenario"
	define(&r, schema.Definitions, "fileExpectation", &fileExpectation{})
	define(&r, schema.Definitions, "fileRamp", &fileRamp{})
	define(&r, schema.Definitions, "growing", &growing{})
	define(&r, schema.Definitions, "fileThinking", &fileThinking{})
	intent := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema}
	intent.MinProperties, intent.MaxProperties = new(uint64(1)), new(uint64(1))
	for _, name := range rules.IntentNames() {
		define(&r, schema.Definitions, name, rules.NewIntent(name))
		intent.Properties.Set(name, &jsonschema.Schema{Ref: "#/$defs/" + name})
	}
	schema.Definitions[intentName] = intent
	schema.Definitions[referenceName] = &jsonschema.Schema{Type: "string", Pattern: reference.String(), Description: "A parameter of spec.params."}
	for name, definition := range schema.Definitions {
		if name != "fileMetadata" && name != referenceName {
			allowReferences(definition, schema.Definitions)
		}
	}
	nameApps(schema.Definitions["fileSpec"])
	return json.MarshalIndent(schema, "", "  ")
}

// allowReferences lets a reference to a parameter stand for each value below a
// definition that is no plain text, and for which an editor would refuse it.
func allowReferences(definition *jsonschema.Schema, all jsonschema.Definitions) {
	for pair := definition.Properties.Oldest(); pair != nil; pair = pair.Next() {
		switch value := pair.Value; {
		case value.Type == "integer", value.Type == "number", value.Type == "boolean", value.Pattern != "", len(value.Enum) > 0:
			pair.Value = &jsonschema.Schema{Description: value.Description, AnyOf: []*jsonschema.Schema{value, {Ref: referenceRef}}}
		case value.Ref != "" && all[strings.TrimPrefix(value.Ref, "#/$defs/")].Properties == nil: // no mapping
			pair.Value = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{value, {Ref: referenceRef}}}
		}
	}
}

// nameApps says in the schema of a spec which sample applications there are.
func nameApps(spec *jsonschema.Schema) {
	app, _ := spec.Properties.Get("app")
	for _, name := range samples.Apps() {
		app.Enum = append(app.Enum, name)
	}
}

// define adds the schema of a value's type, and of those that it refers to, to
// definitions.
func define(r *jsonschema.Reflector, definitions jsonschema.Definitions, name string, value any) {
	inner := r.Reflect(value)
	for key, definition := range inner.Definitions {
		definitions[key] = definition
	}
	inner.Definitions, inner.Version, inner.ID = nil, "", "" // an $id would rebase the references
	definitions[name] = inner
}
