package scenarios_test

import (
	"bytes"
	"encoding/json"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/meshchaos/meshchaos/internal/verdict"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// written is a record as report.json holds it, and what it is when that is read.
func written(t testing.TB, record *report.Record) *report.Record {
	t.Helper()
	text, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	read, err := report.Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	valid(t, text)
	return read
}

// valid holds a record against its schema.
func valid(t testing.TB, text []byte) {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := recordSchema().Validate(document); err != nil {
		t.Errorf("a record is not as its schema has it: %v", err)
	}
}

// recordSchema is that of a record.
var recordSchema = sync.OnceValue(func() *jsonschema.Schema {
	text, err := report.Schema()
	if err != nil {
		panic(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		panic(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("report.json", document); err != nil {
		panic(err)
	}
	return compiler.MustCompile("report.json")
})

// judged is what a record that was written down is judged to be, by what it holds alone.
func judged(t testing.TB, record *report.Record) verdict.Judgement {
	t.Helper()
	scenario, err := scenarios.OfRecord(record.Scenario)
	if err != nil {
		t.Fatal(err)
	}
	return verdict.Judge(record, scenario)
}

// sameAgain holds that who judges a record again comes to what the run came to.
func sameAgain(t testing.TB, record *report.Record) {
	t.Helper()
	again := judged(t, written(t, record))
	if again.Verdict != record.Verdict {
		t.Errorf("the run is %s, and judged again %s", record.Verdict, again.Verdict)
	}
	if diff := cmp.Diff(record.Expectations, again.Expectations); diff != "" {
		t.Errorf("judged again (-run +again):\n%s", diff)
	}
	if diff := cmp.Diff(record.Doubts, again.Doubts); diff != "" {
		t.Errorf("judged again it is doubted (-run +again):\n%s", diff)
	}
}

// unchanged holds that nobody takes an honest record for one that was changed.
func unchanged(t testing.TB, record *report.Record) {
	t.Helper()
	kept := written(t, record)
	scenario, err := scenarios.OfRecord(kept.Scenario)
	if err != nil {
		t.Fatal(err)
	}
	if err := verdict.Unchanged(kept, scenario); err != nil {
		t.Errorf("of the record as it was made it is said: %v", err)
	}
}

// otherNumbers are ways to change what a record of the library says was observed under
// the rules. None may leave it a pass.
var otherNumbers = map[string]func(*report.Window) (changed bool){
	"answers of another status that show nothing": func(w *report.Window) (changed bool) {
		for _, load := range w.Loads {
			for i := range load.Outcomes {
				if o := &load.Outcomes[i]; o.Status != 0 {
					o.Status, o.Checks, o.Version, changed = 599, nil, "", true
				}
			}
		}
		return changed
	},
	"half of the requests": func(w *report.Window) bool {
		for _, load := range w.Loads {
			load.Sent /= 2
		}
		return true
	},
	"no rule bit": func(w *report.Window) bool {
		for i := range w.Bites {
			w.Bites[i].Count = new(int64)
		}
		return true
	},
	"proxies that counted others": func(w *report.Window) (changed bool) {
		for i := range w.Quantities {
			if q := &w.Quantities[i]; q.Value != nil {
				*q.Value, changed = *q.Value+100_000, true
			}
		}
		return changed
	},
}

// otherwise holds that a record which passed does not with other numbers.
func otherwise(t testing.TB, record *report.Record) {
	t.Helper()
	for how, change := range otherNumbers {
		other := written(t, record)
		must := false
		for i := range other.Windows {
			if w := &other.Windows[i]; w.Name == report.During {
				must = change(w) || must
			}
		}
		if j := judged(t, other); must && j.Verdict == report.Pass {
			t.Errorf("%s: it is a pass", how)
		}
	}
}

func TestTheSchemaRefusesWhatIsNoRecord(t *testing.T) {
	text, err := json.Marshal(run(t, "breaker-ratings", 7, honest))
	if err != nil {
		t.Fatal(err)
	}
	first := func(r map[string]any) map[string]any { return r["changes"].([]any)[0].(map[string]any) }
	for name, change := range map[string]func(map[string]any){
		"no change":               func(map[string]any) {},
		"nothing is left":         func(r map[string]any) { first(r)["left"] = nil },
		"another kind":            func(r map[string]any) { r["kind"] = "Scenario" },
		"another version":         func(r map[string]any) { r["apiVersion"] = "meshchaos/v9" },
		"another verdict":         func(r map[string]any) { r["verdict"] = "maybe" },
		"no windows":              func(r map[string]any) { delete(r, "windows") },
		"a word for seconds":      func(r map[string]any) { r["started"] = 5 },
		"a number as a seed":      func(r map[string]any) { r["seed"] = 7 },
		"something unknown":       func(r map[string]any) { r["mood"] = "good" },
		"a word for what is left": func(r map[string]any) { first(r)["left"] = "gone" },
	} {
		var record map[string]any
		if err := json.Unmarshal(text, &record); err != nil {
			t.Fatal(err)
		}
		change(record)
		valid := name == "no change" || name == "nothing is left"
		if err := recordSchema().Validate(record); (err == nil) != valid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
