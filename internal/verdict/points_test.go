package verdict

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFishersTest(t *testing.T) {
	for _, test := range []struct {
		table
		want float64
	}{
		// The lady tasting tea: three of four, twice.
		{table{3, 4, 1, 4}, 34.0 / 70},
		{table{4, 4, 0, 4}, 2.0 / 70},
		// By R's fisher.test(matrix(c(1, 11, 9, 3), 2)).
		{table{1, 10, 11, 14}, 0.002759456},
		{table{0, 20, 20, 20}, 1.450889e-11},
		{table{0, 9, 9, 9}, 4.11353e-5},
		{table{5, 10, 5, 10}, 1},
		{table{0, 10, 0, 10}, 1},
		{table{10, 10, 20, 20}, 1},
	} {
		if got := test.pValue(); math.Abs(got-test.want) > 1e-5*test.want {
			t.Errorf("of %v the p-value is %v, want %v", test.table, got, test.want)
		}
	}
}

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
