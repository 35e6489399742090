package loadgen

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// mostOfAResult is what a load may take of a record, in bytes: of nine, as three cohorts
// have in baseline, one step and recovery, none makes it larger than 1 MB.
const mostOfAResult = 1_000_000 / 9

// sized is how many bytes a result takes of a record.
func sized(t testing.TB, r *Result) int {
	t.Helper()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > mostOfAResult {
		t.Errorf("the result takes %d bytes of a record", len(text))
	}
	return len(text)
}

// inUse is how much of the heap is.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// timed is a connection to a server that takes its time, and has answers of many kinds.
type timed struct {
	draw *rand.Rand
	sent int64
	at   map[int64]func() // called when so many were sent
}

func (c *timed) open(context.Context) error { return nil }

func (c *timed) send(context.Context, time.Time) (reply, int64) {
	time.Sleep(time.Duration(50+c.draw.ExpFloat64()*200) * time.Millisecond)
	c.sent++
	if call := c.at[c.sent]; call != nil {
		call()
	}
	switch n := c.draw.IntN(100); {
	case n < 5:
		return reply{status: 503}, 0
	case n < 6:
		return reply{err: ErrorTimeout}, 0
	default:
		return reply{status: 200, version: []string{"v1", "v2", "v3"}[n%3]}, 0
	}
}

func (c *timed) requestID() (*requestID, string) { return new(requestID), "10.0.0.1:4711" }
func (c *timed) cut()                            {}
func (c *timed) dialed() int64                   { return 1 }
func (c *timed) close()                          {}

// A load of a day is kept in no more memory than one of two hours, nor is it told in more.
func TestALoadOfADayTakesNoMoreThanOneOfTwoHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const qps = 2
		c, err := newCohort("client", Plan{HTTP: &HTTP{Method: "GET", URL: "http://127.0.0.1/"}, Connections: 1, QPS: qps, Duration: Duration{Duration: 24 * time.Hour}})
		if err != nil {
			t.Fatal(err)
		}
		var early, late uint64
		c.driver = &blocking{begun: &c.begun, plan: &c.plan, used: 1, users: make([]*user, 1), conns: []connection{&timed{draw: rand.New(rand.NewPCG(1, 2)), at: map[int64]func(){
			2 * 3600 * qps:  func() { early = inUse() },
			23 * 3600 * qps: func() { late = inUse() },
		}}}}
		c.load.start = time.Now()
		c.run(t.Context())
		r := c.result()
		if r.Sent != 24*3600*qps || r.Elapsed.Duration < 24*time.Hour-time.Second {
			t.Fatalf("%d were sent in %v", r.Sent, r.Elapsed)
		}
		if slots := len(r.Series.Begun); slots < mostSlots/2 || slots > mostSlots {
			t.Errorf("its series has %d slots", slots)
		}
		t.Logf("%d requests: %d bytes of a record, %d KB in use after two hours, %d KB after 23", r.Sent, sized(t, r), early>>10, late>>10)
		if late > early+early/10+1<<20 {
			t.Errorf("%d KB are in use after two hours, %d KB after 23", early>>10, late>>10)
		}
	})
}

// BenchmarkLong sends ten million requests, with -benchtime 10000000x, and prints how much
// memory is in use when a tenth and when nine tenths of them were sent, and what their
// result takes of a record.
func BenchmarkLong(b *testing.B) {
	url, _ := startServer(b)
	var early, late uint64
	results, err := RunGroup(b.Context(), map[string]Plan{"client": {HTTP: get(url), Connections: min(benchConnections, b.N), Requests: int64(b.N)}}, Bounds{}, nil, func(p Progress) {
		switch {
		case early == 0 && p.Sent >= p.Planned/10:
			early = inUse()
		case late == 0 && p.Sent >= p.Planned/10*9:
			late = inUse()
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(early)/1e6, "MB-at-10%")
	b.ReportMetric(float64(late)/1e6, "MB-at-90%")
	b.ReportMetric(float64(sized(b, results["client"]))/1e3, "record-KB")
}
