package check_test

import (
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/loadgen"
)

// Of a short load much was due in its last moment, and without that it was another one than was
// asked for; unless it was there only as long as another.
func TestALoadThatWasThereAsLongAsAnotherLacksNothingThatWasDueLater(t *testing.T) {
	const lasts = 50 * time.Millisecond
	plan := loadgen.Plan{QPS: 1000, Duration: loadgen.Duration{Duration: lasts}, While: "pages", Connections: 1}
	for pages, want := range map[time.Duration]string{20 * time.Millisecond: "", 80 * time.Millisecond: "of 50 requests that fell due 10 never began"} {
		l := &loadgen.Result{Sent: 40, TargetQPS: 1000, Connections: 1, Elapsed: loadgen.Duration{Duration: min(pages, lasts)}}
		all := map[string]*loadgen.Result{"beside": l, "pages": {Elapsed: loadgen.Duration{Duration: pages}}}
		if got := check.Shortfall(plan, all, "beside"); !strings.HasPrefix(got, want) || (got == "") != (want == "") {
			t.Errorf("beside one of %v: %q, want %q", pages, got, want)
		}
	}
}

// A list that is drawn has a seed, and so has what arrives by chance: only of the latter does
// it say when requests are due.
func TestALoadAtAnEvenRateIsHeldAgainstThatWhateverItDraws(t *testing.T) {
	home := loadgen.Request{Name: "home", HTTP: loadgen.HTTP{URL: "http://a.test/"}, Weight: 1}
	for name, plan := range map[string]loadgen.Plan{
		"evenly":    {Send: []loadgen.Request{home}, QPS: 100, Requests: 400, Connections: 4},
		"by chance": {HTTP: &home.HTTP, QPS: 100, Requests: 400, Connections: 4, Arrival: loadgen.ArrivalPoisson},
	} {
		for seed := range int64(20) {
			seed++
			due := plan.Due(plan.Requests-1, seed)
			if even := 3990 * time.Millisecond; (due == even) != (plan.Arrival == "") {
				t.Fatalf("%s, the last request is due after %v by seed %d, and evenly after %v", name, due, seed, even)
			}
			for late, short := range map[time.Duration]bool{0: false, 300 * time.Millisecond: true} {
				l := &loadgen.Result{
					Planned: plan.Requests, Sent: plan.Requests, TargetQPS: plan.QPS, Seed: seed, Connections: plan.Connections,
					LastBegun: loadgen.Duration{Duration: due + late}, Elapsed: loadgen.Duration{Duration: due + late},
				}
				said := check.Shortfall(plan, map[string]*loadgen.Result{"load": l}, "load")
				if (said != "") != short || short && !strings.Contains(said, "the last was begun 300ms late") {
					t.Errorf("%s, by seed %d, with the last request %v late: %q", name, seed, late, said)
				}
			}
		}
	}
}
