// Package records holds the records of runs, for the tests of what is made from records.
// It may import report.
//
// Each is what meshchaos run wrote, and nobody has changed it since: four of the
// library on the embedded mesh with seed 7, and on a cluster delay-jason as it is,
// delay-jason while somebody labelled its objects (inconclusive), and while somebody set
// the delay to another in an object of their own (not-restored). failing is delay-jason
// with a delay of two seconds, which the page waits for.
package records

import (
	"embed"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/report"
)

//go:embed *.json
var files embed.FS

// Names are those of the records, sorted.
func Names(t testing.TB) []string {
	t.Helper()
	entries, err := files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".json"))
	}
	return names
}

// Read reads a record, anew for each test.
func Read(t testing.TB, name string) *report.Record {
	t.Helper()
	file, err := files.Open(name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	record, err := report.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return record
}
