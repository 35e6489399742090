package verdict

import (
	"testing"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

func TestWhatACutLoadHadNoTimeForIsNotAskedForItsText(t *testing.T) {
	for cut, want := range map[string]int{"": 1, "the run was interrupted": 0} {
		record := &report.Record{
			Asked:   []report.Asked{{Plan: loadgen.Plan{Checks: []loadgen.Check{{Name: "fine"}}}}},
			Windows: []report.Window{{Name: report.Baseline}, {Name: report.During, Cut: cut}},
		}
		if got := unfulfilled(run{record: record}); len(got) != want {
			t.Errorf("cut off by %q: %q", cut, got)
		}
	}
}
