package bookinfo

import (
	"context"
	"net/http"
	"strconv"

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
func newRatings(context.Context, workload.Env) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", health("Ratings is healthy"))
	mux.HandleFunc("GET /ratings/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil {
			writeJSON(w, http.StatusBadRequest, failure{"please provide numeric product ID"})
			return
		}
		five, four := 5, 4
		writeJSON(w, http.StatusOK, ratings{ID: id, Ratings: stars{&five, &four}})
	})
	return mux
}
