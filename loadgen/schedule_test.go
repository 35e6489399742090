package loadgen

import (
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// work takes requests from a pacer on several connections, each of which needs
// service for one, and returns the intended starts and the actual ones, by time
// since the start.
func work(t *testing.T, p *pacer, connections int, service func(i int) time.Duration) (intended, begun []time.Duration) {
	var mu sync.Mutex
	var working sync.WaitGroup
	for range connections {
		working.Go(func() {
			timer := time.NewTimer(time.Hour)
			defer timer.Stop()
			for {
				turn, ok := p.next(t.Context(), timer, time.Now())
				due := turn.at
				if !ok {
					return
				}
				mu.Lock()
				i := len(begun)
				intended, begun = append(intended, due.Sub(p.start)), append(begun, time.Since(p.start))
				mu.Unlock()
				<-time.After(service(i))
			}
		})
	}
	working.Wait()
	return intended, begun
}

func constant(d time.Duration) func(int) time.Duration {
	return func(int) time.Duration { return d }
}

func TestOpenLoopKeepsIntendedStartsThroughAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pacer{schedule: schedule{rate: steady(10), requests: 8}, start: time.Now()}
		stall := func(i int) time.Duration {
			if i == 2 {
				return 350 * time.Millisecond
			}
			return time.Millisecond
		}
		intended, begun := work(t, p, 1, stall)
		const ms = time.Millisecond
		if want := []time.Duration{0, 100 * ms, 200 * ms, 300 * ms, 400 * ms, 500 * ms, 600 * ms, 700 * ms}; !slices.Equal(intended, want) {
			t.Errorf("intended %v, want %v", intended, want)
		}
		if want := []time.Duration{0, 100 * ms, 200 * ms, 550 * ms, 551 * ms, 552 * ms, 600 * ms, 700 * ms}; !slices.Equal(begun, want) {
			t.Errorf("begun %v, want %v", begun, want)
		}
	})
}

func TestConnectionsShareOneSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pacer{schedule: schedule{rate: steady(100), requests: 50}, start: time.Now()}
		_, begun := work(t, p, 7, constant(60*time.Millisecond))
		for i, at := range begun {
			if want := time.Duration(i) * 10 * time.Millisecond; at != want {
				t.Fatalf("request %d began at %v, want %v", i, at, want)
			}
		}
		if len(begun) != 50 {
			t.Errorf("%d began, want 50", len(begun))
		}
	})
}

func TestDurationEndsTheLoad(t *testing.T) {
	for _, tt := range []struct {
		name     string
		schedule schedule
		service  time.Duration
		begun    int
		ended    time.Duration
	}{
		{"a closed loop begins nothing after it", schedule{duration: time.Second}, 300 * time.Millisecond, 4, 1200 * time.Millisecond},
		{"an open loop lasts until it", schedule{rate: steady(2), duration: 1800 * time.Millisecond}, time.Millisecond, 4, 1800 * time.Millisecond},
		{"an open loop that lags begins nothing after it", schedule{rate: steady(10), duration: time.Second}, 400 * time.Millisecond, 3, 1200 * time.Millisecond},
		{"the requests may end it first", schedule{requests: 2, duration: time.Second}, 100 * time.Millisecond, 2, 200 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &pacer{schedule: tt.schedule, start: time.Now()}
				_, begun := work(t, p, 1, constant(tt.service))
				if ended := time.Since(p.start); len(begun) != tt.begun || ended != tt.ended {
					t.Errorf("%d began and it ended at %v, want %d and %v", len(begun), ended, tt.begun, tt.ended)
				}
			})
		})
	}
}

func TestHaltedScheduleBeginsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		halted := make(chan struct{})
		p := &pacer{schedule: schedule{rate: steady(1)}, start: time.Now(), halted: halted}
		time.AfterFunc(2500*time.Millisecond, func() { close(halted) })
		_, begun := work(t, p, 4, constant(0))
		if ended := time.Since(p.start); len(begun) != 3 || ended != 2500*time.Millisecond {
			t.Errorf("%d began and it ended at %v, want 3 and 2.5s", len(begun), ended)
		}
	})
}

func TestOwedCountsIntendedStarts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawnSchedule(t)
		s.requests = rapid.Int64Range(0, 300).Draw(t, "requests")
		s.duration = time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "duration"))
		elapsed := time.Duration(rapid.Int64Range(0, int64(2*time.Second)).Draw(t, "elapsed"))
		var want int64
		for i := int64(0); s.intended(i) < elapsed && !s.over(s.intended(i)) && !s.exhausted(i); i++ {
			want++
		}
		if got := s.owed(elapsed); got != want {
			t.Fatalf("owed(%v) = %d, want %d", elapsed, got, want)
		}
	})
}

