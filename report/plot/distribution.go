package plot

import (
	"html/template"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Distribution shows which share of requests was answered within a time. The lines have
// X in seconds, and Y from 0 to 1.
type Distribution struct {
	Picture
	Lines []Line
}

// SVG draws it.
func (d Distribution) SVG() (template.HTML, error) {
	p := newPlot("share of requests")
	p.X.Label.Text = "answered within (response time)"
	least, most := 0.0, 0.0
	for _, line := range d.Lines {
		for _, stretch := range line.Stretches {
			for _, point := range stretch {
				if least == 0 || point.X < least {
					least = point.X
				}
				most = max(most, point.X)
			}
		}
	}
	p.X.Tick.Marker, p.X.Min, p.X.Max = magnitudes(least, most)
	p.X.Scale = plot.LogScale{}
	p.Y.Min, p.Y.Max = 0, 1
	p.Y.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0 %"}, {Value: 0.25}, {Value: 0.5, Label: "50 %"}, {Value: 0.75}, {Value: 0.9, Label: "90 %"}, {Value: 1, Label: "100 %"}}
	for _, line := range d.Lines {
		p.Add(line)
	}
	paper, all := sheet(2*panel + axis)
	stack(draw.Crop(all, vg.Points(2), vg.Points(-14), vg.Points(2), vg.Points(-8)), []*plot.Plot{p})
	return d.html(paper)
}
