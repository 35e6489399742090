package html

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/plot"
	"github.com/meshchaos/meshchaos/report/summary"
)

// window is a stretch of load as the pictures mark it.
type window struct {
	plot.Window
	Shade    template.HTML
	Cut      string
	From, To mark
}

func windows(r *report.Record) []window {
	var all []window
	for i := range r.Windows {
		w := &r.Windows[i]
		one := window{Window: plot.Window{Name: summary.When(w), Kind: plot.Live, From: since(r, w.Started), To: since(r, w.Ended)}, Cut: w.Cut}
		switch w.Name {
		case report.Baseline:
			one.Kind = plot.Before
		case report.Recovery:
			one.Kind = plot.Undone
		}
		one.Shade = plot.Shade(one.Kind)
		one.From = reckoned("since", one.Window.From, fmt.Sprintf("%.2f", one.Window.From), "windows", i, "started")
		one.To = reckoned("since", one.Window.To, fmt.Sprintf("%.2f", one.Window.To), "windows", i, "ended")
		all = append(all, one)
	}
	return all
}

// stage is when what was given, or a step's rules, was in force.
type stage struct {
	Name                        string
	Applied, Live, Undone, Gone *mark // nil: that was not seen
}

func stages(r *report.Record) []stage {
	var all []stage
	for i, s := range r.Stages {
		at := func(moment *time.Time, key string) *mark {
			if moment == nil {
				return nil
			}
			m := reckoned("since", since(r, *moment), fmt.Sprintf("%.2f", since(r, *moment)), "stages", i, key)
			return &m
		}
		all = append(all, stage{report.StageWords(s.Step), at(&s.Applied, "applied"), at(s.Live, "live"), at(s.Undone, "undone"), at(s.Gone, "gone")})
	}
	return all
}

// marks are when rules under test went live, and when they were seen to be gone, in the
// order of time. What is given is in force in all windows.
func marks(r *report.Record) []plot.Mark {
	var all []plot.Mark
	for _, s := range r.Stages {
		if s.Step == report.Given {
			continue
		}
		if s.Live != nil {
			all = append(all, plot.Mark{Name: "live", At: since(r, *s.Live)})
		}
		if s.Gone != nil {
			all = append(all, plot.Mark{Name: "undone", At: since(r, *s.Gone)})
		}
	}
	slices.SortFunc(all, func(a, b plot.Mark) int { return cmp.Compare(a.At, b.At) })
	return all
}

func since(r *report.Record, t time.Time) float64 { return t.Sub(r.Started).Seconds() }

// pictures are those of a cohort.
type pictures struct {
	ID, Cohort string
	Time       template.HTML
	Spread     template.HTML // empty: nothing was answered
	Legend     []legend      // of Time
	Lines      []entry       // of Spread
	NoErrors   bool
	NoSeries   bool
}

// legend is what the lines of a panel are.
type legend struct {
	Of      string
	Entries []entry
}

type entry struct {
	Swatch template.HTML
	Name   string
}

// mostDrawn is how many cohorts are drawn: more are no picture of a run.
const mostDrawn = 12

// draw draws each cohort, in the order in which the load was asked for, and says how many
// there are beside those.
func draw(r *report.Record) (all []pictures, beside int, err error) {
	var names []string
	results := map[string][]*loadgen.Result{} // by window; nil: the cohort was not in it
	for _, l := range summary.Loads(r) {
		if results[l.Cohort] == nil {
			names = append(names, l.Cohort)
			results[l.Cohort] = make([]*loadgen.Result, len(r.Windows))
		}
		for i := range r.Windows {
			results[l.Cohort][i] = r.Windows[i].Loads[l.Cohort]
		}
	}
	cut(&names, mostDrawn, &beside)
	for i, name := range names {
		one := pictures{ID: fmt.Sprintf("cohort-%d", i+1), Cohort: name}
		if err := one.draw(r, results[name]); err != nil {
			return nil, 0, fmt.Errorf("drawing the load of %s: %w", name, err)
		}
		all = append(all, one)
	}
	return all, beside, nil
}

