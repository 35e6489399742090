// Package plot draws pictures of runs as SVG that stands inside a page: without a
// font, a script or a colour of its own. The colours are classes, which Style gives a
// light and a dark scheme; texts are texts. It imports nothing of this module.
package plot

import (
	_ "embed"
	"fmt"
	"html/template"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Style is what a page that shows pictures has in its style sheet.
//
//go:embed plot.css
var Style string

// Most is how many lines of one picture have a colour of their own.
const Most = 6

// Point is where a line goes through.
type Point struct{ X, Y float64 }

// Line is a series of points in stretches: between two stretches nothing is known, and
// nothing drawn. A stretch of one point is drawn as a mark.
type Line struct {
	Colour    int // 0: of what is compared with; 1 to Most
	Dashed    bool
	Stretches [][]Point
}

// Picture is what the two kinds of picture have in common.
type Picture struct {
	ID    string // of the element; unique in its page
	Title string // for those who do not see it, as is Tells
	Tells string // what there is to see, in a sentence
}

// The size of a picture, in its own units. A page scales it to the room that there is:
// at a phone's width letters of fontSize are still read, in a column not huge.
const (
	width    = 460
	fontSize = 11.5
	ruler    = 18 // the height for the names of the windows
	wording  = 13 // and for the words of the marks
	margin   = 16 // at the right, for half of the last label of the axis
	panel    = 124
	axis     = 34 // the height for the axis at the bottom and its label
)

// Inks stand for the classes of plot.css until the picture is written: the library
// knows colours only.
const (
	inkText = iota + 1
	inkAxis
	inkGrid
	inkBand // and those behind it: a class for each Kind
	inkLine = 16
)

// marker is the red of every ink; its blue says which.
const marker = 1

func ink(of int) color.Color { return color.RGBA{R: marker, B: uint8(of), A: 255} }

func letters(size float64) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)}
}

// newPlot is an empty plot in the house's style: no frame, lines along the y ticks.
func newPlot(label string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.Title.Padding = 0
	p.X.Padding, p.Y.Padding = 0, vg.Points(4)
	p.Y.Label.Text = label
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Color, a.Tick.Color = ink(inkAxis), ink(inkAxis)
		a.Label.TextStyle.Color, a.Tick.Label.Color = ink(inkText), ink(inkText)
		a.Label.TextStyle.Font, a.Tick.Label.Font = letters(fontSize), letters(fontSize)
		a.Width, a.Tick.Width = vg.Points(0.75), vg.Points(0.75)
		a.Tick.Length = vg.Points(3)
	}
	p.Y.Width, p.Y.Tick.Width = 0, 0
	p.Add(grid{})
	return p
}

// grid draws a line at each labelled tick of y.
type grid struct{}

// Plot implements the library's Plotter.
func (grid) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	for _, tick := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if !tick.IsMinor() && tick.Value >= p.Y.Min && tick.Value <= p.Y.Max {
			c.StrokeLine2(draw.LineStyle{Color: ink(inkGrid), Width: vg.Points(0.75)}, c.Min.X, y(tick.Value), c.Max.X, y(tick.Value))
		}
	}
}

// Plot implements the library's Plotter.
func (l Line) Plot(c draw.Canvas, p *plot.Plot) {
	style := draw.LineStyle{Color: ink(inkLine + l.Colour), Width: vg.Points(1.6)}
	if l.Dashed {
		style.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
	}
	x, y := p.Transforms(&c)
	for _, stretch := range l.Stretches {
		var path []vg.Point
		for _, point := range stretch {
			path = append(path, vg.Point{X: x(point.X), Y: y(point.Y)})
		}
		if len(path) > 1 {
			c.StrokeLines(style, path)
			continue
		}
		for _, at := range path {
			shape := draw.GlyphDrawer(draw.CircleGlyph{})
			if l.Dashed {
				shape = draw.PyramidGlyph{}
			}
			c.DrawGlyph(draw.GlyphStyle{Color: style.Color, Radius: vg.Points(3), Shape: shape}, at)
		}
	}
}

// sheet is what is drawn on.
func sheet(height float64) (*vgsvg.Canvas, draw.Canvas) {
	paper := vgsvg.New(vg.Points(width), vg.Points(height))
	return paper, draw.New(paper)
}

// stack draws plots below each other, with their y axes above each other.
func stack(on draw.Canvas, plots []*plot.Plot) []draw.Canvas {
	rows := make([][]*plot.Plot, len(plots))
	for i, p := range plots {
		rows[i] = []*plot.Plot{p}
	}
	var areas []draw.Canvas
	for i, row := range plot.Align(rows, draw.Tiles{Rows: len(rows), Cols: 1, PadY: vg.Points(8)}, on) {
		plots[i].Draw(row[0])
		areas = append(areas, plots[i].DataCanvas(row[0]))
	}
	return areas
}

// html is the picture as it stands in a page.
func (p Picture) html(paper *vgsvg.Canvas) (template.HTML, error) {
	text, err := p.rewrite(paper)
	if err != nil {
		return "", fmt.Errorf("drawing %s: %w", p.ID, err)
	}
	return template.HTML(text), nil
}

// Swatch is what stands in a legend for a line.
func Swatch(line Line) template.HTML {
	dashes := ""
	if line.Dashed {
		dashes = ` stroke-dasharray="4 3"`
	}
	return template.HTML(fmt.Sprintf(`<svg class="plot key" viewBox="0 0 24 10" aria-hidden="true"><path d="M0 5H24" fill="none" stroke-width="2.5"%s class="s%d"></path></svg>`, dashes, inkLine+line.Colour))
}

// Shade is what stands in a legend for a kind of window.
func Shade(kind Kind) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="plot key" viewBox="0 0 24 10" aria-hidden="true"><path d="M0 0H24V10H0Z" class="f%d"></path></svg>`, inkBand+int(kind)))
}
