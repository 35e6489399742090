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

func TestHowLateTheLoadGeneratorWasIsShownToWhoAsksForAll(t *testing.T) {
	response, lag := &loadgen.Histogram{}, &loadgen.Histogram{}
	for i := range 200 {
		response.Record(20 * time.Millisecond)
		lag.Record(time.Duration(i) * 10 * time.Microsecond)
	}
	load := &loadgen.Result{Sent: 200, TargetQPS: 20, Response: response, Lag: lag, Outcomes: []loadgen.Outcome{{Status: 200, Count: 200}}}
	load.LastBegun.Duration = 9950 * time.Millisecond
	few := &loadgen.Result{Sent: 5, Response: response, Outcomes: []loadgen.Outcome{{Status: 200, Count: 5}}}
	r := &report.Record{Verdict: report.Pass, Restored: true, Windows: []report.Window{{Name: report.During, Loads: map[string]*loadgen.Result{"visitors": load, "few": few}}}}
	for _, width := range []int{120, 40} {
		if got := shown(t, r, Options{Width: width}); strings.Contains(got, "lag") {
			t.Errorf("in %d columns lags are shown unasked:\n%s", width, got)
		}
		got := strings.Join(strings.Fields(shown(t, r, Options{Width: width, Wide: true})), " ")
		want := []string{"qps lag p99 lag max p50", "200 20 of 20 1.97ms 1.99ms 20ms", "5 - - - 20ms"}
		if width == 40 {
			want = []string{"20 of 20 qps, lag p99 1.97ms, lag max 1.99ms, p50 20ms"}
		}
		for _, words := range want {
			if !strings.Contains(got, words) {
				t.Errorf("in %d columns it is\n%s\nwithout %s", width, got, words)
			}
		}
	}
}

func TestHowManyConnectionsWereAddedIsShownWhereAnyWere(t *testing.T) {
	response := &loadgen.Histogram{}
	for range 200 {
		response.Record(20 * time.Millisecond)
	}
	load := &loadgen.Result{Sent: 200, Connections: 4, Response: response, Outcomes: []loadgen.Outcome{{Status: 200, Count: 200}}}
	few := &loadgen.Result{Sent: 5, Connections: 2, Response: response, Outcomes: []loadgen.Outcome{{Status: 200, Count: 5}}}
	r := &report.Record{Verdict: report.Pass, Restored: true, Windows: []report.Window{{Name: report.During, Loads: map[string]*loadgen.Result{"visitors": load, "few": few}}}}
	for width, want := range map[int][]string{
		120: {"requests qps connections p50", "visitors 200 - 4 + 13 20ms", "few 5 - 2 20ms"},
		80:  {"requests qps connections p50", "visitors 200 - 4 + 13 20ms", "few 5 - 2 20ms"},
		40:  {"200 requests, 4 + 13 connections, p50 20ms", "5 requests, p50 20ms"},
	} {
		load.Grown = 0
		if got := shown(t, r, Options{Width: width}); strings.Contains(got, "connections") {
			t.Errorf("in %d columns connections are shown though none was added:\n%s", width, got)
		}
		load.Grown = 13
		got := strings.Join(strings.Fields(shown(t, r, Options{Width: width})), " ")
		for _, words := range want {
			if !strings.Contains(got, words) {
				t.Errorf("in %d columns it is\n%s\nwithout %s", width, got, words)
			}
		}
	}
}

// What fell to a sender that was lost is no less missed for what the others have sent.
func TestHowManyRequestsWereMissedIsShownWhereAnyWere(t *testing.T) {
	response := &loadgen.Histogram{}
	for range 200 {
		response.Record(20 * time.Millisecond)
	}
	load := &loadgen.Result{Sent: 200, Missed: 100, Response: response, Outcomes: []loadgen.Outcome{{Status: 200, Count: 200}}, Senders: []loadgen.Sender{
		{Name: "process 1", Sent: 100}, {Name: "process 2", Sent: 100}, {Name: "process 3", Missed: 100, Lost: "signal: killed"},
	}, Times: []loadgen.TimesOf{{Request: "order", Response: response, Service: response}}}
	whole := &loadgen.Result{Sent: 200, Response: response, Outcomes: []loadgen.Outcome{{Status: 200, Count: 200}}}
	both := map[string]*loadgen.Result{"visitors": load, "whole": whole}
	r := &report.Record{Verdict: report.Inconclusive, Restored: true, Windows: []report.Window{{Name: report.During, Loads: both}}}
	for width, want := range map[int][]string{
		120: {"requests missed qps", "visitors 200 100 -", "visitors.order 0 - -", "whole 200 - -"},
		80:  {"requests missed qps", "visitors 200 100 -", "whole 200 - -"},
		40:  {"200 requests, 100 missed, p50 20ms", "200 requests, p50 20ms"},
	} {
		got := strings.Join(strings.Fields(shown(t, r, Options{Width: width})), " ")
		for _, words := range want {
			if !strings.Contains(got, words) {
				t.Errorf("in %d columns it is\n%s\nwithout %s", width, got, words)
			}
		}
	}
	delete(both, "visitors")
	if got := shown(t, r, Options{Width: 120}); strings.Contains(got, "missed") {
		t.Errorf("where none were it is\n%s", got)
	}
}

// The name of an error that has none of its own says nothing: what was wrong stands beneath.
func TestWhatAnErrorWithoutANameWasIsShown(t *testing.T) {
	load := &loadgen.Result{Sent: 3, Other: "the status line is none of HTTP/1.0 or 1.1", Response: &loadgen.Histogram{}, Outcomes: []loadgen.Outcome{{Error: loadgen.ErrorOther, Count: 3}}}
	r := &report.Record{Verdict: report.Inconclusive, Restored: true, Windows: []report.Window{{Name: report.During, Loads: map[string]*loadgen.Result{"visitors": load}}}}
	const want = "visitors, under the rule: other, of which the first was: the status line is none of HTTP/1.0 or 1.1"
	if got := strings.Join(strings.Fields(shown(t, r, Options{Width: 80})), " "); !strings.Contains(got, want) {
		t.Errorf("it is\n%s\nwithout %s", got, want)
	}
	load.Outcomes[0].Error = loadgen.ErrorEOF // it was of a request before the load
	if got := shown(t, r, Options{Width: 80}); strings.Contains(got, "of which the first") {
		t.Errorf("of none it is\n%s", got)
	}
}
