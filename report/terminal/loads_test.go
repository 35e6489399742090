package terminal

import (
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

func TestALoadStaysInItsTableWhereItsStatusesTakeMoreThanALine(t *testing.T) {
	response := &loadgen.Histogram{}
	for i := range 1500 {
		response.Record(time.Duration(i+1)*time.Millisecond + 450*time.Microsecond)
	}
	load := &loadgen.Result{Sent: 1500, TargetQPS: 150, Response: response, Outcomes: []loadgen.Outcome{{Status: 200, Count: 1040}, {Status: 503, Count: 454}, {Error: "timeout", Count: 6}}}
	load.LastBegun.Duration = 10 * time.Second
	r := &report.Record{Verdict: report.Pass, Restored: true, Windows: []report.Window{{Name: report.During, Loads: map[string]*loadgen.Result{"visitors": load}}}}
	const want = `
 load        requests         qps    p50    p90    p99   max  status, errors
-----------------------------------------------------------------------------
 under the rule
   visitors      1500  150 of 150  751ms  1.35s  1.49s  1.5s  200: 1040,
                                                              503: 454,
                                                              timeout: 6
`
	if got := shown(t, r, Options{Width: 80}); !strings.Contains(got, want) {
		t.Errorf("it is\n%s\nwithout\n%s", got, want)
	}
}
