package scenarios_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
)

// TestEachIntentHasARunAndAPage: what stands in the list of intents is shown to
// work, and every key of its form is explained.
func TestEachIntentHasARunAndAPage(t *testing.T) {
	for _, name := range rules.IntentNames() {
		t.Run(name, func(t *testing.T) {
			page, err := os.ReadFile(filepath.Join("..", "..", "docs", "intents", name+".md"))
			if err != nil {
				t.Fatal(err)
			}
			form := reflect.TypeOf(rules.NewIntent(name)).Elem()
			for i := range form.NumField() {
				key, _, _ := strings.Cut(form.Field(i).Tag.Get("yaml"), ",")
				if !strings.Contains(string(page), "\n| `"+key+"` | ") {
					t.Errorf("the page does not explain %s", key)
				}
			}
			record := passing(t, filepath.Join("testdata", "intents", name+".yaml"), 1)
			if record.Verdict != report.Pass || !record.Restored {
				t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
				show(t, record)
			}
		})
	}
}
