package loadgen

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// While one answer does not come the requests that are due meanwhile get connections of
// their own, up to the bound: it comes when all others have been answered.
func TestConnectionsGrowWhileAnAnswerIsAwaited(t *testing.T) {
	for _, engine := range []string{EngineEpoll, EngineNetHTTP} {
		var served atomic.Int64
		others := make(chan struct{})
		url := startHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
			switch served.Add(1) {
			case 5:
				select {
				case <-others:
				case <-r.Context().Done():
				}
			case 60:
				close(others)
			}
		})
		r := run(t, Plan{Engine: engine, HTTP: get(url), Connections: 1, MaxConnections: 30, Requests: 60, QPS: 100})
		if answered(r, 200) != 60 || r.Missed != 0 || r.Grown < 1 || r.Grown > 29 {
			t.Errorf("%s: %v, missed %d, grown by %d", engine, r.Outcomes, r.Missed, r.Grown)
		}
	}
}

// Where they may not, they wait for the one that there is.
func TestConnectionsDoNotGrowUnlessTheyMay(t *testing.T) {
	for _, engine := range []string{EngineEpoll, EngineNetHTTP} {
		r := run(t, Plan{Engine: engine, HTTP: get(stalling(t, 500*time.Millisecond)), Connections: 1, Requests: 60, QPS: 100})
		if late, _ := r.Response.Quantile(0.95); r.Sent != 60 || r.Missed != 0 || r.Grown != 0 || r.Dialed != 1 || late < 350*time.Millisecond {
			t.Errorf("%s: sent %d, missed %d, grown by %d, p95 %v", engine, r.Sent, r.Missed, r.Grown, late)
		}
	}
}

// full is a server that answers nothing before so many requests are there at once, and
// nothing at once thereafter; and what the most were that there were.
func full(t *testing.T, connections int) (url string, most func() int) {
	var mu sync.Mutex
	now, highest := 0, 0
	reached := make(chan struct{})
	url = startHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now++
		if now > highest {
			if highest = now; now == connections {
				close(reached)
			}
		}
		mu.Unlock()
		select {
		case <-reached:
			<-time.After(200 * time.Millisecond) // in which more could come
		case <-r.Context().Done():
		}
		mu.Lock()
		now--
		mu.Unlock()
	})
	return url, func() int {
		mu.Lock()
		defer mu.Unlock()
		return highest
	}
}

// At the bound it is as without: nothing more is opened, and what is due waits.
func TestConnectionsGrowNoFurtherThanTheirBound(t *testing.T) {
	for _, engine := range []string{EngineEpoll, EngineNetHTTP} {
		url, most := full(t, 6)
		r := run(t, Plan{Engine: engine, HTTP: get(url), Connections: 2, MaxConnections: 6, Requests: 40, QPS: 200})
		// The 7th is due after 30 ms, and begun when the first is answered, after 200 ms.
		if answered(r, 200) != 40 || r.Grown != 4 || r.Dialed != 6 || r.Used != 6 || most() != 6 || r.Late < 30 {
			t.Errorf("%s: %v, grown by %d, %d dialed, %d used, %d at once, %d late; want 2 grown to 6", engine, r.Outcomes, r.Grown, r.Dialed, r.Used, most(), r.Late)
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
	if since := small.free.first.since; since.After(p.start) {
		t.Errorf("a connection that could have been there before is free only %v after the start: that no request began meanwhile would be no lag", since.Sub(p.start))
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
	url, most := full(t, 3*loops)
	r := runLoops(t, loops, Plan{HTTP: get(url), Connections: loops, MaxConnections: 3 * loops, Requests: 100, QPS: 300})
	if answered(r, 200) != 100 || r.Grown != 2*loops || r.Dialed != 3*loops || most() != 3*loops {
		t.Errorf("%v, grown by %d, %d dialed, %d at once; want %d grown to %d", r.Outcomes, r.Grown, r.Dialed, most(), loops, 3*loops)
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
