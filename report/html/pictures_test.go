package html

import (
	"math"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/plot"
	"github.com/meshchaos/meshchaos/test/records"
)

// TestThePicturesAreOfTheRecordsSeries: below the line of a rate lie as many requests as
// the record has, and a percentile is drawn as high as it is, when it was.
func TestThePicturesAreOfTheRecordsSeries(t *testing.T) {
	for _, name := range records.Names(t) {
		r := records.Read(t, name)
		for i, w := range r.Windows {
			for cohort, l := range w.Loads {
				if l.Series == nil {
					continue
				}
				one := make([]*loadgen.Result, len(r.Windows))
				one[i] = l
				begun := rates(r, one)
				if got, want := below(begun[0]), float64(sum(l.Series.Begun)); math.Abs(got-want) > 1e-6*want {
					t.Errorf("%s, %s of %s: %g requests are drawn of %g", name, cohort, w.Words(), got, want)
				}
				var drawn, failed float64
				for _, kind := range failures(r, one) {
					drawn += below(kind)
				}
				for _, of := range l.Series.Ended {
					if (loadgen.Outcome{Status: of.Status, GRPC: of.GRPC, Error: of.Error}).Failed() {
						failed += float64(sum(of.Count))
					}
				}
				if math.Abs(drawn-failed) > 1e-6*math.Max(failed, 1) {
					t.Errorf("%s, %s of %s: %g failures are drawn of %g", name, cohort, w.Words(), drawn, failed)
				}
				for j, column := range [][]*float64{l.Series.P50, l.Series.P99} {
					holdColumn(t, r, l, column, latencies(r, one)[j])
				}
				if points := quantiles(l.Response); l.Response.Count() > 0 {
					max, _ := l.Response.Quantile(1)
					if last := points[len(points)-1]; last.X != max.Seconds() || last.Y != 1 {
						t.Errorf("%s, %s of %s: the last of the distribution is %v, and the longest took %v", name, cohort, w.Words(), last, max)
					}
				}
			}
		}
	}
}

// holdColumn holds a line against a column of a series.
func holdColumn(t *testing.T, r *report.Record, l *loadgen.Result, column []*float64, line named) {
	t.Helper()
	var points []plot.Point
	for _, stretch := range line.Stretches {
		points = append(points, stretch...)
	}
	next := 0
	for slot, value := range column {
		if value == nil {
			continue
		}
		if next == len(points) {
			t.Fatalf("%s has no point for slot %d", line.name, slot)
		}
		from := l.Started.Sub(r.Started).Seconds() + float64(slot)*l.Series.Width.Seconds()
		if point := points[next]; point.Y != *value || point.X < from-1e-9 || point.X > from+l.Series.Width.Seconds()+1e-9 {
			t.Errorf("%s of slot %d, from %g s, is %g, and drawn at %v", line.name, slot, from, *value, point)
		}
		next++
	}
	if next != len(points) {
		t.Errorf("%s has %d points for %d slots", line.name, len(points), next)
	}
}

// below is the area below a line of steps.
func below(line named) float64 {
	var area float64
	for _, stretch := range line.Stretches {
		for i := 0; i+1 < len(stretch); i += 2 {
			area += stretch[i].Y * (stretch[i+1].X - stretch[i].X)
		}
	}
	return area
}

func sum(counts []int64) (all int64) {
	for _, n := range counts {
		all += n
	}
	return all
}

// TestRulesAreMarkedByWhatWasSeen: each step's line stands where all proxies ran its rule,
// and where none did any more; what is given has none, and what was not seen has none.
func TestRulesAreMarkedByWhatWasSeen(t *testing.T) {
	r := &report.Record{Started: time.Unix(100, 0)}
	seen := func(s float64) *time.Time { return new(r.Started.Add(time.Duration(s * float64(time.Second)))) }
	r.Stages = []report.Stage{
		{Step: report.Given, Applied: *seen(1), Live: seen(2), Undone: seen(30), Gone: seen(31)},
		{Step: "one", Applied: *seen(3), Live: seen(4), Undone: seen(20), Gone: seen(22)},
		{Step: "two", Applied: *seen(5), Live: seen(6), Undone: seen(20)},
		{Step: "three", Applied: *seen(7)},
	}
	want := []plot.Mark{{Name: "live", At: 4}, {Name: "live", At: 6}, {Name: "undone", At: 22}}
	if got := marks(r); len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("marked are %v, want %v", got, want)
	}
	all := stages(r)
	if len(all) != 4 || all[2].Gone != nil || all[2].Undone.At != "/stages/2/undone" || all[3].Live != nil || all[3].Applied.Words != "7.00" {
		t.Errorf("the stages are %+v", all)
	}
}

// TestWhatWasAskedIsDrawnAboveWhatBegan: a load that keeps to its rate would hide it.
func TestWhatWasAskedIsDrawnAboveWhatBegan(t *testing.T) {
	r := records.Read(t, "delay-jason")
	lines := rates(r, []*loadgen.Result{r.Window(report.During, "").Loads["others"]})
	if len(lines) != 2 || lines[1].name != "asked" || lines[1].Colour == lines[0].Colour || !lines[1].Dashed {
		t.Fatalf("the lines are %+v", lines)
	}
	for _, point := range lines[1].Stretches[0] {
		if point.Y != 20 {
			t.Errorf("%g requests a second are drawn as asked, not 20", point.Y)
		}
	}
}
