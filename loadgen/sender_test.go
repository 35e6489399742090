package loadgen

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawnPlan is one of a load at some rate, of a few thousand requests.
func drawnPlan(t *rapid.T) Plan {
	p := Plan{
		HTTP: get("http://127.0.0.1:1/"), Connections: rapid.IntRange(1, 60).Draw(t, "connections"),
		Requests: rapid.Int64Range(0, 3000).Draw(t, "requests"),
	}
	if p.Requests > 0 {
		p.Requests += int64(p.Connections)
	}
	switch rapid.SampledFrom([]string{"closed", "steady", "ramp", "stages"}).Draw(t, "shape") {
	case "closed":
		return p
	case "steady":
		p.QPS = rapid.Float64Range(0.5, 5000).Draw(t, "qps")
	case "ramp":
		p.Rate = []RatePoint{{QPS: rapid.Float64Range(0, 100).Draw(t, "from")}, {At: Duration{time.Second}, QPS: rapid.Float64Range(1, 1000).Draw(t, "to")}}
	default:
		at := time.Duration(0)
		for range rapid.IntRange(2, 6).Draw(t, "stages") {
			p.Rate = append(p.Rate, RatePoint{At: Duration{at}, QPS: rapid.Float64Range(0, 500).Draw(t, "target")})
			at += time.Duration(rapid.Int64Range(0, int64(2*time.Second)).Draw(t, "length"))
		}
		p.Rate = append(p.Rate, RatePoint{At: Duration{at + time.Millisecond}, QPS: 10})
	}
	if rapid.Bool().Draw(t, "poisson") {
		p.Arrival, p.Seed = ArrivalPoisson, rapid.Int64Range(1, maxSeed).Draw(t, "seed")
	}
	return p
}

// What the senders of a load begin is together what one sender would, each request once and
// at the same time to the nanosecond.
func TestThePartsOfAScheduleAreTheSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := drawnPlan(t)
		whole.Duration.Duration = time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(5*time.Second)).Draw(t, "duration"))
		split := whole
		split.Senders = rapid.IntRange(1, whole.Connections).Draw(t, "senders")
		if !whole.Open() {
			return
		}
		all := dueOf(whole)
		var union []time.Duration
		for _, part := range split.Parts() {
			own := dueOf(part)
			if got := part.Owed(part.Duration.Duration, part.Seed); got != int64(len(own)) {
				t.Errorf("sender %d has %d requests, and owes %d", part.Sender, len(own), got)
			}
			if len(own) > (len(all)+split.Senders-1)/split.Senders {
				t.Errorf("sender %d of %d has %d of %d requests", part.Sender, split.Senders, len(own), len(all))
			}
			union = append(union, own...)
		}
		slices.Sort(union)
		slices.Sort(all)
		if !slices.Equal(union, all) {
			t.Errorf("%d senders have %d requests, and one %d", split.Senders, len(union), len(all))
		}
	})
}

// dueOf is when each request of a plan that time ends is due.
func dueOf(p Plan) (all []time.Duration) {
	s := p.schedule(p.Seed)
	pace := &pacer{schedule: s}
	for len(all) < 20_000 {
		turn, ok := pace.claim(pace.start)
		if !ok || turn.last {
			break
		}
		all = append(all, turn.at.Sub(pace.start))
	}
	return all
}

