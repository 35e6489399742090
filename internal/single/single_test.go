package single

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// What is said of a load that did not come to what was asked of it is said of another one,
// be it true: a rate that one slow connection cannot keep, and what was left out for it.
func TestALoadThatWasNotAsAskedIsNoPass(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-time.After(50 * time.Millisecond) }))
	defer server.Close()
	request := &loadgen.HTTP{URL: server.URL}
	for _, test := range []struct {
		name string
		plan loadgen.Plan
		want string // of the reason; empty: it was as asked
	}{
		{"a duration", loadgen.Plan{QPS: 200, Duration: loadgen.Duration{Duration: 500 * time.Millisecond}}, "never began"},
		{"a number", loadgen.Plan{QPS: 200, Requests: 10}, "it reached"},
		{"without what came late", loadgen.Plan{QPS: 200, Duration: loadgen.Duration{Duration: 500 * time.Millisecond}, NoCatchUp: true}, "never began"},
		{"no rate", loadgen.Plan{Requests: 10}, ""},
		{"a low rate", loadgen.Plan{QPS: 5, Requests: 3}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.plan.HTTP, test.plan.Connections = request, 1
			load := Load{Plan: test.plan}
			var err error
			if load.Expect, err = Compile(load.Plan, []string{"errors == 0", "status[200] == sent"}); err != nil {
				t.Fatal(err)
			}
			var rows []report.Expectation
			for range 10 { // a machine with much else to do keeps some from their rate
				seen, err := load.Run(t.Context(), nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				if rows = load.Judge(seen); test.want != "" || check.Overall(rows) == report.Pass {
					break
				}
			}
			last := rows[len(rows)-1]
			if test.want == "" {
				if got := check.Overall(rows); got != report.Pass {
					t.Errorf("it is a %s: %+v", got, last)
				}
				return
			}
			if got := check.Overall(rows); got != report.Inconclusive || !strings.Contains(last.Reason, test.want) {
				t.Errorf("it is a %s, and the last row %+v; want one that says %q", got, last, test.want)
			}
		})
	}
}

// As in a scenario, a line that could not fail in a load of this size proves nothing.
func TestALineThatCannotFailIsRefused(t *testing.T) {
	request := &loadgen.HTTP{URL: "http://localhost/"}
	few := loadgen.Plan{HTTP: request, Connections: 2, Requests: 20}
	rate := loadgen.Plan{HTTP: request, Connections: 2, QPS: 10, Duration: loadgen.Duration{Duration: 2 * time.Second}}
	closing := loadgen.Plan{HTTP: &loadgen.HTTP{URL: "http://localhost/", Close: true}, Connections: 2, Requests: 20}
	for _, test := range []struct {
		plan loadgen.Plan
		line string
		can  bool // fail
	}{
		{few, "sent == 20", false},
		{few, "errors < 1000", false},
		{few, "status[200] <= 20", false},
		{few, "status[200] == 20", true},
		{few, "share(503) != 33%", false},
		{few, "connections >= 2", false},
		{few, "connections == 2", true},
		{few, "qps < 1000000000", false},
		{few, "qps < 10000", true},
		{rate, "sent <= 20", false},
		{rate, "sent == 20", true},
		{rate, "qps < 100", false},
		{few, "p50 < 3m", false}, // no request takes longer than a minute
		{rate, "service.p50 < 3m", false},
		{rate, "p50 < 3m", true}, // it may be begun any time after it was due
		{closing, "connections == 20", false},
	} {
		if _, err := Compile(test.plan, []string{test.line}); (err == nil) != test.can {
			t.Errorf("%s, of a load of %d requests at a rate of %v: %v", test.line, test.plan.Requests, test.plan.QPS, err)
		}
	}
}

