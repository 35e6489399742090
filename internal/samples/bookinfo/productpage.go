package bookinfo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// How productpage calls: each attempt may take backendTimeout, and reviews is
// asked twice where the first attempt brought no 200. So a page whose reviews
// hang takes 6 s.
const (
	backendTimeout  = 3 * time.Second
	detailsAttempts = 1
	reviewsAttempts = 2
	ratingsAttempts = 1
)

// product is what productpage knows of a book by itself.
type product struct {
	ID          int    `json:"id"`
	Title       string `json:"title"`
	Description string `json:"descriptionHtml"`
}

func theProduct() product {
	return product{
		ID:    0,
		Title: "The Comedy of Errors",
		Description: "Two pairs of twins, parted at birth, come to the same town on the same day. " +
			"Shakespeare's shortest play is also one of his wildest: beatings, lockouts and arrests, " +
			"all for being taken for somebody else.",
	}
}

type productpage struct{ calls calls }

// newProductpage is the productpage service. Its calls to the others end with
// ctx; a caller that goes away does not end them.
func newProductpage(ctx context.Context, env workload.Env) http.Handler {
	p := productpage{newCalls(ctx, env.Dial)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", index)
	mux.HandleFunc("GET /productpage", p.front)
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "Product page is healthy")
	})
	mux.HandleFunc("POST /login", login)
	mux.HandleFunc("GET /logout", logout)
	mux.HandleFunc("GET /api/v1/products", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, []product{theProduct()})
	})
	mux.HandleFunc("GET /api/v1/products/{id}", p.api("details", detailsAttempts))
	mux.HandleFunc("GET /api/v1/products/{id}/reviews", p.api("reviews", reviewsAttempts))
	mux.HandleFunc("GET /api/v1/products/{id}/ratings", p.api("ratings", ratingsAttempts))
	return mux
}

// front shows the page of the only book. It answers 200 whatever the others
// say: what could not be had is said on the page.
func (p productpage) front(w http.ResponseWriter, r *http.Request) {
	header := p.header(r)
	show := page{User: sessionUser(r), Product: theProduct()}
	show.Details = decode[book](p.fetch("details", "0", header, detailsAttempts))
	show.Reviews = decode[reviews](p.fetch("reviews", "0", header, reviewsAttempts))
	writePage(w, "productpage.html", show)
}

// api passes on what a service answers about a book, its status included.
func (p productpage) api(service string, attempts int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a := p.fetch(service, r.PathValue("id"), p.header(r), attempts)
		if a.status != http.StatusOK {
			writeJSON(w, a.status, failure{unavailable(service)})
			return
		}
		writeJSON(w, http.StatusOK, json.RawMessage(a.body))
	}
}

// header returns the headers of the calls that r causes. The end-user is the
// session's alone; one that r brings along is not believed.
func (p productpage) header(r *http.Request) http.Header {
	header := forwarded(r.Header)
	if user := sessionUser(r); user != "" {
		header.Set("End-User", user)
	}
	return header
}

// answer is what a service said, or that it could not be had: its own status,
// or 500 where it gave none. Only with 200 there is a body, and it is JSON.
type answer struct {
	status int
	body   []byte
}

func (p productpage) fetch(service, id string, header http.Header, attempts int) answer {
	var a answer
	for range attempts {
		a = p.attempt(service, id, header)
		if a.status == http.StatusOK {
			break
		}
	}
	return a
}

func (p productpage) attempt(service, id string, header http.Header) answer {
	status, body, err := p.calls.get("http://"+service+":9080/"+service+"/"+url.PathEscape(id), header, backendTimeout)
	switch {
	case err != nil, status == http.StatusOK && !json.Valid(body):
		return answer{status: http.StatusInternalServerError}
	case status != http.StatusOK:
		return answer{status: status}
	}
	return answer{http.StatusOK, body}
}

// decode returns nil for an answer that cannot be shown.
func decode[T any](a answer) *T {
	if a.status != http.StatusOK {
		return nil
	}
	var value T
	if err := json.Unmarshal(a.body, &value); err != nil {
		return nil
	}
	return &value
}

// unavailable is what the page and the API say of a service that did not answer
// with 200.
func unavailable(service string) string {
	return "Sorry, product " + service + " are currently unavailable for this book."
}
