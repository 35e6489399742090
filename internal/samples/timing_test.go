package samples

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const page = "http://productpage:9080/productpage"

const ms = time.Millisecond

// What a page looks like with each version of reviews when all is well.
var (
	v1Fine = seen{}
	v2Fine = seen{black: 9}
	v3Fine = seen{red: 9}
)

// wait is what a page shows, and after how long.
type wait struct {
	seen
	took time.Duration
}

// TestPageWhenAServiceIsSlow has what was measured on Istio's sample, and the
// milliseconds around its thresholds, with the real timeouts: the clock is
// synctest's, so a page takes exactly the time that the services wait.
func TestPageWhenAServiceIsSlow(t *testing.T) {
	ratingsLost, reviewsLost := seen{ratingsLost: 2}, seen{reviewsLost: true}
	lostDetails := func(s seen) seen { s.detailsLost = true; return s }
	for _, row := range []struct {
		service    string
		delay      time.Duration
		v1, v2, v3 wait
	}{
		{"ratings", 0, wait{v1Fine, 0}, wait{v2Fine, 0}, wait{v3Fine, 0}},
		{"ratings", 2400 * ms, wait{v1Fine, 0}, wait{v2Fine, 2400 * ms}, wait{v3Fine, 2400 * ms}},
		{"ratings", 2499 * ms, wait{v1Fine, 0}, wait{v2Fine, 2499 * ms}, wait{v3Fine, 2499 * ms}},
		{"ratings", 2501 * ms, wait{v1Fine, 0}, wait{v2Fine, 2501 * ms}, wait{ratingsLost, 2500 * ms}},
		{"ratings", 2600 * ms, wait{v1Fine, 0}, wait{v2Fine, 2600 * ms}, wait{ratingsLost, 2500 * ms}},
		{"ratings", 2900 * ms, wait{v1Fine, 0}, wait{v2Fine, 2900 * ms}, wait{ratingsLost, 2500 * ms}},
		{"ratings", 2999 * ms, wait{v1Fine, 0}, wait{v2Fine, 2999 * ms}, wait{ratingsLost, 2500 * ms}},
		{"ratings", 3001 * ms, wait{v1Fine, 0}, wait{reviewsLost, 6000 * ms}, wait{ratingsLost, 2500 * ms}},
		{"ratings", 3100 * ms, wait{v1Fine, 0}, wait{reviewsLost, 6000 * ms}, wait{ratingsLost, 2500 * ms}},
		{"ratings", 7000 * ms, wait{v1Fine, 0}, wait{reviewsLost, 6000 * ms}, wait{ratingsLost, 2500 * ms}},
		{"ratings", 11000 * ms, wait{v1Fine, 0}, wait{reviewsLost, 6000 * ms}, wait{ratingsLost, 2500 * ms}},
		{"details", 2000 * ms, wait{v1Fine, 2000 * ms}, wait{v2Fine, 2000 * ms}, wait{v3Fine, 2000 * ms}},
		{"details", 4000 * ms, wait{lostDetails(v1Fine), 3000 * ms}, wait{lostDetails(v2Fine), 3000 * ms}, wait{lostDetails(v3Fine), 3000 * ms}},
		{"reviews", 2000 * ms, wait{v1Fine, 2000 * ms}, wait{v2Fine, 2000 * ms}, wait{v3Fine, 2000 * ms}},
		{"reviews", 4000 * ms, wait{reviewsLost, 6000 * ms}, wait{reviewsLost, 6000 * ms}, wait{reviewsLost, 6000 * ms}},
	} {
		for version, want := range map[string]wait{"v1": row.v1, "v2": row.v2, "v3": row.v3} {
			t.Run(row.service+"+"+row.delay.String()+" "+version, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					town := newPipes(t)
					slowed := "v1"
					if row.service == "reviews" {
						slowed = version
					}
					town.bookinfo(version, map[string]http.Handler{row.service: slow(row.delay, town.own(row.service, slowed))})
					got := town.get(page, nil)
					if got := (wait{look(t, got), got.took}); got != want {
						t.Errorf("got %+v, want %+v", got, want)
					}
				})
			})
		}
	}
}

// TestPageAsksOneAfterTheOther: what two services cost adds up, and no attempt
// waits before it begins.
func TestPageAsksOneAfterTheOther(t *testing.T) {
	for delay, want := range map[time.Duration]wait{
		2000 * ms: {v1Fine, 4000 * ms},
		2900 * ms: {v1Fine, 5800 * ms},
		3100 * ms: {seen{reviewsLost: true, detailsLost: true}, 9000 * ms},
	} {
		synctest.Test(t, func(t *testing.T) {
			town := newPipes(t)
			town.bookinfo("v1", map[string]http.Handler{
				"details": slow(delay, town.own("details", "v1")),
				"reviews": slow(delay, town.own("reviews", "v1")),
			})
			got := town.get(page, nil)
			if got := (wait{look(t, got), got.took}); got != want {
				t.Errorf("details and reviews +%s: got %+v, want %+v", delay, got, want)
			}
		})
	}
}

