package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/terminal"
	"github.com/meshchaos/meshchaos/test/records"
)

const (
	exampleOf = "delay-jason-istio" // of test/records
	example   = "../../docs/example"
	ofReports = "../../docs/reports.md"
	judged    = "$ meshchaos judge docs/example\n"
	anew      = "make golden"
)

// filesOf are those of a folder and of the folders in it, but for the page that leads to
// them, by their paths in it.
func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == "README.md" {
			return err
		}
		text, err := os.ReadFile(path)
		all[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestTheExampleIsWhatTheProgramMakes: the report that strangers are shown is made of the
// record of a real run, by the program as it is.
func TestTheExampleIsWhatTheProgramMakes(t *testing.T) {
	dir := t.TempDir()
	if _, err := writeReport(dir, records.Read(t, exampleOf), faces); err != nil {
		t.Fatal(err)
	}
	want := filesOf(t, dir)
	if *update {
		writeExample(t, want)
	}
	got := filesOf(t, example)
	size := 0
	for name, text := range want {
		size += len(text)
		if got[name] != text {
			t.Errorf("docs/example/%s is not what the program makes of the record; %s makes it anew, and git diff shows what has become different", name, anew)
		}
	}
	for name := range got {
		if want[name] == "" {
			t.Errorf("docs/example/%s is none of the files that the program makes of the record; delete it", name)
		}
	}
	if size > 600_000 {
		t.Errorf("docs/example has %d bytes, and whoever clones the repository has them all", size)
	}
	page, err := os.ReadFile(filepath.Join(example, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faces {
		if !strings.Contains(string(page), "`"+f.files+"`") {
			t.Errorf("docs/example/README.md does not say what %s is", f.files)
		}
	}
}

// writeExample puts files in the place of those of the example.
func writeExample(t *testing.T, all map[string]string) {
	t.Helper()
	for name := range filesOf(t, example) {
		if err := os.Remove(filepath.Join(example, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range all {
		path := filepath.Join(example, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTheExampleIsJudgedAsThePageShows: docs/reports.md shows what is printed of it.
func TestTheExampleIsJudgedAsThePageShows(t *testing.T) {
	record := records.Read(t, exampleOf)
	if err := judge(record); err != nil {
		t.Fatal(err)
	}
	if record.Verdict != report.Pass {
		t.Errorf("the example is judged %s", record.Verdict)
	}
	var want strings.Builder
	if err := terminal.Write(&want, record, terminal.Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(ofReports)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, there := strings.Cut(string(text), judged)
	shown, after, closed := strings.Cut(rest, "```\n")
	if !there || !closed {
		t.Fatalf("docs/reports.md has no transcript of %s", judged)
	}
	if *update {
		shown = want.String()
		if err := os.WriteFile(ofReports, []byte(before+judged+shown+"```\n"+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want.String(), shown); diff != "" {
		t.Errorf("docs/reports.md shows another output; %s makes it anew (-program +page):\n%s", anew, diff)
	}
}
