package summary

import (
	"fmt"
	"testing"
)

// A line tells the commonest ways to end, in their order, and counts the requests of the rest.
func TestALineTellsTheCommonestWaysToEnd(t *testing.T) {
	var all []Count
	for i := range 10 {
		all = append(all, Count{Name: fmt.Sprint(500 + i), Count: 2})
	}
	const ten = "500: 2, 501: 2, 502: 2, 503: 2, 504: 2, 505: 2, 506: 2, 507: 2, 508: 2, 509: 2"
	if got := counts(all); got != ten {
		t.Errorf("of ten: %s", got)
	}
	all = append([]Count{{Name: "200", Count: 1}, {Name: "201", Count: 3}}, all...)
	if got, want := counts(all), "201: 3, 500: 2, 501: 2, 502: 2, 503: 2, 504: 2, 505: 2, 506: 2, 507: 2, 508: 2, 2 others: 3"; got != want {
		t.Errorf("of twelve: %s\nwant %s", got, want)
	}
}