// A closed loop has as many requests on each connection, whichever sender's that is.
func TestThePartsOfAClosedLoopAreItsConnections(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := Plan{HTTP: get("http://127.0.0.1:1/"), Connections: rapid.IntRange(1, 60).Draw(t, "connections"), Warmup: rapid.Int64Range(0, 100).Draw(t, "warmup")}
		whole.Requests = int64(whole.Connections) + rapid.Int64Range(0, 3000).Draw(t, "requests")
		split := whole
		split.Senders = rapid.IntRange(1, whole.Connections).Draw(t, "senders")
		var want, got []int64
		for i := range int64(whole.Connections) {
			want = append(want, (&pacer{schedule: whole.schedule(0)}).part(i, int64(whole.Connections)).requests)
		}
		var connections int
		var warmup, requests int64
		for _, part := range split.Parts() {
			c, err := newCohort("only", part)
			if err != nil {
				t.Fatal(err)
			}
			connections, warmup, requests = connections+c.plan.Connections, warmup+c.plan.Warmup, requests+c.plan.Requests
			own := int64(0)
			for i := range int64(c.plan.Connections) {
				n := c.load.part(i, int64(c.plan.Connections)).requests
				got, own = append(got, n), own+n
			}
			if own != c.plan.Requests {
				t.Errorf("sender %d is to send %d requests, and its connections %d", part.Sender, c.plan.Requests, own)
			}
			c.close()
		}
		slices.Sort(want)
		slices.Sort(got)
		if connections != whole.Connections || warmup != whole.Warmup || requests != whole.Requests || !slices.Equal(got, want) {
			t.Errorf("%d senders have %d connections with %v requests, %d, and %d of a warm-up; want %d with %v and %d", split.Senders, connections, got, requests, warmup, whole.Connections, want, whole.Warmup)
		}
	})
}

// Senders on the wire send what one would, and their results merge to that.
func TestSendersTogetherSendTheLoad(t *testing.T) {
	for _, engine := range engines {
		for _, plan := range []Plan{
			{Connections: 7, Requests: 101, Senders: 3},
			{Connections: 7, Requests: 101, Senders: 3, QPS: 500, Warmup: 8},
		} {
			var served atomic.Int64
			url := startHTTP(t, func(w http.ResponseWriter, _ *http.Request) { served.Add(1) })
			plan.HTTP, plan.Engine = get(url), engine
			var parts []SenderResult
			for _, part := range plan.Parts() {
				parts = append(parts, SenderResult{Name: "one", Result: run(t, part)})
			}
			r, err := plan.Merge(parts)
			if err != nil {
				t.Fatal(err)
			}
			if r.Sent != 101 || r.Warmup != plan.Warmup || served.Load() != 101+plan.Warmup || answered(r, 200) != 101 || r.Response.Count() != 101 || r.Planned != 101 || r.Connections != 7 || r.Missed != 0 {
				t.Errorf("engine %s, %v qps: %d sent, %d served, of a warm-up %d; %+v", engine, plan.QPS, r.Sent, served.Load(), r.Warmup, r)
			}
			if plan.QPS > 0 && (r.TargetQPS != 500 || r.Lag.Count() != 101 || r.LastBegun.Duration < 200*time.Millisecond) {
				t.Errorf("engine %s: at %v qps, the last was begun at %v, %d lags", engine, r.TargetQPS, r.LastBegun, r.Lag.Count())
			}
			if got := []int64{r.Senders[0].Sent, r.Senders[1].Sent, r.Senders[2].Sent}; r.Series == nil && engine != EngineFortio || sum(got) != 101 || plan.QPS > 0 && !slices.Equal(got, []int64{34, 34, 33}) {
				t.Errorf("engine %s: the senders sent %v", engine, got)
			}
		}
	}
}

