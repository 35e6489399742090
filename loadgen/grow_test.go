package loadgen

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// While one answer does not come the requests that are due meanwhile get connections of
// their own, up to the bound, and those beyond it wait.
func TestConnectionsGrowWhileAnswersAreAwaited(t *testing.T) {
	for _, engine := range []string{EngineEpoll, EngineNetHTTP} {
		for most, want := range map[int]struct {
			grown      int
			least, max time.Duration
		}{0: {0, 350 * time.Millisecond, time.Second}, 30: {1, 0, 300 * time.Millisecond}} {
			var served atomic.Int64
			url := startHTTP(t, func(http.ResponseWriter, *http.Request) {
				if served.Add(1) == 5 {
					<-time.After(500 * time.Millisecond)
				}
			})
			r := run(t, Plan{Engine: engine, HTTP: get(url), Connections: 1, MaxConnections: most, Requests: 60, QPS: 100})
			second, _ := r.Response.Quantile(0.95)
			if r.Sent != 60 || r.Missed != 0 || r.Grown < want.grown || r.Grown > want.grown*29 || second < want.least || second > want.max {
				t.Errorf("%s, up to %d: sent %d, missed %d, grown by %d, p95 %v; want them grown by %d and p95 from %v to %v", engine, most, r.Sent, r.Missed, r.Grown, second, want.grown, want.least, want.max)
			}
		}
	}
}

// At the bound it is as without: nothing more is opened, and what is due waits.
func TestConnectionsGrowNoFurtherThanTheirBound(t *testing.T) {
	for _, engine := range []string{EngineEpoll, EngineNetHTTP} {
		var now, most atomic.Int64
		url := startHTTP(t, func(http.ResponseWriter, *http.Request) {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			<-time.After(200 * time.Millisecond)
			now.Add(-1)
		})
		r := run(t, Plan{Engine: engine, HTTP: get(url), Connections: 2, MaxConnections: 6, Duration: Duration{Duration: time.Second}, QPS: 200})
		if r.Grown != 4 || r.Dialed != 6 || r.Used != 6 || most.Load() != 6 || r.Missed < 100 {
			t.Errorf("%s: grown by %d, %d dialed, %d used, %d at once, %d missed; want 2 grown to 6", engine, r.Grown, r.Dialed, r.Used, most.Load(), r.Missed)
		}
	}
}

// Several loops grow as one would: none adds a connection while one of any is free, one alone
// does when none is, and where that has no room those that have hear of it.
func TestLoopsGrowTogether(t *testing.T) {
	d := share(&request{script: new(script), plan: &Plan{Connections: 2, MaxConnections: 5}}, 2)
	rung := 0
	d.spare.ring = func() { rung++ }
	p := &pacer{schedule: schedule{rate: steady(1000)}, start: time.Now().Add(-time.Second)}
	for _, l := range d.all {
		l.ctx, l.pacer, l.now = t.Context(), p, time.Now()
		l.free.add(&l.conns[0])
	}
	d.spare.begin(d.all)
	take := func(l *loop) {
		l.free.remove(l.free.first)
		l.spare.taken(l)
	}
	large, small := d.all[0], d.all[1] // which have room for two, and for one
	take(large)
	if large.lacks() {
		t.Error("a connection is lacking while the other loop has one that is free")
	}
	take(small)
	if !large.lacks() || !small.lacks() || rung != 0 {
		t.Errorf("no connection is free: lacking are one %t and %t, and loops that watch were rung %d times", large.lacks(), small.lacks(), rung)
	}
	if !small.grow() || large.grow() || large.lacks() || d.grown() != 1 {
		t.Fatalf("both added a connection for one request, or neither: grown by %d", d.grown())
	}
	if take(small); rung != 1 || small.lacks() || !large.lacks() {
		t.Errorf("the loop without room has the last connection, and the other was rung %d times", rung)
	}
	for range 2 {
		if !large.grow() {
			t.Error("there is room, and no connection was added")
		}
		take(large)
	}
	if rung != 1 || large.lacks() || d.grown() != 3 {
		t.Errorf("grown by %d of 3, and loops without room were rung %d times", d.grown(), rung)
	}
}

func TestLoopsGrowToTheBoundOfAll(t *testing.T) {
	const loops = 6
	var now, most atomic.Int64
	url := startHTTP(t, func(http.ResponseWriter, *http.Request) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		<-time.After(200 * time.Millisecond)
		now.Add(-1)
	})
	r := runLoops(t, loops, Plan{HTTP: get(url), Connections: loops, MaxConnections: 3 * loops, Duration: Duration{Duration: time.Second}, QPS: 300})
	if r.Grown != 2*loops || r.Dialed != 3*loops || most.Load() != 3*loops {
		t.Errorf("grown by %d, %d dialed, %d at once; want %d grown to %d", r.Grown, r.Dialed, most.Load(), loops, 3*loops)
	}
}

// runLoops carries a plan out by so many loops, however many processors there are.
func runLoops(t *testing.T, n int, plan Plan) *Result {
	t.Helper()
	plan.Engine = EngineEpoll
	c, err := newCohort("a", plan)
	if err != nil {
		t.Fatal(err)
	}
	c.driver = share(c.driver.(*loops).all[0].request, n)
	defer c.close()
	if err := c.driver.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.load.start = time.Now()
	c.run(t.Context())
	return c.result()
}
