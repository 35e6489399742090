//go:build browser

package samples

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// newBrowser starts Chromium with an empty profile of its own, kept from calling
// home, and a tab of this size.
func newBrowser(t *testing.T, width, height int64) context.Context {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)
	timed, stopTimer := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(stopTimer)
	allocator, stopAllocator := chromedp.NewExecAllocator(timed, options...)
	t.Cleanup(stopAllocator)
	browser, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	do(t, browser, chromedp.EmulateViewport(width, height))
	return browser
}

func do(t *testing.T, browser context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(browser, steps...); err != nil {
		t.Fatal(err)
	}
}

func ask[T any](t *testing.T, browser context.Context, question chromedp.Action[T]) T {
	t.Helper()
	answer, err := chromedp.Run(browser, question)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// screenshot saves what the browser shows to the file that the variable names,
// if it names one.
func screenshot(t *testing.T, browser context.Context, variable string) {
	file := os.Getenv(variable)
	if file == "" {
		return
	}
	if err := os.WriteFile(file, ask(t, browser, chromedp.CaptureScreenshot()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestBrowserSignsInAndSeesStars goes the way of a person: the page, its form,
// the page again with a name on it.
func TestBrowserSignsInAndSeesStars(t *testing.T) {
	for version, want := range map[string]struct{ colour, screenshot string }{
		"v2": {"rgb(18, 21, 29)", "MESHCHAOS_SCREENSHOT_BLACK"},
		"v3": {"rgb(220, 38, 38)", "MESHCHAOS_SCREENSHOT"},
	} {
		t.Run(version, func(t *testing.T) {
			town := newLoopback(t)
			town.bookinfo(version, nil)
			browser := newBrowser(t, 1280, 900)
			do(t, browser,
				chromedp.Navigate(town.address("productpage:9080")+"/productpage"),
				chromedp.SendKeys("#username", "jason"),
				chromedp.Click("#sign-in"),
			)
			user := ask(t, browser, chromedp.Text("#user"))
			stars := ask(t, browser, chromedp.Evaluate[int](`document.querySelectorAll(".glyphicon.glyphicon-star").length`))
			colour := ask(t, browser, chromedp.Evaluate[string](`getComputedStyle(document.querySelector(".glyphicon-star")).fill`))
			if user != "jason" || stars != 9 || colour != want.colour {
				t.Errorf("the page shows user %q and %d stars in %s, want jason and 9 in %s", user, stars, colour, want.colour)
			}
			screenshot(t, browser, want.screenshot)
		})
	}
}

// TestBrowserShowsLostReviews opens the page of the fault injection task.
func TestBrowserShowsLostReviews(t *testing.T) {
	town := newLoopback(t)
	town.bookinfo("v2", map[string]http.Handler{"ratings": slow(7*time.Second, town.own("ratings", "v1"))})
	browser := newBrowser(t, 1280, 900)
	began := time.Now()
	do(t, browser, chromedp.Navigate(town.address("productpage:9080")+"/productpage"))
	lost := ask(t, browser, chromedp.Text("#reviews h2"))
	if took := time.Since(began); lost != "Error fetching product reviews" || took < 6*time.Second {
		t.Errorf("the page shows %q after %s, want its reviews lost after 6s", lost, took)
	}
	screenshot(t, browser, "MESHCHAOS_SCREENSHOT_LOST")
}

// TestBrowserNeedsNoSidewaysScrollingOnAPhone: the page fits a narrow screen.
func TestBrowserNeedsNoSidewaysScrollingOnAPhone(t *testing.T) {
	const width = 360
	town := newLoopback(t)
	town.bookinfo("v3", nil)
	browser := newBrowser(t, width, 780)
	for _, path := range []string{"/", "/productpage"} {
		do(t, browser, chromedp.Navigate(town.address("productpage:9080")+path))
		if wide := ask(t, browser, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); wide > width {
			t.Errorf("%s is %d wide on a screen of %d", path, wide, width)
		}
		screenshot(t, browser, "MESHCHAOS_SCREENSHOT_PHONE")
	}
}

// address is where a browser finds the service.
func (town *town) address(service string) string {
	return fmt.Sprintf("http://%s", town.listeners[service].Addr())
}
