package bookinfo

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// stars holds what each reviewer gave, of five. A nil one is missing from the
// answer.
type stars struct {
	Reviewer1 *int `json:"Reviewer1,omitempty"`
	Reviewer2 *int `json:"Reviewer2,omitempty"`
}

type ratings struct {
	ID      int   `json:"id"`
	Ratings stars `json:"ratings"`
}

// newRatings is the ratings service.
func newRatings(ctx context.Context, _ workload.Env) http.Handler { return wellBehaved().serve(ctx) }

// serve is the ratings service, as it behaves. An answer that waits is given up
// when ctx ends, and not when its caller has gone.
func (b behaviour) serve(ctx context.Context) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) {
		if b.ill() {
			writeJSON(w, http.StatusInternalServerError, condition{"Ratings is not healthy"})
			return
		}
		health("Ratings is healthy")(w, r)
	})
	mux.HandleFunc("GET /ratings/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		switch {
		case err != nil:
			writeJSON(w, http.StatusBadRequest, failure{"please provide numeric product ID"})
			return
		case b.fails():
			writeJSON(w, http.StatusServiceUnavailable, failure{"Service unavailable"})
			return
		case b.waits():
			select {
			case <-time.After(variantDelay):
			case <-ctx.Done():
				return
			}
		}
		five, four := 5, 4
		writeJSON(w, http.StatusOK, ratings{ID: id, Ratings: stars{&five, &four}})
	})
	return mux
}