func (p *pictures) draw(r *report.Record, results []*loadgen.Result) error {
	shown := windows(r)
	timeline := plot.Timeline{Picture: plot.Picture{
		ID: p.ID + "-time", Title: p.Cohort + " over time",
		Tells: "Requests a second, errors a second by kind, and the median and the 99th percentile of response times, in the windows " + listed(shown) + ". The numbers are in the table of loads.",
	}}
	for _, w := range shown {
		timeline.Windows = append(timeline.Windows, w.Window)
	}
	timeline.Marks = marks(r)
	p.add(&timeline, "Requests", rates(r, results))
	if errors := failures(r, results); len(errors) > 0 {
		p.add(&timeline, "Errors", errors)
	} else {
		p.NoErrors = true
	}
	p.add(&timeline, "Response time", latencies(r, results))
	p.NoSeries = !slices.ContainsFunc(results, func(l *loadgen.Result) bool { return l != nil && l.Series != nil })
	if !p.NoSeries {
		var err error
		if p.Time, err = timeline.SVG(); err != nil {
			return err
		}
	}
	return p.spread(shown, results)
}

func listed(shown []window) string {
	var names []string
	for i, w := range shown {
		names = append(names, fmt.Sprintf("%d %s", i+1, w.Name))
	}
	return strings.Join(names, ", ")
}

// named is a line with what the legend says of it.
type named struct {
	plot.Line
	name string
}

func (p *pictures) add(t *plot.Timeline, of string, lines []named) {
	panel := plot.Panel{Label: strings.ToLower(of) + " / s", Seconds: of == "Response time"}
	if panel.Seconds {
		panel.Label = "response time"
	}
	key := legend{Of: of}
	for _, line := range lines {
		panel.Lines = append(panel.Lines, line.Line)
		key.Entries = append(key.Entries, entry{plot.Swatch(line.Line), line.name})
	}
	t.Panels, p.Legend = append(t.Panels, panel), append(p.Legend, key)
}

// spread draws which share was answered within a time, a line for each window.
func (p *pictures) spread(shown []window, results []*loadgen.Result) error {
	picture := plot.Distribution{Picture: plot.Picture{
		ID: p.ID + "-spread", Title: "Latencies of " + p.Cohort,
		Tells: "Which share of the requests was answered within which time, a line for each window: " + listed(shown) + ". The percentiles are in the table of loads.",
	}}
	during := 0
	for i, l := range results {
		if l == nil || l.Response.Count() == 0 {
			continue
		}
		line := plot.Line{Stretches: [][]plot.Point{quantiles(l.Response)}}
		switch shown[i].Kind {
		case plot.Before:
			line.Dashed = true
		case plot.Undone:
			line.Colour, line.Dashed = 3, true
		default:
			line.Colour = []int{2, 1, 4, 5, 6}[during%5]
			during++
		}
		picture.Lines = append(picture.Lines, line)
		p.Lines = append(p.Lines, entry{plot.Swatch(line), fmt.Sprintf("%d %s", i+1, shown[i].Name)})
	}
	if len(picture.Lines) == 0 {
		return nil
	}
	var err error
	p.Spread, err = picture.SVG()
	return err
}

// quantiles are the steps of a histogram: each latency of a few, a hundred of many.
func quantiles(h *loadgen.Histogram) []plot.Point {
	steps := min(h.Count(), 100)
	var points []plot.Point
	was := 0.0
	for k := int64(1); k <= steps; k++ {
		share := float64(k) / float64(steps)
		latency, _ := h.Quantile(share)
		x := max(latency.Seconds(), 1e-6)
		if last := len(points) - 1; last > 0 && points[last].X == x {
			points[last].Y = share
		} else {
			points = append(points, plot.Point{X: x, Y: was}, plot.Point{X: x, Y: share})
		}
		was = share
	}
	return points
}
