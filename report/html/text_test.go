//go:build browser

package html

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowserShowsWhatAServiceSaysAsText: of what looks like a tag the browser makes
// none, and people see what was said.
func TestBrowserShowsWhatAServiceSaysAsText(t *testing.T) {
	folder, _ := pages(t)
	b := newTab(t)
	file := filepath.Join(folder, "hostile.html")
	do(t, b, chromedp.Navigate("file://"+file))
	shown := ask(t, b, chromedp.Evaluate[string](`document.body.innerText`))
	if !strings.Contains(shown, `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`) || strings.ContainsAny(shown, "\x1b\a\u202e") {
		t.Errorf("the page shows\n%.2000q", shown)
	}
	const tags = `document.querySelectorAll("script, img").length`
	if made := ask(t, b, chromedp.Evaluate[int](tags)); made != 0 {
		t.Errorf("the browser made %d tags of it", made)
	}
	if said, _ := b.heard(); len(said) > 0 {
		t.Errorf("the console says %q", said)
	}

	// Were it a tag, it would be noticed, and still not run.
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	open := strings.Replace(string(page), "&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>", 1)
	open = strings.Replace(open, "</main>", "<script>document.title = 'it ran'</script></main>", 1)
	if err := os.WriteFile(file, []byte(open), 0o600); err != nil {
		t.Fatal(err)
	}
	do(t, b, chromedp.Navigate("file://"+file))
	made, title := ask(t, b, chromedp.Evaluate[int](tags)), ask(t, b, chromedp.Evaluate[string](`document.title`))
	if said, _ := b.heard(); made == 0 || title == "it ran" || len(said) == 0 {
		t.Errorf("of a page with a script in it there are %d tags, the title is %q, and the console says %q", made, title, said)
	}
}
