package summary_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// A manifest of many megabytes, which only a record can have that somebody else wrote, is
// not written as YAML: that takes minutes. It is held by what is allocated.
func TestOfAHugeManifestNoDiffIsMade(t *testing.T) {
	manifest := func(text string, entries int) json.RawMessage {
		return json.RawMessage(`{"kind": "VirtualService", "metadata": {"name": "of"}, "spec": {"hosts": ["` + text + `"` + strings.Repeat(`, "a.example"`, entries) + `]}}`)
	}
	changed := func(entries int) summary.Object {
		return summary.Objects(&report.Record{Changes: []report.Change{{Object: "VirtualService/shop/of", Before: manifest("was", entries), After: manifest("is", entries), Left: manifest("left", entries)}}})[0]
	}
	if diff := changed(100).Diffs()[0]; !strings.Contains(diff, "-  - was\n+  - is\n") {
		t.Errorf("of some hosts the diff is\n%s", diff)
	}
	huge := changed(100_000)
	var diff, left string
	allocated := testing.AllocsPerRun(1, func() { diff, left = huge.Diffs()[0], huge.Left() })
	const want = "no diff is made of a manifest of more than 262144 bytes: it has 1300082 (before) and "
	if allocated > 100 || diff != want+"1300081 (apply), and report.json has both\n" || left != want+"1300083 (after), and report.json has both\n" {
		t.Errorf("it allocates %.0f times for\n%.300s\n%.300s", allocated, diff, left)
	}
}
