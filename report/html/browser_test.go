//go:build browser

package html

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	paper "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/test/records"
)

// axe is the npm package of axe's rules, which nothing of this project contains.
const axe = "axe-core@4.14.1"

// tab is a page in Chromium, and what that said of it.
type tab struct {
	context.Context
	sync.Mutex
	said []string // on the console and in its log
	sent []string // requests
}

func newTab(t *testing.T) *tab {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)
	timed, stopTimer := context.WithTimeout(context.Background(), 8*time.Minute)
	t.Cleanup(stopTimer)
	allocator, stopAllocator := chromedp.NewExecAllocator(timed, options...)
	t.Cleanup(stopAllocator)
	browser, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	one := &tab{Context: browser}
	if err := chromedp.Listen(browser, one.hear); err != nil {
		t.Fatal(err)
	}
	return one
}

func (b *tab) hear(event any) {
	b.Lock()
	defer b.Unlock()
	switch event := event.(type) {
	case *network.EventRequestWillBeSent:
		b.sent = append(b.sent, event.Request.URL)
	case *runtime.EventConsoleAPICalled:
		b.said = append(b.said, string(event.Type))
	case *runtime.EventExceptionThrown:
		b.said = append(b.said, event.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		b.said = append(b.said, event.Entry.Text)
	}
}

// heard is what was said and sent since it was last asked.
func (b *tab) heard() (said, sent []string) {
	b.Lock()
	defer b.Unlock()
	said, sent, b.said, b.sent = b.said, b.sent, nil, nil
	return said, sent
}

func do(t *testing.T, b *tab, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		t.Fatal(err)
	}
}

func ask[T any](t *testing.T, b *tab, question chromedp.Action[T]) T {
	t.Helper()
	answer, err := chromedp.Run(b, question)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// scheme has the page light or dark.
func scheme(which string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: which}}})
		return err
	})
}

