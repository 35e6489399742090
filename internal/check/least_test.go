package check

import (
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/report"
)

// What there was at least decides what more of it would not change, and nothing
// else.
func TestWhatIsKnownByItsLeastDecidesOnlyWhatMoreWouldNotChange(t *testing.T) {
	w := observed()
	three := int64(3)
	w.During.Quantities = append(w.During.Quantities, report.Quantity{Function: "ejections", Args: []string{"reviews"}, Value: &three, AtLeast: true, Source: "log", Absent: "one may have ended unseen"})
	for line, want := range map[string]report.Verdict{
		"ejections(reviews) >= 3":          report.Pass,
		"ejections(reviews) >= 4":          report.Inconclusive,
		"ejections(reviews) > 2":           report.Pass,
		"ejections(reviews) > 3":           report.Inconclusive,
		"ejections(reviews) == 0":          report.Fail,
		"ejections(reviews) == 3":          report.Inconclusive,
		"ejections(reviews) != 2":          report.Pass,
		"ejections(reviews) != 3":          report.Inconclusive,
		"ejections(reviews) < 3":           report.Fail,
		"ejections(reviews) < 4":           report.Inconclusive,
		"ejections(reviews) <= 2":          report.Fail,
		"ejections(reviews) <= 3":          report.Inconclusive,
		"2 < ejections(reviews)":           report.Pass,
		"4 < ejections(reviews) <= 9":      report.Inconclusive,
		"1 <= ejections(reviews) <= 2":     report.Fail,
		"1 <= ejections(reviews) <= 4":     report.Inconclusive,
		"!(ejections(reviews) == 0)":       report.Pass,
		"ejections(reviews) + 1 >= 3":      report.Inconclusive,
		"client.sent > ejections(reviews)": report.Inconclusive,
	} {
		row := mustCompile(t, line).Judge(w)[0]
		if row.Verdict != want {
			t.Errorf("%s is %s (%s); want %s", line, row.Verdict, row.Reason, want)
		}
		if want == report.Inconclusive && !strings.Contains(row.Reason, "ejections(reviews) is 3 at least, and how many more is not known: one may have ended unseen") {
			t.Errorf("%s: the reason is %q", line, row.Reason)
		}
		if want != report.Inconclusive && !strings.HasPrefix(row.Observed, "at least 3") {
			t.Errorf("%s: observed %q", line, row.Observed)
		}
	}
}
