package scenarios

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/samples"
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

func TestTheSchemaHasEveryApplication(t *testing.T) {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs struct {
			Spec struct {
				Properties struct{ App struct{ Enum []string } }
			} `json:"fileSpec"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	if got, want := schema.Defs.Spec.Properties.App.Enum, samples.Apps(); len(got) == 0 || !slices.Equal(got, want) {
		t.Errorf("an app is one of %v, want one of %v", got, want)
	}
}

func TestTheSchemaHasEveryIntent(t *testing.T) {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs map[string]struct {
			Properties    map[string]any
			Required      []string
			MaxProperties int
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	intent := schema.Defs[intentName]
	if got, want := slices.Sorted(maps.Keys(intent.Properties)), slices.Sorted(slices.Values(rules.IntentNames())); !slices.Equal(got, want) || intent.MaxProperties != 1 {
		t.Errorf("an intent is one of %v, want one of %v", got, want)
	}
	for _, name := range rules.IntentNames() {
		if form := schema.Defs[name]; form.Properties["service"] == nil || !slices.Contains(form.Required, "service") {
			t.Errorf("the form of %s is %v", name, form)
		}
	}
}

func TestTheSchemaTakesAReferenceWhereANumberIsAsked(t *testing.T) {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	type property struct {
		AnyOf []struct {
			Ref string `json:"$ref"`
		}
	}
	var schema struct {
		Defs map[string]struct{ Properties map[string]property } `json:"$defs"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	for _, place := range [][2]string{{"fileLoad", "requests"}, {"fileLoad", "connections"}, {"fileLoad", "duration"}, {"fault", "delay"}, {"fault", "abort"}, {"breaker", "maxConnections"}} {
		of := schema.Defs[place[0]].Properties[place[1]].AnyOf
		if len(of) != 2 || of[1].Ref != referenceRef {
			t.Errorf("%s of %s is one of %v", place[1], place[0], of)
		}
	}
}
