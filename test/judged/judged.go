// Package judged holds what a record that was written down is judged to be against the run
// that it is of, for the runs of tests on both meshes.
//
// It may import report, scenarios and internal/verdict.
package judged

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

// Written is a record as report.json holds it, and what it is when that is read.
func Written(t testing.TB, record *report.Record) *report.Record {
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
	if err := Schema().Validate(document); err != nil {
		t.Errorf("a record is not as its schema has it: %v", err)
	}
}

// Schema is that of a record.
var Schema = sync.OnceValue(func() *jsonschema.Schema {
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

// Again is what a record that was written down is judged to be, by what it holds alone.
func Again(t testing.TB, record *report.Record) verdict.Judgement {
	t.Helper()
	scenario, err := scenarios.OfRecord(record.Scenario)
	if err != nil {
		t.Fatal(err)
	}
	return verdict.Judge(record, scenario)
}

// Same holds that who judges a record again comes to what the run came to.
func Same(t testing.TB, record *report.Record) {
	t.Helper()
	again := Again(t, Written(t, record))
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

// Unchanged holds that nobody takes an honest record for one that was changed.
func Unchanged(t testing.TB, record *report.Record) {
	t.Helper()
	kept := Written(t, record)
	scenario, err := scenarios.OfRecord(kept.Scenario)
	if err != nil {
		t.Fatal(err)
	}
	if err := verdict.Unchanged(kept, scenario); err != nil {
		t.Errorf("of the record as it was made it is said: %v", err)
	}
}
