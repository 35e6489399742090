package page

import (
	"os"
	"path/filepath"
	"testing"
)

func TestASectionTakesThePlaceOfItsOwn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(file, []byte("# A page\n\nwords\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(variable, file)
	for _, section := range [][2]string{{"One", "first"}, {"Two", "second\n"}, {"One", "\nfirst, again\n\n"}, {"Two", "second, again"}} {
		if err := Write(section[0], section[1]); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := "# A page\n\nwords\n\n## One\n\nfirst, again\n\n## Two\n\nsecond, again\n"; string(got) != want {
		t.Errorf("the page is\n%s", got)
	}
}

func TestAPageThatIsNotThereIsAnError(t *testing.T) {
	t.Setenv(variable, filepath.Join(t.TempDir(), "none.md"))
	if err := Write("One", "text"); err == nil {
		t.Error("nothing was said of it")
	}
	t.Setenv(variable, "")
	if err := Write("One", "text"); err != nil {
		t.Errorf("where no page is asked for: %v", err)
	}
}
