package verdict

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestThePointsAreThoseOfTheirPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/verdicts.md")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, p := range points() {
		want = append(want, fmt.Sprintf("%d. %s", p.number, p.name))
		if p.window == nil && p.whole == nil && p.warn == nil && p.held == "" {
			t.Errorf("point %d is held nowhere", p.number)
		}
	}
	for line := range strings.Lines(string(page)) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			got = append(got, strings.TrimSpace(heading))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/verdicts.md has other points (-code +page):\n%s", diff)
	}
}
