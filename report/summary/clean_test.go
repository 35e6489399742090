package summary_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
	"github.com/meshchaos/meshchaos/test/records"
)

func TestATextGivesNoOrders(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                       "plain",
		"\x1b[2J\x1b[1;31mred\x1b[0m": "red",
		"\x1b]0;title\x07after":       "after",
		"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\": "link",
		"\u009b31mred":   "red",
		"a\r\nb\tc":      "a  b c",
		"bell\a, back\b": "bell, back",
		"\xff\xfe":       "�",
		"\u202egnp.exe":  "gnp.exe",
		"\x1b":           "",
		"grüße 世界":       "grüße 世界",
	} {
		if got := summary.Text(text); got != want {
			t.Errorf("%q is %q, not %q", text, got, want)
		}
	}
	long := strings.Repeat("é", 1<<20)
	if got := summary.Text(long); len(got) > 5000 || !strings.HasSuffix(got, "é… (the beginning of 2097152 bytes)") {
		t.Errorf("of %d bytes it shows %d: %s", len(long), len(got), got[len(got)-100:])
	}
}

func TestAManifestIsTheSameWithoutOrders(t *testing.T) {
	want := map[string]string{"a": "\x1b[2J\u009b\u202e\U000e0001é"}
	manifest, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	clean := summary.JSON(manifest)
	var got map[string]string
	if err := json.Unmarshal([]byte(clean), &got); err != nil || got["a"] != want["a"] || strings.ContainsAny(clean, "\x1b\u009b\u202e\U000e0001") {
		t.Errorf("%q: %q, %v", clean, got, err)
	}
}

func TestACleanRecordHasNothingThatActs(t *testing.T) {
	const evil = "\x1b[2J"
	r := &report.Record{
		Scenario:     report.Scenario{Name: evil + "name", Text: "a:\n  b" + evil, Files: map[string]string{evil + "f": "x\ny"}},
		Windows:      []report.Window{{Loads: map[string]*loadgen.Result{evil + "jason": {Outcomes: []loadgen.Outcome{{Error: evil}}}}, Calls: []report.Explained{{Call: &report.Call{Calls: []report.Call{{To: evil}}}}}}},
		Expectations: []report.Expectation{{Observed: evil}},
	}
	clean := summary.Clean(r)
	text, err := json.Marshal(clean)
	if err != nil || strings.Contains(string(text), "\\u001b") {
		t.Errorf("%v: %s", err, text)
	}
	if clean.Scenario.Text != "a:\n  b" || clean.Scenario.Files["f"] != "x\ny" || clean.Windows[0].Loads["jason"] == nil {
		t.Errorf("%+v", clean)
	}
	if r.Expectations[0].Observed != evil {
		t.Error("the record itself was changed")
	}
	for _, name := range records.Names(t) {
		r := records.Read(t, name)
		clean := summary.Clean(r)
		clean.Tool = r.Tool
		if !reflect.DeepEqual(r, clean) {
			t.Errorf("%s has nothing to be cleaned, and is another", name)
		}
	}
}