// drawnSchedule is one of any shape.
func drawnSchedule(t *rapid.T) schedule {
	plan := Plan{QPS: rapid.Float64Range(0.1, 5000).Draw(t, "qps")}
	if rapid.Bool().Draw(t, "changing") {
		plan.QPS, plan.Rate = 0, drawnRate(t)
	}
	if rapid.Bool().Draw(t, "poisson") {
		plan.Arrival = ArrivalPoisson
	}
	return plan.schedule(rapid.Int64Range(1, maxSeed).Draw(t, "seed"))
}

func drawnRate(t *rapid.T) []RatePoint {
	qps := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0.1, 2000))
	points := []RatePoint{{QPS: qps.Draw(t, "first")}}
	at := int64(0)
	for range rapid.IntRange(0, 6).Draw(t, "points") {
		at += rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(1, int64(time.Second))).Draw(t, "later")
		points = append(points, RatePoint{Duration{Duration: time.Duration(at)}, qps.Draw(t, "qps")})
	}
	if through(points).peak() == 0 {
		points[len(points)-1].QPS = 100
	}
	return points
}

// counted is how many requests are due from one time to another, added up in small steps
// rather than by the formula.
func counted(points []RatePoint, from, to time.Duration) (sum float64) {
	at := func(t time.Duration) float64 {
		i := len(points) - 1
		for i > 0 && points[i].At.Duration > t {
			i--
		}
		if i == len(points)-1 {
			return points[i].QPS
		}
		a, b := points[i], points[i+1]
		return a.QPS + (b.QPS-a.QPS)*float64(t-a.At.Duration)/float64(b.At.Duration-a.At.Duration)
	}
	var edges []time.Duration
	for _, p := range points {
		edges = append(edges, p.At.Duration)
	}
	edges = append(edges, from, to)
	slices.Sort(edges)
	for i := 1; i < len(edges); i++ {
		if a, b := edges[i-1], edges[i]; a >= from && b <= to {
			sum += at(a+(b-a)/2) * (b - a).Seconds() // in a straight line the middle is the mean
		}
	}
	return sum
}

func TestAsManyAreDueInAnyTimeAsTheRateComesTo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points := drawnRate(t)
		s := schedule{rate: through(points)}
		from := time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "from"))
		to := from + time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "for"))
		got, want := s.owed(to)-s.owed(from), counted(points, from, to)
		if math.Abs(float64(got)-want) > 1.001 { // a request on either edge is in or out
			t.Fatalf("%d are due from %v to %v, and the rate comes to %v", got, from, to, want)
		}
		if by := s.rate.by(to); math.Abs(by-counted(points, 0, to)) > 1e-4 {
			t.Fatalf("%v are due by %v, and the rate comes to %v", by, to, counted(points, 0, to))
		}
	})
}

func TestNothingIsDueBeforeWhatIsBeforeIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawnSchedule(t)
		first := rapid.Int64Range(0, 5000).Draw(t, "first")
		for i := first + 1; i < first+100; i++ {
			if a, b := s.intended(i-1), s.intended(i); a > b || a < 0 {
				t.Fatalf("request %d is due at %v, and the one before it at %v", i, b, a)
			}
		}
	})
}

// However long a load has lasted, its requests are due when they would have been by a rate
// that has never been anything else.
func TestScheduleDoesNotDrift(t *testing.T) {
	s := schedule{rate: through([]RatePoint{{QPS: 10}, {At: Duration{Duration: 30 * time.Second}, QPS: 200}})}
	const ramped = (10 + 200) / 2 * 30 // requests, after which 200 a second are due
	for _, n := range []int64{0, 1, 200, 1_000_000, 1_000_000_000} {
		want := 30*time.Second + time.Duration(n)*5*time.Millisecond
		if got := s.intended(ramped + n); got < want-time.Microsecond || got > want+time.Microsecond {
			t.Errorf("request %d is due at %v, want %v", ramped+n, got, want)
		}
	}
	steady := schedule{rate: steady(3)}
	if got := steady.intended(3_000_000_000); got != 1_000_000_000*time.Second {
		t.Errorf("at 3 a second the request 3,000,000,000 is due at %v", got)
	}
}

func TestARampBeginsSlowlyAndARateOfNothingWaits(t *testing.T) {
	const ms = time.Millisecond
	at := func(d time.Duration, qps float64) RatePoint { return RatePoint{Duration{Duration: d}, qps} }
	for _, tt := range []struct {
		name   string
		points []RatePoint
		want   []time.Duration
	}{
		{"from nothing", []RatePoint{at(0, 0), at(2*time.Second, 4)}, []time.Duration{0, 1000 * ms, 1414213562, 1732050807, 2000 * ms, 2250 * ms}},
		{"to nothing", []RatePoint{at(0, 4), at(2*time.Second, 0)}, []time.Duration{0, 267949192, 585786437, 1000 * ms, never}},
		{"a jump", []RatePoint{at(0, 2), at(time.Second, 2), at(time.Second, 10)}, []time.Duration{0, 500 * ms, 1000 * ms, 1100 * ms}},
		{"a pause", []RatePoint{at(0, 2), at(time.Second, 2), at(time.Second, 0), at(3*time.Second, 0), at(3*time.Second, 2)}, []time.Duration{0, 500 * ms, 3000 * ms, 3500 * ms}},
		{"nothing at first", []RatePoint{at(0, 0), at(time.Second, 0), at(time.Second, 2)}, []time.Duration{1000 * ms, 1500 * ms}},
	} {
		s := schedule{rate: through(tt.points)}
		for i, want := range tt.want {
			if got := s.intended(int64(i)); got < want-2 || got > want+2 {
				t.Errorf("%s: request %d is due at %v, want %v", tt.name, i, got, want)
			}
		}
	}
}

