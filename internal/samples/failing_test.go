package samples

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// answers says the same to every request.
func answers(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// resets cuts every connection with a TCP reset.
func resets(t *testing.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
			t.Error(err)
		}
		_ = conn.Close()
	})
}

// log notes which service was called, in order.
type log struct {
	mu    sync.Mutex
	calls []string
}

func (l *log) of(service string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.calls = append(l.calls, service)
		l.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// atOnce is far below the shortest timeout.
const atOnce = time.Second

func TestPageWhenAServiceFails(t *testing.T) {
	ratingsLost, reviewsLost := seen{ratingsLost: 2}, seen{reviewsLost: true}
	noDetails := func(s seen) seen { s.detailsLost = true; return s }
	for _, row := range []struct {
		name, service string
		handler       http.Handler
		v1, v2, v3    seen
	}{
		{"ratings 404", "ratings", answers(404, ""), v1Fine, ratingsLost, ratingsLost},
		{"ratings 500", "ratings", answers(500, "fault filter abort"), v1Fine, ratingsLost, ratingsLost},
		{"ratings 503", "ratings", answers(503, ""), v1Fine, ratingsLost, ratingsLost},
		{"ratings reset", "ratings", resets(t), v1Fine, ratingsLost, ratingsLost},
		{"ratings 200 {}", "ratings", answers(200, "{}"), v1Fine, ratingsLost, ratingsLost},
		{"ratings 200 and not JSON", "ratings", answers(200, "hello"), v1Fine, reviewsLost, reviewsLost},
		{"ratings of one reviewer", "ratings", answers(200, `{"ratings":{"Reviewer2":3}}`), v1Fine, seen{black: 3, ratingsLost: 1}, seen{red: 3, ratingsLost: 1}},
		{"ratings of a billion stars", "ratings", answers(200, `{"ratings":{"Reviewer1":1000000000,"Reviewer2":-7}}`), v1Fine, seen{black: 5}, seen{red: 5}},
		{"details 500", "details", answers(500, ""), noDetails(v1Fine), noDetails(v2Fine), noDetails(v3Fine)},
		{"details reset", "details", resets(t), noDetails(v1Fine), noDetails(v2Fine), noDetails(v3Fine)},
		{"details 200 and not JSON", "details", answers(200, "<html>"), noDetails(v1Fine), noDetails(v2Fine), noDetails(v3Fine)},
		{"reviews 500", "reviews", answers(500, ""), reviewsLost, reviewsLost, reviewsLost},
		{"reviews 503", "reviews", answers(503, "no healthy upstream"), reviewsLost, reviewsLost, reviewsLost},
		{"reviews 404", "reviews", answers(404, ""), reviewsLost, reviewsLost, reviewsLost},
		{"reviews reset", "reviews", resets(t), reviewsLost, reviewsLost, reviewsLost},
		{"reviews 200 and not JSON", "reviews", answers(200, "hello"), reviewsLost, reviewsLost, reviewsLost},
	} {
		for version, want := range map[string]seen{"v1": row.v1, "v2": row.v2, "v3": row.v3} {
			t.Run(row.name+" "+version, func(t *testing.T) {
				town := newLoopback(t)
				town.bookinfo(version, map[string]http.Handler{row.service: row.handler})
				got := town.get(page, nil)
				if shown := look(t, got); shown != want || got.took > atOnce {
					t.Errorf("got %+v after %s, want %+v at once", shown, got.took, want)
				}
			})
		}
	}
}

func TestDetailsIsCalledFirstAndOnceThenReviewsTwice(t *testing.T) {
	for _, status := range []int{200, 404, 500} {
		town := newLoopback(t)
		var log log
		reviews := answers(status, `{"reviews":[]}`)
		town.bookinfo("v1", map[string]http.Handler{
			"details": log.of("details", answers(500, "")),
			"reviews": log.of("reviews", reviews),
		})
		town.get(page, nil)
		want := []string{"details", "reviews", "reviews"}
		if status == 200 {
			want = want[:2]
		}
		if !slices.Equal(log.calls, want) {
			t.Errorf("reviews answering %d: calls %v, want %v", status, log.calls, want)
		}
	}
}

func TestASecondAttemptBringsTheReviews(t *testing.T) {
	for _, first := range []http.Handler{answers(404, ""), answers(503, "no healthy upstream"), answers(200, "hello"), resets(t)} {
		town := newLoopback(t)
		own := town.own("reviews", "v2")
		var asked atomic.Int32
		town.bookinfo("v2", map[string]http.Handler{"reviews": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) == 1 {
				first.ServeHTTP(w, r)
				return
			}
			own.ServeHTTP(w, r)
		})})
		if shown := look(t, town.get(page, nil)); shown != v2Fine || asked.Load() != 2 {
			t.Errorf("got %+v after %d calls of reviews, want %+v after two", shown, asked.Load(), v2Fine)
		}
	}
}

