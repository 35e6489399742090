package verdict

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Why a load was ended stands in words and in numbers: who changes the one and not the
// other, or both and not the scenario, is told of the place.
func TestWhyALoadWasEndedIsHeldAgainstItself(t *testing.T) {
	const condition = "client.sent >= 20 && client.share(503) > 5%"
	path := filepath.Join(t.TempDir(), "aborts.yaml")
	text := `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: aborts}
spec:
  app: httpbin
  abortWhen: ` + condition + `
  apply:
    - fault: {service: httpbin, abort: 503, percent: 30%}
  load:
    client: {get: "http://httpbin:8000/get", requests: 200}
  expect:
    - client.share(503) > 1%
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	breached, err := check.Watch(map[string]loadgen.Plan{"client": {}}, []string{condition})
	if err != nil {
		t.Fatal(err)
	}
	ended := func() *report.Stopped {
		stop := breached(map[string]*loadgen.Result{"client": {Sent: 30, Outcomes: []loadgen.Outcome{{Status: 200, Count: 28}, {Status: 503, Count: 2}}}})
		if stop == nil || len(stop.Values) != 2 || len(stop.Bounds) != 2 {
			t.Fatalf("the load is ended by %+v", stop)
		}
		stop.Sent, stop.After = 30, loadgen.Duration{Duration: time.Second}
		return &report.Stopped{StopError: *stop, Line: 6}
	}
	capped := func() *report.Stopped {
		return &report.Stopped{StopError: loadgen.StopError{
			Observed: "112 requests were begun within 983ms", Limit: "100 qps, of all cohorts together",
			Values: []report.Measure{{Value: 112, Unit: report.Number}}, Bounds: loadgen.Cap(100),
		}}
	}
	at := func(share float64) *float64 { return &share }
	for name, test := range map[string]struct {
		of     func() *report.Stopped
		change func(*report.Stopped)
		says   string // empty: nothing
	}{
		"as it was":             {ended, func(*report.Stopped) {}, ""},
		"a cap as it was":       {capped, func(*report.Stopped) {}, ""},
		"words alone":           {ended, func(s *report.Stopped) { s.Values, s.Bounds = nil, nil }, ""},
		"another condition":     {ended, func(s *report.Stopped) { s.Condition = "client.errors > 3" }, ".condition is client.errors > 3, which the scenario has not there"},
		"another line":          {ended, func(s *report.Stopped) { s.Line = 7 }, ".line is 7"},
		"another value":         {ended, func(s *report.Stopped) { s.Values[1].Value = 0.5 }, ".values[1].value is 0.5"},
		"other words":           {ended, func(s *report.Stopped) { s.Observed = strings.Replace(s.Observed, "6.67%", "9.67%", 1) }, ".values[1].value is 0.0666"},
		"other words of a part": {ended, func(s *report.Stopped) { s.Observed = strings.Replace(s.Observed, "2 of 30", "20 of 30", 1) }, ".values[1].value is 0.0666"},
		"a value less":          {ended, func(s *report.Stopped) { s.Values = s.Values[1:] }, ".values has 1 entries, and observed names 2"},
		"another bound":         {ended, func(s *report.Stopped) { s.Bounds[1].Value = at(0.06) }, ".bounds[1].value is 0.06"},
		"another limit":         {ended, func(s *report.Stopped) { s.Limit = ">= 20 and > 6%" }, ".bounds[1].value is 0.05, and limit says >= 20 and > 6%"},
		"no breach": {ended, func(s *report.Stopped) {
			s.Observed, s.Values[1].Value = "30; 3.33% (1 of 30)", 1.0/30
		}, ".values[1].value is 0.0333"},
		"a cap that was kept": {capped, func(s *report.Stopped) { s.Observed, s.Values[0].Value = "12 requests were begun within 983ms", 12 }, ".values[0].value is 12, by which the load is not ended"},
		"another quantity":    {ended, func(s *report.Stopped) { s.Values[1].Of = "client.share(200)" }, ".values[1].of is client.share(200)"},
		"more than were sent": {ended, func(s *report.Stopped) { s.Sent = 33 }, ".sent is 33, and its loads are of 32"},
		"more samples":        {ended, func(s *report.Stopped) { s.Samples = 31 }, ".samples is 31, of 30"},
		"no samples":          {ended, func(s *report.Stopped) { s.Samples = 0 }, ".samples is 0, and .sent 30"},
		"later than its end":  {ended, func(s *report.Stopped) { s.After.Duration = time.Minute }, ".after is 1m0s, and the window was 2s long"},
		"another cap":         {capped, func(s *report.Stopped) { s.Bounds = loadgen.Cap(10) }, ".bounds[0].value is 10"},
	} {
		began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		record := &report.Record{Windows: []report.Window{{Name: report.Baseline}, {
			Name: report.During, Started: began, Ended: began.Add(2 * time.Second), Stopped: test.of(),
			Loads: map[string]*loadgen.Result{"client": {Sent: 32}},
		}}}
		test.change(record.Windows[1].Stopped)
		got := run{record, s}.stoppedUnlike()
		if (got == "") != (test.says == "") || !strings.HasPrefix(strings.TrimPrefix(got, "windows[1].stopped"), test.says) {
			t.Errorf("%s: it says %q; want %q", name, got, test.says)
		}
	}
}
