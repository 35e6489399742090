package html

import (
	"cmp"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/plot"
)

// rates are the requests that began, and what was asked for.
func rates(r *report.Record, results []*loadgen.Result) []named {
	begun := named{plot.Line{Colour: 1}, "begun"}
	asked := named{plot.Line{Colour: 2, Dashed: true}, "asked"}
	for _, l := range results {
		if l == nil || l.Series == nil {
			continue
		}
		begun.Stretches = append(begun.Stretches, perSecond(r, l, l.Series.Begun))
		if l.TargetQPS > 0 {
			asked.Stretches = append(asked.Stretches, askedFor(l, since(r, l.Started)))
		}
	}
	if asked.Stretches == nil {
		return []named{begun}
	}
	return []named{begun, asked} // above it: a load that keeps to its rate would hide it
}

// askedFor is the rate that a load was asked for, from when it began until it ended.
func askedFor(l *loadgen.Result, from float64) []plot.Point {
	ended := l.Elapsed.Duration
	if len(l.Rate) == 0 {
		return []plot.Point{{X: from, Y: l.TargetQPS}, {X: from + ended.Seconds(), Y: l.TargetQPS}}
	}
	var line []plot.Point
	plan := loadgen.Plan{Rate: l.Rate}
	for _, p := range l.Rate {
		if p.At.Duration < ended {
			line = append(line, plot.Point{X: from + p.At.Seconds(), Y: p.QPS})
		}
	}
	return append(line, plot.Point{X: from + ended.Seconds(), Y: plan.RateAt(ended)})
}

// failures are the requests that ended in a failure, by kind: the commonest each with a
// line, the rest in one.
func failures(r *report.Record, results []*loadgen.Result) []named {
	type kind struct {
		status    int
		grpc, err string
	}
	total := map[kind]int64{}
	for _, l := range results {
		if l == nil || l.Series == nil {
			continue
		}
		for _, of := range l.Series.Ended {
			if (loadgen.Outcome{Status: of.Status, GRPC: of.GRPC, Error: of.Error}).Failed() {
				for _, n := range of.Count {
					total[kind{of.Status, of.GRPC, of.Error}] += n
				}
			}
		}
	}
	var order []kind
	for one := range total {
		order = append(order, one)
	}
	slices.SortFunc(order, func(a, b kind) int {
		return cmp.Or(cmp.Compare(total[b], total[a]), cmp.Compare(a.status, b.status), cmp.Compare(a.grpc, b.grpc), cmp.Compare(a.err, b.err))
	})
	var all []named
	for i := range min(len(order), plot.Most-1) {
		all = append(all, named{plot.Line{Colour: 2 + i, Dashed: i%2 == 1}, loadgen.Outcome{Status: order[i].status, GRPC: order[i].grpc, Error: order[i].err}.Words()})
	}
	if len(order) > len(all) {
		all[len(all)-1].name = "other errors"
	}
	for _, l := range results {
		if l == nil || l.Series == nil {
			continue
		}
		counts := make([][]int64, len(all))
		for i := range counts {
			counts[i] = make([]int64, len(l.Series.Begun))
		}
		for _, of := range l.Series.Ended {
			if i := min(slices.Index(order, kind{of.Status, of.GRPC, of.Error}), len(all)-1); i >= 0 {
				for slot := range min(len(of.Count), len(counts[i])) {
					counts[i][slot] += of.Count[slot]
				}
			}
		}
		for i := range all {
			all[i].Stretches = append(all[i].Stretches, perSecond(r, l, counts[i]))
		}
	}
	return all
}

// latencies are the percentiles of what ended in each slot.
func latencies(r *report.Record, results []*loadgen.Result) []named {
	all := []named{{plot.Line{Colour: 1}, "p50"}, {plot.Line{Colour: 4, Dashed: true}, "p99"}}
	for _, l := range results {
		if l == nil || l.Series == nil {
			continue
		}
		for i, column := range [][]*float64{l.Series.P50, l.Series.P99} {
			all[i].Stretches = append(all[i].Stretches, stretches(r, l, column)...)
		}
	}
	return all
}

// stretches are the stretches of a column in which it is known, each value in the middle of
// its slot.
func stretches(r *report.Record, l *loadgen.Result, column []*float64) [][]plot.Point {
	var all [][]plot.Point
	begins := true
	for i, value := range column {
		if value == nil {
			begins = true
			continue
		}
		from, to := slot(l, i, i+1)
		point := plot.Point{X: since(r, l.Started) + min((from+to)/2, max(from, l.Elapsed.Seconds())), Y: max(*value, 1e-6)}
		if begins {
			all = append(all, nil)
		}
		begins = false
		all[len(all)-1] = append(all[len(all)-1], point)
	}
	return all
}

// slot is when slots begin and end, in seconds since the load began. The last ends with
// the load; of one at a rate, when a further request would have begun.
func slot(l *loadgen.Result, first, end int) (from, to float64) {
	width := l.Series.Width.Seconds()
	from, to = float64(first)*width, float64(end)*width
	ended := l.Elapsed.Seconds()
	if l.TargetQPS > 0 {
		ended = max(ended, l.LastBegun.Seconds()+1/l.TargetQPS)
	}
	if ended > from {
		to = min(to, ended)
	}
	return from, to
}

// perSecond are counts in slots as a rate: of as many slots together as it takes for a
// line to tell more than that whole requests are counted. What is left at the end, and
// shorter than half of that, is reckoned with what is before it.
func perSecond(r *report.Record, l *loadgen.Result, counts []int64) []plot.Point {
	together := bundle(l.Series.Begun)
	var edges []int
	for i := 0; i < len(counts); i += together {
		edges = append(edges, i)
	}
	if last := len(edges) - 1; last > 0 {
		if from, to := slot(l, edges[last], len(counts)); time.Duration((to-from)*float64(time.Second)) < l.Series.Width.Duration*time.Duration(together)/2 {
			edges = edges[:last]
		}
	}
	edges = append(edges, len(counts))
	var points []plot.Point
	for i := range len(edges) - 1 {
		var n int64
		for _, count := range counts[edges[i]:edges[i+1]] {
			n += count
		}
		from, to := slot(l, edges[i], edges[i+1])
		rate, origin := float64(n)/max(to-from, 1e-9), since(r, l.Started)
		points = append(points, plot.Point{X: origin + from, Y: rate}, plot.Point{X: origin + to, Y: rate})
	}
	return points
}

// bundle is how many slots are drawn as one.
func bundle(begun []int64) int {
	const most, least, enough = 75, 12, 5
	var sum int64
	for _, n := range begun {
		sum += n
	}
	together := 1
	for len(begun)/together > most || len(begun)/(2*together) >= least && sum*int64(together) < enough*int64(len(begun)) {
		together *= 2
	}
	return together
}