func TestARateIsAskedForFromWhenItChanges(t *testing.T) {
	at := func(s int, qps float64) RatePoint {
		return RatePoint{Duration{Duration: time.Duration(s) * time.Second}, qps}
	}
	p := Plan{Rate: []RatePoint{at(0, 10), at(4, 30), at(4, 5), at(6, 5), at(6, 0)}}
	for when, want := range map[time.Duration]float64{
		0: 10, 2 * time.Second: 20, 4*time.Second - 1: 30, 4 * time.Second: 5, 6*time.Second - 1: 5, 6 * time.Second: 0, time.Hour: 0,
	} {
		if got := p.RateAt(when); math.Abs(got-want) > 1e-6 {
			t.Errorf("after %v it is %v, want %v", when, got, want)
		}
	}
	p.Senders, p.Sender = 4, 2
	if got := p.RateAt(0); got != 2.5 {
		t.Errorf("one of four senders is asked for %v", got)
	}
}

// The gaps of what arrives as Poisson has it are exponential, and independent: of those of
// a seed as many are as long as they should be (Kolmogorov and Smirnov's test at 10^-5),
// and none goes with the one before it.
func TestPoissonArrivalsHaveExponentialGaps(t *testing.T) {
	const n = 20_000
	for seed := int64(1); seed <= 5; seed++ {
		d := newDraws(seed)
		gaps := make([]float64, n)
		for i := range gaps {
			gaps[i] = d.gap(int64(i))
		}
		var together float64
		for i := 1; i < n; i++ {
			together += (gaps[i] - 1) * (gaps[i-1] - 1) / n
		}
		if math.Abs(together) > 4.5/math.Sqrt(n) {
			t.Errorf("seed %d: gaps go with those before them, by %v", seed, together)
		}
		slices.Sort(gaps)
		for i, gap := range gaps {
			if off := math.Abs(1 - math.Exp(-gap) - float64(i)/n); off > 2.47/math.Sqrt(n) {
				t.Fatalf("seed %d: %v of the gaps are at most %v, want %v", seed, float64(i)/n, gap, 1-math.Exp(-gap))
			}
		}
	}
}

// Whoever knows the seed knows each arrival, in whatever order it is asked for.
func TestArrivalsAreThoseOfTheirSeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Int64Range(1, maxSeed).Draw(t, "seed")
		inOrder, anyhow := newDraws(seed), newDraws(seed)
		var all []float64
		for i := range int64(3 * everySum) {
			all = append(all, inOrder.arrival(i))
		}
		for _, i := range rapid.SliceOfN(rapid.Int64Range(0, 3*everySum-1), 1, 20).Draw(t, "order") {
			if got := anyhow.arrival(i); got != all[i] {
				t.Fatalf("arrival %d is at %v, and in order at %v", i, got, all[i])
			}
		}
		if other := newDraws(seed + 1); other.arrival(100) == all[100] || other.arrival(99) == all[100] {
			t.Fatal("the next seed has the same arrivals")
		}
	})
}

func TestPoissonIsOneScheduleOfAllConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := Plan{QPS: 100, Requests: 200, Arrival: ArrivalPoisson}
		p := &pacer{schedule: plan.schedule(7), start: time.Now()}
		intended, begun := work(t, p, 50, constant(60*time.Millisecond))
		for i, at := range begun {
			if want := plan.Due(int64(i), 7); at != want || intended[i] != want {
				t.Fatalf("request %d was due at %v and began at %v, want %v", i, intended[i], at, want)
			}
		}
		if len(begun) != 200 {
			t.Errorf("%d began, want 200", len(begun))
		}
	})
}

func TestARateOfNothingIsWaitedOutUntilTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		halted := make(chan struct{})
		p := &pacer{schedule: schedule{rate: through([]RatePoint{{QPS: 4}, {At: Duration{Duration: time.Second}}})}, start: time.Now(), halted: halted}
		time.AfterFunc(5*time.Second, func() { close(halted) })
		_, begun := work(t, p, 3, constant(0))
		if ended := time.Since(p.start); len(begun) != 2 || ended != 5*time.Second {
			t.Errorf("%d began and it ended at %v, want 2 and 5s", len(begun), ended)
		}
	})
}
