package html

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/meshchaos/meshchaos/report/summary"
	"github.com/meshchaos/meshchaos/test/records"
)

// TestPagesToLookAt writes the pages into the folder that the variable names.
func TestPagesToLookAt(t *testing.T) {
	folder := os.Getenv("MESHCHAOS_PAGES")
	if folder == "" {
		t.Skip("MESHCHAOS_PAGES names no folder")
	}
	var runs []summary.Ended
	for _, name := range records.Names(t) {
		r := records.Read(t, name)
		if err := os.MkdirAll(filepath.Join(folder, name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name, "report.html"), []byte(written(t, r)), 0o600); err != nil {
			t.Fatal(err)
		}
		runs = append(runs, summary.Ended{Name: name, Record: r, Folder: name})
	}
	file, err := os.Create(filepath.Join(folder, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Index(file, runs); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}
