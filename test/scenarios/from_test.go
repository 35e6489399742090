package scenarios_test

import (
	"testing"

	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// TestALoadPassesForAWorkload: a rule for the requests of a workload is for those that
// are sent from it, and for no others.
func TestALoadPassesForAWorkload(t *testing.T) {
	for name, test := range map[string]struct {
		set  []string
		want report.Verdict
	}{
		"as the rule has it":   {nil, report.Pass},
		"from nobody else's":   {[]string{"load.theirs.from=client"}, report.Fail},
		"from another version": {[]string{"load.theirs.from=httpbin-v2"}, report.Fail},
		"all from its own":     {[]string{"load.others.from=httpbin-v1"}, report.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := scenarios.Read("testdata/from.yaml", test.set...)
			if err != nil {
				t.Fatal(err)
			}
			record := carryOut(t, s, honest, runner.Options{Seed: 1})
			if record.Verdict != test.want || !record.Restored {
				t.Errorf("verdict %s, restored %v; want %s", record.Verdict, record.Restored, test.want)
				show(t, record)
			}
		})
	}
}
