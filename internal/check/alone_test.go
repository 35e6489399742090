package check

import (
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// Of the only load there is a line need not say whose p99 it means, and says the same.
func TestALineOfOneLoadNeedNotNameIt(t *testing.T) {
	scope := Scope{Cohorts: []string{"load"}, Alone: "load"}
	seen := &loadgen.Result{Sent: 200, Response: new(loadgen.Histogram), Service: new(loadgen.Histogram), Outcomes: []loadgen.Outcome{{Status: 200, Count: 190}, {Status: 503, Count: 10}}}
	for i := range 200 {
		seen.Response.Record(time.Duration(i) * time.Millisecond)
		seen.Service.Record(time.Duration(i) * time.Millisecond / 2)
	}
	windows := Windows{During: &report.Window{Name: report.During, Loads: map[string]*loadgen.Result{"load": seen}}}
	for _, test := range []struct {
		alone, named string
		want         report.Verdict
	}{
		{"p99 < 300ms", "load.p99 < 300ms", report.Pass},
		{"p99 < 30ms", "load.p99 < 30ms", report.Fail},
		{"service.p99 < 100ms", "load.service.p99 < 100ms", report.Pass},
		{"status[503] == 0", "load.status[503] == 0", report.Fail},
		{"share(503) <= 5%", "load.share(503) <= 5%", report.Pass},
		{"errors == 0 && status[200] / sent > 90%", "load.errors == 0 && load.status[200] / load.sent > 90%", report.Pass},
		{"load.p50 < p99", "load.p50 < load.p99", report.Pass},
	} {
		alone, err := Compile(scope, test.alone)
		if err != nil {
			t.Errorf("%s: %v", test.alone, err)
			continue
		}
		named, err := Compile(scope, test.named)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := Overall(alone.Judge(windows)), Overall(named.Judge(windows)); got != want || got != test.want {
			t.Errorf("%s: %s, and by name %s, want %s", test.alone, got, want, test.want)
		}
	}
}

// What is none is refused as in a line that names the load, and nothing stands alone
// where there are several.
func TestWhatStandsAloneIsRefusedByItsName(t *testing.T) {
	for _, test := range []struct{ alone, line, want string }{
		{"load", "p98 < 1s", `unknown quantity of a load "p98"`},
		{"load", "service < 1s", "service is no quantity"},
		{"load", "status == 3", "status needs a code"},
		{"load", "share == 3%", "share needs to be told of what"},
		{"load", "faults(ratings) == 3", "faults"},
		{"", "p99 < 1s", "p99"},
		{"", "share(503) < 1%", "share"},
	} {
		_, err := Compile(Scope{Cohorts: []string{"load"}, Alone: test.alone}, test.line)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s of %q: %v", test.line, test.alone, err)
		}
	}
}
