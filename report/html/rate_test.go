package html

import (
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report/plot"
	"github.com/meshchaos/meshchaos/test/records"
)

func ratePoints() []loadgen.RatePoint {
	return []loadgen.RatePoint{{QPS: 10}, {At: loadgen.Duration{Duration: 4 * time.Second}, QPS: 50}, {At: loadgen.Duration{Duration: 4 * time.Second}, QPS: 20}, {At: loadgen.Duration{Duration: 9 * time.Second}, QPS: 20}}
}

func TestARateThatChangesIsDrawnAsItWasAsked(t *testing.T) {
	for ended, want := range map[time.Duration][]plot.Point{
		2 * time.Second:  {{X: 3, Y: 10}, {X: 5, Y: 30}},
		5 * time.Second:  {{X: 3, Y: 10}, {X: 7, Y: 50}, {X: 7, Y: 20}, {X: 8, Y: 20}},
		20 * time.Second: {{X: 3, Y: 10}, {X: 7, Y: 50}, {X: 7, Y: 20}, {X: 12, Y: 20}, {X: 23, Y: 20}},
	} {
		l := &loadgen.Result{Rate: ratePoints(), TargetQPS: 25, Elapsed: loadgen.Duration{Duration: ended}}
		if got := askedFor(l, 3); !slices.Equal(got, want) {
			t.Errorf("of %v it is %v, want %v", ended, got, want)
		}
	}
}

// TestWhatChangesDuringALoadIsInItsNumbers: a rate among what was asked for, and
// connections that grew, each number by its place in the record.
func TestWhatChangesDuringALoadIsInItsNumbers(t *testing.T) {
	r := records.Read(t, "delay-jason")
	r.Asked[1].Plan.QPS, r.Asked[1].Plan.Rate, r.Asked[1].Plan.Arrival = 0, ratePoints(), loadgen.ArrivalPoisson
	r.Asked[1].Plan.MaxConnections, r.Windows[1].Loads["others"].Grown = 64, 13
	page := written(t, r)
	document, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var p read
	p.collect(document)
	newNumbers(t, r).hold(t, "delay-jason at a rate that changes", p)
	for _, want := range []string{
		"/asked/1/plan/rate/0/qps", "/asked/1/plan/rate/3/at", ">poisson<",
		"/asked/1/plan/maxConnections", "/windows/1/loads/others/grown", "Connections after a + were added",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}