func TestEveryCallHasItsOwnConnection(t *testing.T) {
	town := newLoopback(t)
	callers := map[string]int{}
	var mu sync.Mutex
	town.bookinfo("v2", map[string]http.Handler{"ratings": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		callers[r.RemoteAddr]++
		answers(200, "{}").ServeHTTP(w, r)
	})})
	const pages = 5
	for range pages {
		town.get(page, nil)
	}
	if len(callers) != pages {
		t.Errorf("%d pages made %d connections from reviews to ratings, want one each", pages, len(callers))
	}
}

func TestAPIPassesTheStatusOn(t *testing.T) {
	paths := map[string]string{"details": "", "reviews": "/reviews", "ratings": "/ratings"}
	for service, path := range paths {
		for status, handler := range map[int]http.Handler{
			404: answers(404, "gone"),
			503: answers(503, "no healthy upstream"),
			500: resets(t),
		} {
			t.Run(fmt.Sprintf("%s %d", service, status), func(t *testing.T) {
				town := newLoopback(t)
				town.bookinfo("v1", map[string]http.Handler{service: handler})
				got := town.get("http://productpage:9080/api/v1/products/0"+path, nil)
				want := `{"error":"Sorry, product ` + service + ` are currently unavailable for this book."}` + "\n"
				if got.status != status || got.body != want {
					t.Errorf("got %d %q, want %d %q", got.status, got.body, status, want)
				}
			})
		}
	}
}

func TestAnswers(t *testing.T) {
	town := newLoopback(t)
	town.bookinfo("v3", nil)
	const twoReviews = `{"id":"0","podname":"reviews-v3-pod","clustername":"null","reviews":[` +
		`{"reviewer":"Reviewer1","text":"A joy from the first mistaken twin to the last. The slapstick never lets up!","rating":{"stars":5,"color":"red"}},` +
		`{"reviewer":"Reviewer2","text":"Great fun from start to finish, though the later comedies cut deeper.","rating":{"stars":4,"color":"red"}}]}`
	const details = `{"id":0,"author":"William Shakespeare","year":1595,"type":"paperback","pages":200,"publisher":"PublisherA","language":"English","ISBN-10":"1234567890","ISBN-13":"123-1234567890"}`
	const ratings = `{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}`
	for _, row := range []struct {
		url    string
		status int
		body   string
	}{
		{"http://reviews:9080/reviews/0", 200, twoReviews},
		{"http://productpage:9080/api/v1/products/0/reviews", 200, twoReviews},
		{"http://ratings:9080/ratings/0", 200, ratings},
		{"http://productpage:9080/api/v1/products/0/ratings", 200, ratings},
		{"http://details:9080/details/0", 200, details},
		{"http://productpage:9080/api/v1/products/0", 200, details},
		{"http://details:9080/details/x", 400, `{"error":"please provide numeric product id"}`},
		{"http://productpage:9080/api/v1/products/x", 400, `{"error":"Sorry, product details are currently unavailable for this book."}`},
		{"http://ratings:9080/ratings/x", 400, `{"error":"please provide numeric product ID"}`},
		{"http://reviews:9080/reviews/x", 404, "404 page not found"},
		{"http://productpage:9080/health", 200, "Product page is healthy"},
		{"http://details:9080/health", 200, `{"status":"Details is healthy"}`},
		{"http://ratings:9080/health", 200, `{"status":"Ratings is healthy"}`},
		{"http://reviews:9080/health", 200, `{"status":"Reviews is healthy"}`},
		{"http://productpage:9080/nowhere", 404, "404 page not found"},
	} {
		got := town.get(row.url, nil)
		if body := trimNewline(got.body); got.status != row.status || body != row.body {
			t.Errorf("%s:\ngot  %d %s\nwant %d %s", row.url, got.status, body, row.status, row.body)
		}
	}
}

func trimNewline(s string) string {
	if n := len(s); n > 0 && s[n-1] == '\n' {
		return s[:n-1]
	}
	return s
}