func TestReviewsV2WaitsTenSecondsForRatings(t *testing.T) {
	for delay, want := range map[time.Duration]wait{
		9900 * ms:  {v2Fine, 9900 * ms},
		10100 * ms: {seen{ratingsLost: 2}, 10000 * ms},
	} {
		synctest.Test(t, func(t *testing.T) {
			town := newPipes(t)
			town.bookinfo("v2", map[string]http.Handler{"ratings": slow(delay, town.own("ratings", "v1"))})
			got := town.get("http://reviews:9080/reviews/0", nil)
			lost := strings.Count(got.body, `"error":"Ratings service is currently unavailable"`)
			if got.took != want.took || lost != want.ratingsLost {
				t.Errorf("ratings +%s: %d ratings lost after %s, want %d after %s", delay, lost, got.took, want.ratingsLost, want.took)
			}
		})
	}
}

func TestPagesAtOnceDoNotWaitForEachOther(t *testing.T) {
	for _, row := range []struct {
		version string
		delay   time.Duration
		want    wait
	}{
		{"v2", 2000 * ms, wait{v2Fine, 2000 * ms}},
		{"v3", 2000 * ms, wait{v3Fine, 2000 * ms}},
		{"v2", 7000 * ms, wait{seen{reviewsLost: true}, 6000 * ms}},
		{"v3", 7000 * ms, wait{seen{ratingsLost: 2}, 2500 * ms}},
	} {
		synctest.Test(t, func(t *testing.T) {
			town := newPipes(t)
			town.bookinfo(row.version, map[string]http.Handler{"ratings": slow(row.delay, town.own("ratings", "v1"))})
			var pages sync.WaitGroup
			for range 40 {
				pages.Go(func() {
					got := town.get(page, nil)
					if got := (wait{look(t, got), got.took}); got != row.want {
						t.Errorf("%s with ratings +%s: got %+v, want %+v", row.version, row.delay, got, row.want)
					}
				})
			}
			pages.Wait()
		})
	}
}

// TestCallsGoOnAfterTheCallerHasGone is why an injected delay runs its full 7 s
// below a page that gave up after 3 s.
func TestCallsGoOnAfterTheCallerHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		town := newPipes(t)
		began := time.Now()
		ended := make(chan time.Duration, 2)
		town.bookinfo("v2", map[string]http.Handler{"ratings": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			slow(7*time.Second, town.own("ratings", "v1")).ServeHTTP(w, r)
			ended <- time.Since(began)
		})})
		town.get(page, nil)
		if first, second := <-ended, <-ended; first != 7*time.Second || second != 10*time.Second {
			t.Errorf("the calls to ratings ended after %s and %s, want 7s and 10s", first, second)
		}
	})
}

func TestAPIAnswers500OnATimeout(t *testing.T) {
	for path, took := range map[string]time.Duration{"": 3 * time.Second, "/reviews": 6 * time.Second, "/ratings": 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			town := newPipes(t)
			never := slow(time.Hour, http.NotFoundHandler())
			town.bookinfo("v1", map[string]http.Handler{"details": never, "reviews": never, "ratings": never})
			got := town.get("http://productpage:9080/api/v1/products/0"+path, nil)
			if got.status != http.StatusInternalServerError || got.took != took {
				t.Errorf("%s: %d after %s, want 500 after %s", path, got.status, got.took, took)
			}
		})
	}
}

// TestRealTime is the page of Istio's guides to faults, in real time and over
// real sockets: twenty at once with each version.
func TestRealTime(t *testing.T) {
	for _, row := range []struct {
		version string
		delay   time.Duration
		want    wait
	}{
		{"v2", 2 * time.Second, wait{v2Fine, 2 * time.Second}},
		{"v1", 7 * time.Second, wait{v1Fine, 0}},
		{"v2", 7 * time.Second, wait{seen{reviewsLost: true}, 6 * time.Second}},
		{"v3", 7 * time.Second, wait{seen{ratingsLost: 2}, 2500 * ms}},
	} {
		t.Run(row.version+" with ratings +"+row.delay.String(), func(t *testing.T) {
			t.Parallel()
			town := newLoopback(t)
			town.bookinfo(row.version, map[string]http.Handler{"ratings": slow(row.delay, town.own("ratings", "v1"))})
			var pages sync.WaitGroup
			for range 20 {
				pages.Go(func() {
					got, want := town.get(page, nil), row.want
					if shown := look(t, got); shown != want.seen || got.took < want.took || got.took > want.took+2500*ms {
						t.Errorf("got %+v after %s, want %+v after %s to %s", shown, got.took, want.seen, want.took, want.took+2500*ms)
					}
				})
			}
			pages.Wait()
		})
	}
}
