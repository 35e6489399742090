package report

import (
	"encoding/json"
	"reflect"
	"testing"
)

// Lists of numbers are on a line, nothing else is another, and it reads as the same.
func TestAListOfNumbersIsALine(t *testing.T) {
	of := map[string]any{
		"a": []any{1.0, -2.5, nil, 3e-9, 1e21},
		"b": []any{"[\n 1,\n 2\n ]", "1"},
		"c": []any{[]any{1.0}, []any{}, map[string]any{"d": []any{2.0, 3.0}}},
	}
	text, err := Indent(of)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "a": [1, -2.5, null, 3e-9, 1e+21],
  "b": [
    "[\n 1,\n 2\n ]",
    "1"
  ],
  "c": [
    [1],
    [],
    {
      "d": [2, 3]
    }
  ]
}`
	if string(text) != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
	var again map[string]any
	if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(again, of) {
		t.Errorf("%v, %v", again, err)
	}
}