// pages writes the page of each record, and the index, into a folder.
func pages(t *testing.T) (folder string, names []string) {
	folder = t.TempDir()
	for _, name := range records.Names(t) {
		r := records.Read(t, name)
		if err := os.WriteFile(filepath.Join(folder, name+".html"), []byte(written(t, r)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var index strings.Builder
	if err := Index(&index, ended(t, func(name string) string { return name })); err != nil {
		t.Fatal(err)
	}
	later := records.Read(t, "delay-jason-istio")
	c := compare.Compare(compare.Pair{Before: compare.Run{File: "monday/report.json", Record: records.Read(t, "delay-jason")}, Now: compare.Run{Record: later}})
	later.ComparedWith = &report.Earlier{File: "monday/report.json", Comparison: c}
	var both, worst strings.Builder
	if err := compare.HTML(&both, c); err != nil {
		t.Fatal(err)
	}
	bad := poisoned(t, "failing", evil+strings.Repeat("a", 400))
	if err := compare.HTML(&worst, compare.Compare(compare.Pair{Before: compare.Run{Record: records.Read(t, "failing")}, Now: compare.Run{Record: bad}})); err != nil {
		t.Fatal(err)
	}
	others := map[string]string{"index": index.String(), "hostile": written(t, poisoned(t, "failing", evil)), "compared-with": written(t, later), "compare": both.String(), "compare-hostile": worst.String()}
	for name, text := range others {
		if err := os.WriteFile(filepath.Join(folder, name+".html"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder, append(records.Names(t), slices.Sorted(maps.Keys(others))...)
}

// views are the sizes and schemes in which a page is looked at.
var views = []struct {
	name   string
	width  int64
	scheme string
}{{"light", 1280, "light"}, {"dark", 1280, "dark"}, {"phone", 375, "light"}, {"phone-dark", 375, "dark"}}

// TestBrowserShowsEachPageByItself opens each page wide and narrow, light and dark: it
// asks nobody for anything, has nothing to say on the console, and needs no sideways
// scrolling.
func TestBrowserShowsEachPageByItself(t *testing.T) {
	folder, names := pages(t)
	b := newTab(t)
	for _, name := range names {
		address := "file://" + filepath.Join(folder, name+".html")
		for _, view := range views {
			do(t, b, chromedp.EmulateViewport(view.width, 900), scheme(view.scheme), chromedp.Navigate(address))
			ask(t, b, chromedp.Evaluate[int](`document.querySelectorAll("details").forEach(d => d.open = true), 0`))
			if wide := ask(t, b, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); wide > view.width {
				t.Errorf("%s is %d wide on a %s screen of %d: %s", name, wide, view.name, view.width, ask(t, b, chromedp.Evaluate[string](widest)))
			}
			if dark := ask(t, b, chromedp.Evaluate[bool](`getComputedStyle(document.body).backgroundColor.match(/\d+/)[0] < 128`)); dark != (view.scheme == "dark") {
				t.Errorf("%s, %s: it is dark: %v", name, view.name, dark)
			}
			said, sent := b.heard()
			if len(said) > 0 {
				t.Errorf("%s, %s: the console says %q", name, view.name, said)
			}
			if len(sent) != 1 || sent[0] != address {
				t.Errorf("%s, %s: it asks for %q", name, view.name, sent)
			}
			keep(t, b, name+"-"+view.name+".png", chromedp.FullScreenshot(100))
		}
		do(t, b, chromedp.Navigate(address))
		keep(t, b, name+".pdf", print)
		b.heard()
	}
}

// TestBrowserPrintsWhatIsFolded: nobody can unfold a thing on paper.
func TestBrowserPrintsWhatIsFolded(t *testing.T) {
	folder, _ := pages(t)
	b := newTab(t)
	const count = `[...document.querySelectorAll("details:not([open]) > :not(summary)")].filter(e => e.checkVisibility()).length`
	for _, name := range records.Names(t) {
		do(t, b, medium("screen"), chromedp.Navigate("file://"+filepath.Join(folder, name+".html")))
		if shown := ask(t, b, chromedp.Evaluate[int](count)); shown > 0 {
			t.Errorf("%s shows %d folded things on a screen", name, shown)
		}
		do(t, b, medium("print"))
		all := ask(t, b, chromedp.Evaluate[int](`document.querySelectorAll("details:not([open]) > :not(summary)").length`))
		if shown := ask(t, b, chromedp.Evaluate[int](count)); shown < all || all == 0 {
			t.Errorf("%s prints %d of %d folded things", name, shown, all)
		}
	}
}

// TestBrowserPrintsNoHeadingAlone: a page of paper does not end in the heading of what is
// on the next.
func TestBrowserPrintsNoHeadingAlone(t *testing.T) {
	folder, _ := pages(t)
	b := newTab(t)
	const parted = `[...document.querySelectorAll("h2, h3, tr.step")].filter(e => getComputedStyle(e).breakAfter != "avoid").map(e => e.textContent).join("; ")`
	for _, name := range []string{"canary-reviews", "breaker-httpbin"} { // of steps
		do(t, b, medium("print"), chromedp.Navigate("file://"+filepath.Join(folder, name+".html")))
		if steps := ask(t, b, chromedp.Evaluate[int](`document.querySelectorAll("tr.step").length`)); steps == 0 {
			t.Errorf("%s has no heading of a step", name)
		}
		if alone := ask(t, b, chromedp.Evaluate[string](parted)); alone != "" {
			t.Errorf("%s may end a page with %s", name, alone)
		}
	}
}

// medium has the page on a screen or in print.
func medium(which string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: which})
		return err
	})
}

// widest names what reaches furthest to the right.
const widest = `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + "." + e.getAttribute("class") + " " + e.textContent.slice(0, 40)).slice(0, 5).join("; ")`

// keep saves what a browser makes of a page into the folder that MESHCHAOS_SCREENSHOTS
// names, if it names one.
func keep(t *testing.T, b *tab, name string, make chromedp.Action[[]byte]) {
	t.Helper()
	folder := os.Getenv("MESHCHAOS_SCREENSHOTS")
	if folder == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(folder, name), ask(t, b, make), 0o644); err != nil {
		t.Fatal(err)
	}
}

func print(ctx context.Context, t *chromedp.Target) ([]byte, error) {
	printed, err := cdp.Call(ctx, t, paper.PrintToPDF, paper.PrintToPDFParams{PaperWidth: 8.27, PaperHeight: 11.69})
	return printed.Data, err
}

// TestBrowserShowsTheRecordsNumbers reads the numbers from the page as it is shown.
func TestBrowserShowsTheRecordsNumbers(t *testing.T) {
	folder, _ := pages(t)
	b := newTab(t)
	for _, name := range records.Names(t) {
		do(t, b, chromedp.Navigate("file://"+filepath.Join(folder, name+".html")))
		found := ask(t, b, chromedp.Evaluate[[]shown](`[...document.querySelectorAll("data[data-at]")].map(e => ({At: e.dataset.at, Is: e.dataset.is || "", Value: e.value, Words: e.textContent}))`))
		n := newNumbers(t, records.Read(t, name))
		n.hold(t, name, read{found: found})
		if len(found) < 100 {
			t.Errorf("%s shows %d numbers", name, len(found))
		}
	}
}

// TestBrowserFindsTheRulesOfAxeKept has axe look at each page, wide and narrow, light
// and dark.
func TestBrowserFindsTheRulesOfAxeKept(t *testing.T) {
	rules := axeRules(t)
	folder, names := pages(t)
	b := newTab(t)
	for _, name := range names {
		for _, view := range views {
			do(t, b, chromedp.EmulateViewport(view.width, 900), scheme(view.scheme), chromedp.Navigate("file://"+filepath.Join(folder, name+".html")))
			ask(t, b, chromedp.Evaluate[int](`document.querySelectorAll("details").forEach(d => d.open = true), 0`))
			ask(t, b, chromedp.Evaluate[string](rules+`; "read"`))
			for _, finding := range findings(t, b) {
				t.Errorf("%s, %s: %s", name, view.name, finding)
			}
		}
	}
	ask(t, b, chromedp.Evaluate[int](`document.querySelector("main").style.color = "#444", document.querySelector("h1").remove(), 0`))
	if found := strings.Join(findings(t, b), "\n"); !strings.Contains(found, "color-contrast") || !strings.Contains(found, "page-has-heading-one") {
		t.Errorf("of a page that breaks rules axe finds:\n%s", found)
	}
}

// findings are what axe has to say of the page that is shown.
func findings(t *testing.T, b *tab) []string {
	t.Helper()
	return ask(t, b, chromedp.Evaluate[[]string](`axe.run().then(r => r.violations.flatMap(v => v.nodes.slice(0, 3).map(n => v.id + ": " + n.failureSummary + ": " + n.html)))`, chromedp.EvalAwaitPromise))
}

// axeRules is axe's script: of the file that MESHCHAOS_AXE names, or from npm, kept for
// the next time.
func axeRules(t *testing.T) string {
	t.Helper()
	file := os.Getenv("MESHCHAOS_AXE")
	if file == "" {
		if _, err := exec.LookPath("npm"); err != nil {
			t.Skip("there is no npm that has axe's rules, and MESHCHAOS_AXE names no axe.min.js")
		}
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Join(cache, "meshchaos", strings.ReplaceAll(axe, "@", "-"))
		if file = filepath.Join(folder, "package", "axe.min.js"); !exists(file) {
			if err := fetch(folder); err != nil {
				t.Fatalf("fetching %s: %v", axe, err)
			}
		}
	}
	rules, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(rules)
}

func exists(file string) bool { _, err := os.Stat(file); return err == nil }

// fetch unpacks the package into a folder.
func fetch(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, words := range [][]string{{"npm", "pack", "--silent", axe}, {"tar", "-xzf", strings.ReplaceAll(axe, "@", "-") + ".tgz"}} {
		command := exec.Command(words[0], words[1:]...)
		command.Dir = folder
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", command, err, out)
		}
	}
	return nil
}
