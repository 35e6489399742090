package fortio

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fortio.org/fortio/fhttp"
	"fortio.org/fortio/stats"

	"github.com/meshchaos/meshchaos/loadgen"
)

// driven is what came of a load of twelve requests, of which two failed.
func driven() (*Load, *loadgen.Result) {
	seen := &loadgen.Result{
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Elapsed: loadgen.Duration{Duration: 2 * time.Second}, Planned: 12, Sent: 12, Connections: 3, Dialed: 4,
		Outcomes: []loadgen.Outcome{{Error: loadgen.ErrorReset, Count: 1}, {Status: 200, Count: 10}, {Status: 503, Count: 1}},
		Response: new(loadgen.Histogram), Service: new(loadgen.Histogram), NotOK: new(loadgen.Histogram),
	}
	for i := range 12 {
		latency := time.Duration(1+i*i) * time.Millisecond
		seen.Response.Record(latency)
		seen.Service.Record(latency / 2)
		if i > 9 {
			seen.NotOK.Record(latency)
		}
	}
	plan := loadgen.Plan{
		HTTP: &loadgen.HTTP{Method: "POST", URL: "http://web.shop/a", Body: "text", Header: map[string]string{"content-type": "text/plain"}, Connect: "[::1]:80"},
		QPS:  6, Requests: 12, Connections: 3, Timeout: loadgen.Duration{Duration: time.Second},
	}
	return &Load{Plan: plan, Labels: "a label", RunID: 7, Percentiles: []float64{50, 99}, Version: "1.2", User: true}, seen
}

// Whoever reads fortio's results reads that of a load, and fortio's page lists and draws it.
func TestFortiosReportPageShowsALoad(t *testing.T) {
	load, seen := driven()
	text, id, err := load.JSON(seen)
	if err != nil {
		t.Fatal(err)
	}
	var of fhttp.HTTPRunnerResults
	if err := json.Unmarshal(text, &of); err != nil {
		t.Fatal(err)
	}
	switch {
	case of.DurationHistogram.Count != 12, of.ErrorsDurationHistogram.Count != 2, of.RetCodes[-1] != 1, of.RetCodes[503] != 1, of.RetCodes[200] != 10:
		t.Errorf("it counts %+v, and of errors %+v: %v", of.DurationHistogram, of.ErrorsDurationHistogram, of.RetCodes)
	case of.ErrorsDurationHistogram.Min != 0.101 || math.Abs(of.DurationHistogram.Percentiles[0].Value-0.026) > 1e-4 || of.DurationHistogram.Max != 0.122:
		t.Errorf("it has the times %+v, and of errors %+v", of.DurationHistogram, of.ErrorsDurationHistogram)
	case of.ActualQPS != 6 || of.RequestedQPS != "6" || of.RequestedDuration != "exactly 12 calls" || of.SocketCount != 4 || of.RunnerResults.ID != id:
		t.Errorf("it was %+v", of.RunnerResults)
	case of.ContentType != "text/plain" || of.Resolve != "::1" || string(of.Payload) != "text" || of.UserCredentials != "***":
		t.Errorf("it sent %+v", of.HTTPOptions)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, id+".json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	at := serve(t, dir)
	if page := get(t, at+"/"); !strings.Contains(page, `<option value="`+id+`.json"`) {
		t.Errorf("it does not list %s:\n%s", id, page)
	}
	if drawn := loaded.FindStringSubmatch(get(t, at+"/?url="+id+".json")); drawn == nil || get(t, at+"/data/"+drawn[1]) != string(text) {
		t.Errorf("it draws %v, and not %s", drawn, id)
	}
}

// A standard deviation is that of the times, as fortio has it of each by itself.
func TestTheDeviationIsThatOfTheTimes(t *testing.T) {
	of := new(loadgen.Histogram)
	want := stats.NewHistogram(0, resolution)
	for i := range 1000 {
		latency := time.Duration(1000+i%7*300) * time.Microsecond
		of.Record(latency)
		want.Record(latency.Seconds())
	}
	got := histogram(of)
	if math.Abs(got.StdDev-want.StdDev()) > 1e-6 || math.Abs(got.Avg-want.Avg()) > 2e-6 {
		t.Errorf("%g +/- %g, want %g +/- %g", got.Avg, got.StdDev, want.Avg(), want.StdDev())
	}
	if empty := histogram(nil); empty.StdDev != 0 || empty.Count != 0 {
		t.Errorf("of nothing: %+v", empty)
	}
}

// What was due and never begun, and what was begun late, is said before the times that it
// spoils.
func TestWhatOfAScheduleWasNotKeptIsSaid(t *testing.T) {
	load, seen := driven()
	var said bytes.Buffer
	load.Summarize(&said, seen)
	if strings.Contains(said.String(), "WARNING") {
		t.Errorf("nothing was late:\n%s", &said)
	}
	said.Reset()
	seen.Late, seen.Missed = 3, 1
	load.Summarize(&said, seen)
	for _, want := range []string{"WARNING 25.00% of requests were begun more than 10 ms late", "WARNING 1 request was due and never begun", "# Code -1, reset : 1\n", "Service time, from when each was sent : count 12 "} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &said)
		}
	}
	if strings.Index(said.String(), "WARNING") > strings.Index(said.String(), "Aggregated Function Time") {
		t.Errorf("the times come first:\n%s", &said)
	}
}
