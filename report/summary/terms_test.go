package summary_test

import (
	"os"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/report/summary"
)

// TestTheTermsAreThoseOfTheDocs: what a report says of a word the docs say first, but for
// what they add on the record.
func TestTheTermsAreThoseOfTheDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/reports.md")
	if err != nil {
		t.Fatal(err)
	}
	docs := strings.NewReplacer("*", "", "; in the record both are `during`", "", ", as fortio has it", "").Replace(string(text))
	for _, term := range summary.Terms() {
		if want := "| " + term.Word + " | " + term.Means; !strings.Contains(docs, want) {
			t.Errorf("the docs have no %q", want)
		}
	}
}