// What senders draw together, with which values, is what one would: the lists of each
// connection, and each request by its number.
func TestSendersTogetherSendTheListOfOne(t *testing.T) {
	for _, engine := range ours {
		for name, plan := range map[string]Plan{
			"in turn":        {Connections: 7, Requests: 98}, // so that each list comes to its end
			"drawn":          {Connections: 7, Requests: 101, Warmup: 8},
			"drawn in time":  {Connections: 7, Requests: 101, QPS: 2000, Warmup: 8},
			"one with a row": {Connections: 7, Requests: 101, QPS: 2000, Arrival: ArrivalPoisson},
		} {
			t.Run(engine+" "+name, func(t *testing.T) {
				t.Parallel()
				var server asking
				url := startHTTP(t, server.serve(func(r *http.Request, _ string) string { return r.URL.Path }))
				plan.Engine, plan.Values = engine, &Values{File: "words.csv", Columns: []string{"word"}, Count: 10, Rows: tenRows()}
				for i, path := range []string{"/a/{{.word}}", "/b/{{.word}}"} {
					r := Request{Name: path[1:2], HTTP: *get(url + path)}
					if name != "in turn" {
						plan.Seed, r.Weight = 17, int64(3-i)
					}
					plan.Send = append(plan.Send, r)
				}
				if name == "one with a row" {
					plan.HTTP, plan.Send = &plan.Send[0].HTTP, nil
				}
				one := run(t, plan)
				want := server.all
				server.all = map[string]int64{}
				plan.Senders = 3
				var parts []SenderResult
				for _, part := range plan.Parts() {
					parts = append(parts, SenderResult{Name: "one", Result: run(t, part)})
				}
				r, err := plan.Merge(parts)
				if err != nil {
					t.Fatal(err)
				}
				if r.Sent != plan.Requests || len(want) < 10 || !maps.Equal(server.all, want) {
					t.Errorf("of three senders %d requests came as %v, and of one as %v", r.Sent, server.all, want)
				}
				for _, of := range plan.Send {
					if got, want := r.Of(of.Name), one.Of(of.Name); got.Sent != want.Sent || got.Response.Count() != want.Response.Count() {
						t.Errorf("of %s three senders have sent %d, and one %d", of.Name, got.Sent, want.Sent)
					}
				}
			})
		}
	}
}

func tenRows() (rows [][]string) {
	for i := range 10 {
		rows = append(rows, []string{strconv.Itoa(i)})
	}
	return rows
}

// A time to think is that of a request by its number, whoever sends it.
func TestRequestsOfSendersHaveTheNumbersOfOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := Plan{HTTP: get("http://127.0.0.1:1/"), Connections: rapid.IntRange(1, 20).Draw(t, "connections"), QPS: rapid.SampledFrom([]float64{0, 100}).Draw(t, "qps")}
		plan.Requests = int64(plan.Connections) + rapid.Int64Range(0, 300).Draw(t, "requests")
		plan.Senders = rapid.IntRange(1, plan.Connections).Draw(t, "senders")
		var numbers []int64
		for _, part := range plan.Parts() {
			c, err := newCohort("only", part)
			if err != nil {
				t.Fatal(err)
			}
			claimed := map[*pacer]bool{}
			for i := range int64(c.plan.Connections) {
				p := c.load.part(i, int64(c.plan.Connections))
				if claimed[p] {
					continue
				}
				claimed[p] = true
				for turn, ok := p.claim(p.start); ok; turn, ok = p.claim(p.start) {
					numbers = append(numbers, turn.n)
				}
			}
			c.close()
		}
		slices.Sort(numbers)
		for i, n := range numbers {
			if int64(i) != n {
				t.Fatalf("request %d is missing, or there twice: %v", i, numbers)
			}
		}
		if int64(len(numbers)) != plan.Requests {
			t.Errorf("%d requests have a number, of %d", len(numbers), plan.Requests)
		}
	})
}

func TestALoadOfManySendersIsNotSentByOne(t *testing.T) {
	plan := Plan{HTTP: get("http://127.0.0.1:1/"), Connections: 4, Requests: 4, Senders: 2}
	if _, err := runUntil(t.Context(), plan); err == nil {
		t.Error("one sender carries out a load of two")
	}
	for _, wrong := range []Plan{{Senders: 5}, {Senders: -1}, {Sender: 1}, {Senders: 2, Sender: 3}, {Senders: maxSenders + 1}, {Senders: 2, AbortOn: 503}} {
		wrong.HTTP, wrong.Connections, wrong.Requests = plan.HTTP, 4, 4
		if err := wrong.Validate(); err == nil {
			t.Errorf("%d of %d senders for 4 connections are valid", wrong.Sender, wrong.Senders)
		}
	}
}
