package verdicts

import (
	"fmt"
	"slices"
)

// onCluster are the rows that a real mesh is tried with: those whose evidence,
// or whose refusal, comes another way there.
var onCluster = []string{
	"2.1-entry-unused/must-not-pass-path-nobody-asks.yaml",
	"2.1-delay-and-abort/must-not-pass-abort-never-drawn.yaml",
	"2.1-delay-and-abort/must-pass-two-services.yaml",
	"2.1-weight-unsent/must-not-pass-one-in-a-million.yaml",
	"2.1-breaker-no-overflow/must-pass-overflows.yaml",
	"2.1-ejection-none/must-pass-ejected.yaml",
	"2.1-subset-policy/must-not-pass-route-to-another.yaml",
	"2.1-when-nobody/must-not-pass-header-not-passed-on.yaml",
	"2.2-errors-unspoken/must-pass-timeouts-counted.yaml",
	"2.9-version-without-pod/must-not-pass-only-version.yaml",
	"2.10-tcp-overflows/must-not-pass-refused-and-unspoken.yaml",
	"2.10-tcp-overflows/must-pass-connections-counted.yaml",
	"2.10-tcp-overflows/must-pass-connections-of-a-subset-counted.yaml",
	"2.10-warmup-counts/must-pass-logins.yaml",
}

// OnCluster returns the rows of the table in a folder that a real mesh is tried
// with.
func OnCluster(root string) ([]Row, error) {
	all, err := Rows(root)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, id := range onCluster {
		i := slices.IndexFunc(all, func(r Row) bool { return r.ID() == id })
		if i < 0 {
			return nil, fmt.Errorf("finding %s: the table has no such row", id)
		}
		rows = append(rows, all[i])
	}
	return rows, nil
}
