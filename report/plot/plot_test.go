package plot

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// timeline has a window of each kind, the first a hundredth of the second, and what
// nobody may have in a page as it is.
func timeline() Timeline {
	return Timeline{
		Picture: Picture{ID: "time", Title: `<script>alert("title")</script>`, Tells: "a & b"},
		Windows: []Window{{"<b>", Before, 0.1, 0.2}, {"rule live", Live, 0.4, 10.4}, {"rule undone", Undone, 12, 12.1}},
		Marks:   []Mark{{"live", 0.35}, {"undone", 11.9}},
		Panels: []Panel{
			{Label: "requests / s", Lines: []Line{{Colour: 1, Stretches: [][]Point{{{0.1, 20}, {0.2, 20}}, {{0.4, 3}, {10.4, 3}}}}}},
			{Label: "latency", Seconds: true, Lines: []Line{{Colour: 2, Dashed: true, Stretches: [][]Point{{{0.15, 0.004}}, {{5, 6.01}, {7, 5}}}}}},
		},
	}
}

func distribution() Distribution {
	return Distribution{Picture: Picture{ID: "spread", Title: "Latency", Tells: "steps"}, Lines: []Line{{Colour: 1, Stretches: [][]Point{{{0.002, 0}, {0.002, 0.5}, {6, 0.5}, {6, 1}}}}}}
}

func TestThePicturesAreAsDrawn(t *testing.T) {
	for name, draw := range map[string]func() (string, error){
		"timeline":     func() (string, error) { svg, err := timeline().SVG(); return string(svg), err },
		"distribution": func() (string, error) { svg, err := distribution().SVG(); return string(svg), err },
	} {
		got, err := draw()
		if err != nil {
			t.Fatal(err)
		}
		golden := "testdata/" + name + ".svg"
		got = strings.ReplaceAll(got, "><", ">\n<") + "\n"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", name, diff)
		}
	}
}

// TestAPictureHasNothingButDrawing reads one as XML: what is a text stays a text, and
// nothing has a font, a colour, a script or a source.
func TestAPictureHasNothingButDrawing(t *testing.T) {
	svg, err := timeline().SVG()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{"svg": "class id role aria-labelledby viewBox", "title": "id", "desc": "id", "g": "transform", "path": "d class fill stroke-width stroke-dasharray", "text": "x y transform class font-size"}
	var texts []string
	for decoder := xml.NewDecoder(strings.NewReader(string(svg))); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.CharData:
			texts = append(texts, string(token))
		case xml.StartElement:
			attributes, is := known[token.Name.Local]
			if !is {
				t.Errorf("there is a <%s>", token.Name.Local)
			}
			for _, a := range token.Attr {
				if !strings.Contains(" "+attributes+" ", " "+a.Name.Local+" ") {
					t.Errorf("<%s> has %s=%q", token.Name.Local, a.Name.Local, a.Value)
				}
			}
		}
	}
	for _, want := range []string{`<script>alert("title")</script>`, "a & b", "1 <b>", "2 rule live", "3", "requests / s", "latency", "seconds since the run began", "12.1"} {
		if !strings.Contains("\n"+strings.Join(texts, "\n")+"\n", "\n"+want+"\n") {
			t.Errorf("no text is %q: %q", want, texts)
		}
	}
}

func TestEachWindowHasRoom(t *testing.T) {
	s := newScale(timeline().Windows)
	if got := s.to[0] - s.from[0]; got < leastWide {
		t.Errorf("the baseline has %g of the width", got)
	}
	if got := s.to[2]; math.Abs(got-1) > 1e-9 {
		t.Errorf("the last window ends at %g", got)
	}
	last := -1.0
	for _, moment := range []float64{0, 0.1, 0.15, 0.2, 0.3, 0.4, 5, 10.4, 11, 12, 12.05, 99} {
		at := s.at(moment)
		if at < last || at > 1 {
			t.Errorf("%g is drawn at %g, and what was before it at %g", moment, at, last)
		}
		last = at
	}
	if at := newScale(nil).at(1); at != 0 {
		t.Errorf("without a window there is %g", at)
	}
	many := newScale(make([]Window, 40))
	if last := many.to[39]; last > 1+1e-9 || many.to[0] < many.from[0] {
		t.Errorf("40 windows: the first is %g to %g, the last ends at %g", many.from[0], many.to[0], last)
	}
}

