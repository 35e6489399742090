//go:build browser

package html

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/meshchaos/meshchaos/test/records"
)

var shoot = flag.Bool("pictures", false, "take the pictures of docs/reports.md anew")

// shots are the pictures of docs/reports.md: a part of the example's page.
var shots = []struct {
	file, scheme, from string
	height             int64
}{
	{"report-light.png", "light", "body", 900},
	{"report-dark.png", "dark", "#pictures", 900},
}

const (
	shotWidth = 1280
	shotBytes = 150_000
)

// TestBrowserTakesThePicturesOfTheDocs takes them, and holds that those in docs/pictures
// are of the same size and scheme. What they show may be older than the page is: with
// -pictures they are written anew.
func TestBrowserTakesThePicturesOfTheDocs(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(page, []byte(written(t, records.Read(t, "delay-jason-istio"))), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newTab(t)
	for _, shot := range shots {
		do(t, b, chromedp.EmulateViewport(shotWidth, shot.height), scheme(shot.scheme), chromedp.Navigate("file://"+page))
		ask(t, b, chromedp.Evaluate[int](`document.querySelector("`+shot.from+`").scrollIntoView(), document.documentElement.style.scrollbarWidth = "none", 0`))
		taken := ask(t, b, chromedp.CaptureScreenshot())
		file := filepath.Join("..", "..", "docs", "pictures", shot.file)
		if *shoot {
			if err := os.WriteFile(file, taken, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("%v; go test -tags browser ./report/html -run Pictures -pictures takes it", err)
		}
		for name, text := range map[string][]byte{"the picture that was taken": taken, file: kept} {
			if len(text) > shotBytes {
				t.Errorf("%s: %s has %d bytes", shot.file, name, len(text))
			}
			picture, err := png.Decode(bytes.NewReader(text))
			if err != nil {
				t.Fatalf("%s: %s: %v", shot.file, name, err)
			}
			if size := picture.Bounds().Size(); size != image.Pt(shotWidth, int(shot.height)) {
				t.Errorf("%s: %s is %v large", shot.file, name, size)
			}
			colours, dark := seen(picture)
			if colours < 20 {
				t.Errorf("%s: %s has %d colours: it shows nothing", shot.file, name, colours)
			}
			if dark != (shot.scheme == "dark") {
				t.Errorf("%s: %s is dark: %v", shot.file, name, dark)
			}
		}
	}
}

// seen is how many colours a picture has, and whether it is dark as a whole.
func seen(picture image.Image) (colours int, dark bool) {
	all := map[color.Color]bool{}
	var light, pixels int64
	for y := picture.Bounds().Min.Y; y < picture.Bounds().Max.Y; y++ {
		for x := picture.Bounds().Min.X; x < picture.Bounds().Max.X; x++ {
			all[picture.At(x, y)] = true
			light += int64(color.GrayModel.Convert(picture.At(x, y)).(color.Gray).Y)
			pixels++
		}
	}
	return len(all), light/pixels < 128
}