// What was given up as a load was ended is no failure of the service, and no proof of one.
func TestWhatWasGivenUpIsNoFailure(t *testing.T) {
	release := make(chan struct{})
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if asked.Add(1) > 4 {
			<-release
		}
	}))
	defer server.Close()
	defer close(release)
	load := Load{Plan: loadgen.Plan{HTTP: &loadgen.HTTP{URL: server.URL}, Connections: 2}}
	var err error
	if load.Expect, err = Compile(load.Plan, []string{"errors == 0", "errors > 0", "sent > 100"}); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	hurry := make(chan struct{})
	seen, err := load.Run(ctx, hurry, func(loadgen.Progress) {
		end()
		select {
		case <-hurry:
		default:
			close(hurry)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []report.Verdict{report.Inconclusive, report.Inconclusive, report.Fail}
	for i, row := range load.Judge(seen) {
		if i < len(want) && row.Verdict != want[i] {
			t.Errorf("%s of two requests that were given up is a %s: %s", row.Expression, row.Verdict, row.Reason)
		}
	}
}

// Who is told what to write is told it in words of a load that needs no name.
func TestAHintNamesNoLoadThatThereIsNot(t *testing.T) {
	plan := loadgen.Plan{HTTP: &loadgen.HTTP{URL: "http://localhost/"}, Connections: 2, Requests: 20}
	for line, want := range map[string]string{
		"p50 <":                     `as in p50 < 1s`,
		"p50":                       `as in p50 < 1s`,
		"jason.p50 < 1s":            `unknown load "jason"; there is one, which needs no name: write p50 < 1s`,
		"baseline.p99 < 1s":         `there is no baseline; a load by itself is driven once, and under no rule: write p50 < 1s`,
		"recovery.service.p99 < 1s": `there is no recovery; a load by itself`,
		"requests(x) > 3":           `unknown function "requests"; there is one load, without a mesh whose proxies count; it is asked for sent, errors,`,
		"shar(503) < 1%":            `unknown function "shar"; there is one load, without a mesh whose proxies count; did you mean share?`,
		"c.b > 3":                   `unknown load "c"; there is one, which needs no name; it is asked for sent, errors,`,
		"c.p9 < 1s":                 `unknown load "c"; there is one, which needs no name; did you mean p90?`,
		`count("shop") > 1`:         `a load by itself looks into no answers; write a scenario`,
	} {
		_, err := Compile(plan, []string{line})
		if err == nil || strings.Contains(strings.ReplaceAll(err.Error(), line, ""), "jason.") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", line, err, want)
		}
	}
}

// A load that asks for more than it may is refused before anything is sent: by its rate, by its
// duration, and by how long its requests take at that rate.
func TestALoadThatAsksForMoreThanItMayIsRefused(t *testing.T) {
	request := &loadgen.HTTP{URL: "http://localhost/"}
	minute := loadgen.Duration{Duration: time.Minute}
	for want, load := range map[string]Load{
		"":                        {QPS: 100, Longest: time.Minute, Plan: loadgen.Plan{QPS: 100, Duration: minute}},
		"it asks for 101 request": {QPS: 100, Longest: time.Minute, Plan: loadgen.Plan{QPS: 101, Duration: minute}},
		"it lasts 1m0s, and":      {QPS: 100, Longest: 59 * time.Second, Plan: loadgen.Plan{QPS: 100, Duration: minute}},
		"it lasts 1m1s, and":      {QPS: 100, Longest: time.Minute, Plan: loadgen.Plan{QPS: 100, Requests: 6100}},
	} {
		load.Plan.HTTP, load.Plan.Connections = request, 1
		if err := load.Check(); (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", load, err, want)
		}
	}
}

// Whether a load leaves this machine goes by where it connects to, whatever its URL says.
func TestALoadIsOfThisMachineByWhereItConnectsTo(t *testing.T) {
	for _, test := range []struct {
		url, connect string
		want         bool
	}{
		{"http://127.0.0.1:8080/", "", true},
		{"http://[::1]:8080/", "", true},
		{"http://192.0.2.1/", "", false},
		{"http://192.0.2.1/", "127.0.0.1:80", true},
		{"http://127.0.0.1/", "192.0.2.1:80", false},
	} {
		got, err := Loopback(t.Context(), loadgen.Plan{HTTP: &loadgen.HTTP{URL: test.url, Connect: test.connect}})
		if err != nil || got != test.want {
			t.Errorf("%s by %q: %t, %v", test.url, test.connect, got, err)
		}
	}
}

// Nor does what is to be written instead belong to a load that the line names.
func TestAReasonNamesNoQuantityOfANamedLoad(t *testing.T) {
	plan := loadgen.Plan{HTTP: &loadgen.HTTP{URL: "http://localhost/"}, Connections: 2, Requests: 20}
	expect, err := Compile(plan, []string{"share(503) < 5%"})
	if err != nil {
		t.Fatal(err)
	}
	load := &Load{Plan: plan, Expect: expect}
	rows := load.Judge(&loadgen.Result{Sent: 20, Outcomes: []loadgen.Outcome{{Error: loadgen.ErrorTimeout, Count: 20}}})
	if want := "none of 20 requests had an answer, so that there is nothing to count; judge errors"; len(rows) == 0 || rows[0].Reason != want {
		t.Errorf("%+v, want %s", rows, want)
	}
}
