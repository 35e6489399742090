package scenarios_test

import (
	"encoding/json"
	"testing"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/test/judged"
)

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
		other := judged.Written(t, record)
		must := false
		for i := range other.Windows {
			if w := &other.Windows[i]; w.Name == report.During {
				must = change(w) || must
			}
		}
		if j := judged.Again(t, other); must && j.Verdict == report.Pass {
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
		if err := judged.Schema().Validate(record); (err == nil) != valid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