func TestTicksAreRoundNumbers(t *testing.T) {
	for most, want := range map[float64]string{0: "0 0.5 1", 7: "0 2 4 6 8", 20: "0 5 10 15 20", 931: "0 500 1000", 0.3: "0 0.1 0.2 0.3"} {
		ticks, top := even(most)
		var labels []string
		for _, tick := range ticks {
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); got != want || top < most {
			t.Errorf("up to %g: %s, the top is %g; want %s", most, got, top, want)
		}
	}
	for _, one := range []struct {
		least, most float64
		want        string
	}{
		{0.0019, 6.01, "1 ms 10 ms 100 ms 1 s 10 s"},
		{0.004, 0.009, "2 ms 5 ms 10 ms"},
		{1, 1, "500 ms 1 s 2 s"},
		{0, 3600, "1 µs 100 µs 10 ms 1 s 100 s"},
	} {
		ticks, low, high := magnitudes(one.least, one.most)
		var labels []string
		for _, tick := range ticks {
			if tick.Label != "" {
				labels = append(labels, tick.Label)
			}
		}
		if got := strings.Join(labels, " "); got != one.want || one.least > 0 && low > one.least || high < one.most {
			t.Errorf("%g to %g: %s from %g to %g; want %s", one.least, one.most, got, low, high, one.want)
		}
	}
}

func TestNoMorePointsAreDrawnThanAreSeen(t *testing.T) {
	var many []Point
	for i := range 100_000 {
		many = append(many, Point{float64(i) / 100_000, float64(i % 7)})
	}
	kept := thin(many)
	if len(kept) > 2*width+2 {
		t.Errorf("of %d points %d are left", len(many), len(kept))
	}
	low, high, last := false, false, -1.0
	for _, point := range kept {
		if point.X < last {
			t.Fatalf("%g stands behind %g", point.X, last)
		}
		low, high, last = low || point.Y == 0, high || point.Y == 6, point.X
	}
	if !low || !high {
		t.Error("a peak is lost")
	}
	few := []Point{{0, 1}, {0.5, 2}, {1, 3}}
	if got := thin(few); !slices.Equal(got, few) {
		t.Errorf("of three points %v are left", got)
	}
}

// TestALineIsDrawnByItsAxes reads a picture back: by the bands of the windows and the
// lines of the grid each corner of a line is where it is to be, and each mark.
func TestALineIsDrawnByItsAxes(t *testing.T) {
	drawn := timeline()
	drawn.Marks = []Mark{{"live", 0.4}, {"undone", 11.2}}
	svg, err := drawn.SVG()
	if err != nil {
		t.Fatal(err)
	}
	var bands, rates [][]Point
	var grid, lines []float64
	for _, path := range regexp.MustCompile(`<path d="([^"]*)"[^>]* class="([a-z]\d+)"`).FindAllStringSubmatch(string(svg), -1) {
		var corners []Point
		for _, pair := range regexp.MustCompile(`([\d.]+),([\d.]+)`).FindAllStringSubmatch(path[1], -1) {
			corners = append(corners, Point{value(t, pair[1]), value(t, pair[2])})
		}
		switch path[2] {
		case "f4", "f5", "f6":
			bands = append(bands, corners)
		case "s3":
			grid = append(grid, corners[0].Y)
		case "s17":
			rates = append(rates, corners)
		case "s1":
			lines = append(lines, corners[0].X)
		}
	}
	if len(bands) != 6 || len(rates) != 2 || len(lines) != 2 || len(grid) < 5 {
		t.Fatalf("there are %d bands, %d stretches, %d marks, and %d lines of the grid", len(bands), len(rates), len(lines), len(grid))
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 0.2 {
			t.Errorf("%s is drawn at %g, and not at %g", what, got, want)
		}
	}
	near("the beginning of the baseline", rates[0][0].X, bands[0][0].X)
	near("the end of the baseline", rates[0][1].X, bands[0][1].X)
	near("20 a second", rates[0][0].Y, grid[4]) // of 0, 5, 10, 15, 20
	near("3 a second", rates[1][0].Y, grid[0]+3*(grid[4]-grid[0])/20)
	near("the end of the load", rates[1][1].X, bands[1][1].X)
	near("live", lines[0], bands[1][0].X)
	near("undone", lines[1], bands[1][1].X+(bands[2][0].X-bands[1][1].X)/2)

	drawn.Panels[0].Lines[0].Stretches[0][1].X = 1.3 // a second of which a tenth is in the window
	long, err := drawn.SVG()
	if err != nil {
		t.Fatal(err)
	}
	if long != svg {
		t.Error("a stretch leaves the window in which it begins")
	}
}

func value(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
