package scenarios

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestEveryReferenceOfTheSchemaLeadsSomewhere(t *testing.T) {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	definitions := schema["$defs"].(map[string]any)
	references := 0
	var walk func(any)
	walk = func(node any) {
		switch n := node.(type) {
		case map[string]any:
			if _, rebased := n["$id"]; rebased {
				t.Errorf("the $id %v rebases the references below it", n["$id"])
			}
			if ref, ok := n["$ref"].(string); ok {
				references++
				if definitions[strings.TrimPrefix(ref, "#/$defs/")] == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, child := range n {
				walk(child)
			}
		case []any:
			for _, child := range n {
				walk(child)
			}
		}
	}
	walk(schema)
	if references < 10 {
		t.Errorf("only %d references", references)
	}
}
