package report

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/meshchaos/meshchaos/loadgen"
)

// Schema returns the JSON Schema of a record.
func Schema() ([]byte, error) {
	r := jsonschema.Reflector{ExpandedStruct: true, Mapper: written}
	schema := r.Reflect(&Record{})
	schema.ID, schema.Title = "", "meshchaos report"
	seed, _ := schema.Properties.Get("seed")
	*seed = jsonschema.Schema{Type: "string", Pattern: "^[0-9]+$"}
	for _, key := range []string{"apiVersion", "kind"} {
		constant, _ := schema.Properties.Get(key)
		constant.Const = map[string]string{"apiVersion": APIVersion, "kind": Kind}[key]
	}
	change := schema.Definitions["Change"].Properties
	left, _ := change.Get("left")
	change.Set("left", orNull(left))
	allowNull(reflect.TypeFor[Record](), schema, schema.Definitions, map[reflect.Type]bool{})
	return json.MarshalIndent(schema, "", "  ")
}

// allowNull says in the schema of a type, and of those within it, where null stands for
// what is nil.
func allowNull(of reflect.Type, schema *jsonschema.Schema, all jsonschema.Definitions, done map[reflect.Type]bool) {
	if done[of] || schema == nil || schema.Properties == nil || written(of) != nil {
		return
	}
	done[of] = true
	for _, field := range reflect.VisibleFields(of) {
		key, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		property, there := schema.Properties.Get(key)
		if !there {
			continue
		}
		within := field.Type
		for slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Slice, reflect.Map}, within.Kind()) && written(within) == nil {
			within = within.Elem()
		}
		allowNull(within, all[within.Name()], all, done)
		if field.Type.Kind() == reflect.Slice && field.Type.Elem().Kind() == reflect.Pointer {
			property.Items = orNull(property.Items)
		}
		if within != field.Type && !strings.Contains(options, "omitempty") {
			schema.Properties.Set(key, orNull(property))
		}
	}
}

func orNull(schema *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{schema, {Type: "null"}}}
}

// written are the schemas of what is written otherwise than its type has it.
func written(of reflect.Type) *jsonschema.Schema {
	switch of {
	case reflect.TypeFor[Verdict]():
		return &jsonschema.Schema{Type: "string", Enum: []any{Pass, Fail, Inconclusive}}
	case reflect.TypeFor[Unit]():
		return &jsonschema.Schema{Type: "string", Enum: []any{Number, Seconds, Share}}
	case reflect.TypeFor[json.RawMessage]():
		return &jsonschema.Schema{Type: "object", Description: "A manifest."}
	case reflect.TypeFor[loadgen.Duration]():
		return &jsonschema.Schema{Type: "number", Description: "In seconds."}
	case reflect.TypeFor[loadgen.Histogram]():
		number := &jsonschema.Schema{Type: "number", Minimum: "0", Description: "In seconds."}
		properties := jsonschema.NewProperties()
		properties.Set("count", &jsonschema.Schema{Type: "integer", Minimum: "0"})
		for _, key := range []string{"min", "mean", "p50", "p90", "p99", "p999", "max"} {
			properties.Set(key, number)
		}
		properties.Set("hdr", &jsonschema.Schema{Type: "string", Description: "HdrHistogram's V2 encoding, compressed, in base64; values in µs."})
		return &jsonschema.Schema{Type: "object", Properties: properties, Required: []string{"count"}, AdditionalProperties: jsonschema.FalseSchema}
	}
	return nil
}
