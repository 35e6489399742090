package loadgen

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

func TestLagIsOfThatAloneForWhichNoConnectionWasAwaited(t *testing.T) {
	const ms = time.Millisecond
	start := time.Now()
	at := start.Add
	for _, tt := range []struct {
		name                          string
		behind, free, intended, begun time.Duration
		want                          time.Duration
	}{
		{"in time", 0, 0, 10 * ms, 10 * ms, 0},
		{"late though a connection was free", 0, 0, 10 * ms, 14 * ms, 4 * ms},
		{"as soon as a connection was free", 0, 90 * ms, 10 * ms, 90 * ms, 0},
		{"late, and later than a connection was free", 0, 90 * ms, 10 * ms, 93 * ms, 3 * ms},
		{"waited for one that lagged, and for no other reason", 100 * ms, 90 * ms, 10 * ms, 90 * ms, 80 * ms},
		{"waited for one that lagged, and for the server", 30 * ms, 90 * ms, 10 * ms, 93 * ms, 33 * ms},
		{"in time behind one that lagged", 30 * ms, 5 * ms, 10 * ms, 10 * ms, 0},
	} {
		e := ended{behind: tt.behind, free: at(tt.free), intended: at(tt.intended), begun: at(tt.begun)}
		if got := e.lag(); got != tt.want {
			t.Errorf("%s: a lag of %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A server that stalls makes requests wait for its one connection. That is its doing, and
// none of the generator's, whichever engine drives it.
func TestAStallOfTheServerIsNoLag(t *testing.T) {
	const stall = 400 * time.Millisecond
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			inTime(t, func() string {
				r := run(t, Plan{Engine: engine, HTTP: get(stalling(t, stall)), Connections: 1, Requests: 40, QPS: 100})
				if longest, ok := r.Response.Max(); !ok || longest < stall {
					t.Fatalf("no response time is above %v: %v", stall, longest)
				}
				if r.Lag.Count() != r.Sent {
					t.Errorf("the lag of %d requests is known, and %d were sent", r.Lag.Count(), r.Sent)
				}
				median, _ := r.Lag.Quantile(0.5)
				late, _ := r.Lag.Quantile(0.9)
				if r.Late < 20 || late > stall/4 {
					return fmt.Sprintf("%d of %d were late; the lag is %v, and of a tenth above %v; want those that waited for the connection to have next to none", r.Late, r.Sent, median, late)
				}
				return ""
			})
		})
	}
}

func TestAClosedLoopHasNoLag(t *testing.T) {
	for _, engine := range engines {
		if r := run(t, Plan{Engine: engine, HTTP: get(stalling(t, 0)), Connections: 2, Requests: 10}); r.Lag != nil {
			t.Errorf("%s: a closed loop has a lag of %d requests", engine, r.Lag.Count())
		}
	}
}

// Whatever keeps the generator from beginning what is due on a connection that is free,
// such as a machine that does something else, is its own lateness; and so is what then waits
// behind that.
func TestAGeneratorThatIsHeldUpLags(t *testing.T) {
	const held = 200 * time.Millisecond
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			c, err := newCohort("a", Plan{Engine: engine, HTTP: get(stalling(t, 0)), Connections: 1, Requests: 40, QPS: 100})
			if err != nil {
				t.Fatal(err)
			}
			defer c.close()
			if err := c.driver.open(t.Context()); err != nil {
				t.Fatal(err)
			}
			c.load.start = time.Now()
			c.driver.drive(t.Context(), c.load, func(e *ended) {
				c.rec.record(e)
				if c.rec.sent == 10 {
					<-time.After(held)
				}
			})
			c.endedAt = time.Now()
			r := c.soFar()
			all, _ := r.Response.Max() // which a machine that does something else makes longer, too
			if longest, _ := r.Lag.Max(); longest < held*9/10 || longest > all {
				t.Errorf("held up for %v it lagged by %v, where no response time is above %v", held, longest, all)
			}
			tenth, _ := r.Lag.Quantile(0.9)
			if most, _ := r.Lag.Quantile(0.7); r.Late < 15 || tenth < held/2 || most < held/10 {
				t.Errorf("%d of 40 requests were late, since one was held up and the rest waited for its connection; the lag is above %v of 4, and above %v of 12", r.Late, tenth, most)
			}
		})
	}
}

// stalling is the URL of a server that takes its time for one of the first answers.
func stalling(t *testing.T, stall time.Duration) string {
	var served atomic.Int64
	return startHTTP(t, func(http.ResponseWriter, *http.Request) {
		if served.Add(1) == 5 {
			<-time.After(stall)
		}
	})
}
