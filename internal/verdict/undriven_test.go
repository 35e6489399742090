package verdict_test

import (
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/verdict"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// A load that could not be carried out is what a run says of its window: that nothing bit, of
// which nobody has anything, would send whoever reads it to the rules.
func TestALoadThatCouldNotBeCarriedOutIsWhatIsSaid(t *testing.T) {
	r, s := healthy(t)
	r.Changes = written()
	w := &r.Windows[1]
	w.Bites = nil
	for name := range w.Loads {
		w.Loads[name] = &loadgen.Result{Outcomes: []loadgen.Outcome{}, Response: &loadgen.Histogram{}, Service: &loadgen.Histogram{}}
	}
	w.Loads["client"].Failure = "the server has no reflection"
	j := verdict.Judge(r, s)
	var said []string
	for _, d := range j.Doubts {
		said = append(said, d.Problem)
	}
	all := strings.Join(said, "\n")
	if j.Verdict != report.Inconclusive || strings.Contains(all, "in the load of step one: nobody has looked for it") || !strings.Contains(all, "load of step one, cohort client: the server has no reflection") {
		t.Errorf("it is %s:\n%s", j.Verdict, all)
	}
	// Of a load of which something was sent it is said all the same.
	w.Loads["client"].Sent = 1
	for _, d := range verdict.Judge(r, s).Doubts {
		if strings.Contains(d.Problem, "in the load of step one: nobody has looked for it") {
			return
		}
	}
	t.Error("nothing is said of what nobody has looked for")
}
