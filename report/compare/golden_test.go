package compare_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/report/markdown"
	"github.com/meshchaos/meshchaos/report/terminal"
	"github.com/meshchaos/meshchaos/test/records"
)

var update = flag.Bool("update", false, "write the golden files anew")

// folded is a text as a terminal of so many columns has it.
func folded(t *testing.T, text string, columns int) string {
	t.Helper()
	var out strings.Builder
	if err := terminal.Fold(&out, text, columns); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// faces are those of a comparison and of a history of the records' runs of delay-jason.
func faces(t *testing.T) map[string]string {
	t.Helper()
	before, now, later := records.Read(t, "delay-jason"), records.Read(t, "delay-jason-istio"), records.Read(t, "inconclusive")
	c := compare.Compare(pair(before, now))
	h := &report.History{Scenarios: []report.Past{compare.Past([]compare.Run{{File: "1", Record: before}, {File: "2", Record: now}, {File: "3", Record: later}})}}
	var text, past, forge, html strings.Builder
	for _, err := range []error{compare.Text(&text, c, false), compare.PastText(&past, h), markdown.Compared(&forge, c), compare.HTML(&html, c)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return map[string]string{
		"compared-80.txt": folded(t, text.String(), 80), "compared-200.txt": folded(t, text.String(), 200),
		"history-80.txt": folded(t, past.String(), 80), "history-200.txt": folded(t, past.String(), 200),
		"compared.md": forge.String(), "compared.html": html.String(),
	}
}

func TestTheFacesOfAComparisonAreAsShown(t *testing.T) {
	for name, got := range faces(t) {
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", name, diff)
		}
		for line := range strings.Lines(got) {
			if strings.HasSuffix(line, " \n") && filepath.Ext(name) == ".txt" {
				t.Errorf("%s: a line ends in blanks: %q", name, line)
			}
		}
	}
}
