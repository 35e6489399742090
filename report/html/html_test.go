package html

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/test/records"
)

var update = flag.Bool("update", false, "write the golden files")

func written(t testing.TB, r *report.Record) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// golden holds a text against its file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := "testdata/" + name + ".html"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", file, diff)
	}
}

func TestThePagesAreAsShown(t *testing.T) {
	for _, name := range records.Names(t) {
		page := written(t, records.Read(t, name))
		if len(page) > 200_000 {
			t.Errorf("%s has %d bytes", name, len(page))
		}
		golden(t, name, normal(page))
	}
}

// normal is a page as it is held against a golden file: a line an element, without the
// style sheet and the strokes of the pictures, which have a test of their own.
func normal(page string) string {
	page = styles.ReplaceAllString(page, "<style></style>")
	page = strokes.ReplaceAllString(page, ` d=""`)
	page = regexp.MustCompile(`(?:<path d=""[^>]*></path>)+`).ReplaceAllString(page, "<path></path>")
	return regexp.MustCompile(`>\s*<(tr|section|text|svg|/svg|div|dl)`).ReplaceAllString(page, ">\n<$1")
}

var (
	styles  = regexp.MustCompile(`(?s)<style>.*</style>`)
	strokes = regexp.MustCompile(` d="[^"]*"`)
)
