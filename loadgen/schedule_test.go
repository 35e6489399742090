package loadgen

import (
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
				due, ok := p.next(t.Context(), timer)
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
		p := &pacer{schedule: schedule{qps: 10, requests: 8}, start: time.Now()}
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
		p := &pacer{schedule: schedule{qps: 100, requests: 50}, start: time.Now()}
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
		{"an open loop lasts until it", schedule{qps: 2, duration: 1800 * time.Millisecond}, time.Millisecond, 4, 1800 * time.Millisecond},
		{"an open loop that lags begins nothing after it", schedule{qps: 10, duration: time.Second}, 400 * time.Millisecond, 3, 1200 * time.Millisecond},
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
		p := &pacer{schedule: schedule{qps: 1}, start: time.Now(), halted: halted}
		time.AfterFunc(2500*time.Millisecond, func() { close(halted) })
		_, begun := work(t, p, 4, constant(0))
		if ended := time.Since(p.start); len(begun) != 3 || ended != 2500*time.Millisecond {
			t.Errorf("%d began and it ended at %v, want 3 and 2.5s", len(begun), ended)
		}
	})
}

func TestOwedCountsIntendedStarts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := schedule{
			qps:      rapid.Float64Range(0.1, 5000).Draw(t, "qps"),
			requests: rapid.Int64Range(0, 300).Draw(t, "requests"),
			duration: time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "duration")),
		}
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
