package plot

import (
	"html/template"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Kind is what was in force in a window.
type Kind int

// The kinds of window.
const (
	Before Kind = iota // the rule under test not yet
	Live
	Undone // not any more
	kinds
)

// Window is a stretch of time that is shown.
type Window struct {
	Name     string
	Kind     Kind
	From, To float64 // in seconds
}

// Mark is a moment of which a line tells, such as when a rule went live.
type Mark struct {
	Name string  // a word: there is little room
	At   float64 // in seconds
}

// Panel is one of the plots that share a time axis.
type Panel struct {
	Label   string // of its y axis, with the unit
	Seconds bool   // y are seconds, on a logarithmic axis; else it is an even axis from 0
	Lines   []Line // X in seconds
}

// Timeline shows lines over time, in the windows of a run. Time between windows is left
// out, and a short window is drawn wider than its share: what was before the rule and
// after it is often a hundredth of what was under it, and is to be seen.
type Timeline struct {
	Picture
	Windows []Window // in the order of time
	Marks   []Mark   // likewise
	Panels  []Panel
}

// SVG draws it.
func (t Timeline) SVG() (template.HTML, error) {
	scale := newScale(t.Windows)
	var plots []*plot.Plot
	for i, one := range t.Panels {
		p := newPlot(one.Label)
		p.X.Min, p.X.Max = 0, 1
		if i == len(t.Panels)-1 {
			p.X.Tick.Marker, p.X.Label.Text = scale.ticks(), "seconds since the run began"
		} else {
			p.HideX()
		}
		p.Add(bands{scale})
		p.Y.Tick.Marker, p.Y.Min, p.Y.Max = one.range_()
		if one.Seconds {
			p.Y.Scale = plot.LogScale{}
		}
		for _, line := range one.Lines {
			p.Add(scale.line(line))
		}
		plots = append(plots, p)
	}
	head := float64(ruler)
	if len(t.Marks) > 0 {
		head += wording
	}
	paper, all := sheet(head + panel*float64(len(plots)) + axis)
	areas := stack(draw.Crop(all, vg.Points(2), vg.Points(-margin), vg.Points(2), vg.Points(-head)), plots)
	scale.names(all, areas[0])
	scale.marks(t.Marks, areas)
	return t.html(paper)
}

// range_ is what a panel's y axis has to show.
func (p Panel) range_() (ticks plot.ConstantTicks, low, high float64) {
	low, high = math.Inf(1), 0
	for _, line := range p.Lines {
		for _, stretch := range line.Stretches {
			for _, point := range stretch {
				low, high = min(low, point.Y), max(high, point.Y)
			}
		}
	}
	if !p.Seconds {
		ticks, high = even(high)
		return ticks, 0, high
	}
	if high == 0 {
		low, high = 1e-3, 1
	}
	return magnitudes(low, high)
}

// scale places windows beside each other, from 0 to 1.
type scale struct {
	windows  []Window
	from, to []float64
}

const (
	apart     = 0.02 // between two windows
	leastWide = 0.12 // of a window, as long as there is room for so many
)

func newScale(windows []Window) *scale {
	s := &scale{windows: windows}
	total := 0.0
	for _, w := range windows {
		total += max(w.To-w.From, 0)
	}
	room := 1 - apart*float64(len(windows)-1)
	least := min(leastWide, room/float64(max(len(windows), 1)))
	spare, at := room-least*float64(len(windows)), 0.0
	for _, w := range windows {
		wide := least
		if total > 0 {
			wide += spare * max(w.To-w.From, 0) / total
		}
		s.from, s.to = append(s.from, at), append(s.to, at+wide)
		at += wide + apart
	}
	return s
}

// at is where a moment is drawn: in its window, or in what little room there is between
// two of them.
func (s *scale) at(moment float64) float64 {
	place := 0.0
	for i, w := range s.windows {
		if moment < w.From {
			if i > 0 && moment > s.windows[i-1].To {
				place = between(moment, s.windows[i-1].To, w.From, s.to[i-1], s.from[i])
			}
			break
		}
		place = between(moment, w.From, w.To, s.from[i], s.to[i])
	}
	return place
}

// within is where a point of a stretch is drawn. A stretch is of the window in which it
// begins: what of it is later, as the second of a rate whose only request was answered in
// a hundredth of one, would be taken for the next window's.
func (s *scale) within(first, moment float64) float64 {
	for i, w := range s.windows {
		if first <= w.To || i == len(s.windows)-1 {
			return between(moment, w.From, w.To, s.from[i], s.to[i])
		}
	}
	return 0
}

// between is where a moment stands between two places, by when it is between two others.
func between(moment, from, to, left, right float64) float64 {
	if to <= from {
		return left
	}
	return left + (right-left)*min(max((moment-from)/(to-from), 0), 1)
}

func (s *scale) line(line Line) Line {
	placed := line
	placed.Stretches = nil
	for _, stretch := range line.Stretches {
		var points []Point
		for _, point := range stretch {
			points = append(points, Point{s.within(stretch[0].X, point.X), point.Y})
		}
		placed.Stretches = append(placed.Stretches, thin(points))
	}
	return placed
}

// thin leaves of the points that are drawn within one unit of the picture the lowest and
// the highest: more is not seen, and makes a page large.
func thin(points []Point) []Point {
	var kept []Point
	for from := 0; from < len(points); {
		low, high, end := from, from, from
		for ; end < len(points) && math.Floor(points[end].X*width) == math.Floor(points[from].X*width); end++ {
			if points[end].Y < points[low].Y {
				low = end
			}
			if points[end].Y > points[high].Y {
				high = end
			}
		}
		kept = append(kept, points[min(low, high)])
		if low != high {
			kept = append(kept, points[max(low, high)])
		}
		from = end
	}
	return kept
}

// ticks are where each window begins, where the last ends, and round numbers between
// where there is room for them.
func (s *scale) ticks() plot.ConstantTicks {
	const room = 0.1 // of a label
	var ticks plot.ConstantTicks
	add := func(place, moment float64) {
		ticks = append(ticks, plot.Tick{Value: place, Label: clock(moment)})
	}
	for i, w := range s.windows {
		add(s.from[i], w.From)
		end := s.to[i]
		if i == len(s.windows)-1 {
			add(end, w.To)
		} else {
			end = s.from[i+1]
		}
		slots := math.Floor((s.to[i] - s.from[i]) / (1.5 * room))
		if slots < 2 || w.To <= w.From {
			continue
		}
		step := above((w.To - w.From) / slots)
		for k := range int(slots) + 1 {
			moment := (math.Ceil(w.From/step) + float64(k)) * step
			if at := s.at(moment); at > s.from[i]+room && at < end-room {
				add(at, moment)
			}
		}
	}
	return ticks
}

// names writes above each window its number, and its name where there is room for it.
func (s *scale) names(on, area draw.Canvas) {
	style := text.Style{Color: ink(inkText), Font: letters(fontSize), XAlign: text.XCenter, YAlign: text.YTop, Handler: plot.DefaultTextHandler}
	for i, w := range s.windows {
		left, right := area.X(s.from[i]), area.X(s.to[i])
		name := number(float64(i + 1))
		if whole := name + " " + w.Name; style.Width(whole) < right-left {
			name = whole
		}
		on.FillText(style, vg.Point{X: (left + right) / 2, Y: on.Max.Y - vg.Points(3)}, name)
	}
}

// marks draws a line through all areas at each moment, and what it is where there is room
// for the word: of two that are told of by the same word in one place it stands once.
func (s *scale) marks(marks []Mark, areas []draw.Canvas) {
	style := text.Style{Color: ink(inkText), Font: letters(fontSize), XAlign: text.XCenter, YAlign: text.YBottom, Handler: plot.DefaultTextHandler}
	top, bottom := areas[0], areas[len(areas)-1]
	free := top.Min.X - style.Width("0")
	for _, one := range marks {
		x := top.X(s.at(one.At))
		top.StrokeLine2(draw.LineStyle{Color: ink(inkText), Width: vg.Points(1)}, x, bottom.Min.Y, x, top.Max.Y+vg.Points(3))
		if half := style.Width(one.Name) / 2; x-half >= free {
			top.FillText(style, vg.Point{X: x, Y: top.Max.Y + vg.Points(4)}, one.Name)
			free = x + half + style.Width("0")
		}
	}
}

// bands shade the windows by their kind.
type bands struct{ *scale }

// Plot implements the library's Plotter.
func (b bands) Plot(c draw.Canvas, _ *plot.Plot) {
	for i, w := range b.windows {
		left, right := c.X(b.from[i]), c.X(b.to[i])
		c.FillPolygon(ink(inkBand+int(w.Kind)), []vg.Point{{X: left, Y: c.Min.Y}, {X: right, Y: c.Min.Y}, {X: right, Y: c.Max.Y}, {X: left, Y: c.Max.Y}})
	}
}
