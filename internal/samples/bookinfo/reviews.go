package bookinfo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// colour is what tells the versions of reviews apart.
type colour string

// The versions of reviews.
const (
	noStars    colour = ""      // v1, which does not call ratings
	blackStars colour = "black" // v2
	redStars   colour = "red"   // v3
)

// How long reviews waits for ratings. Against productpage's 3 s, the one of v2
// is the bug that Istio's fault injection task uncovers.
const (
	blackTimeout = 10 * time.Second
	redTimeout   = 2500 * time.Millisecond
)

type review struct {
	Reviewer string  `json:"reviewer"`
	Text     string  `json:"text"`
	Rating   *rating `json:"rating,omitempty"`
}

// rating has either stars and a colour, or an error.
type rating struct {
	Stars *int   `json:"stars,omitempty"`
	Color string `json:"color,omitempty"`
	Error string `json:"error,omitempty"`
}

type reviews struct {
	ID          string   `json:"id"`
	PodName     string   `json:"podname"`
	ClusterName string   `json:"clustername"`
	Reviews     []review `json:"reviews"`
}

// serve is the reviews service with stars of this colour. Its calls to ratings
// end with ctx; a caller that goes away does not end them.
func (c colour) serve(ctx context.Context, env workload.Env) http.Handler {
	calls := newCalls(ctx, env.Dial)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", health("Reviews is healthy"))
	mux.HandleFunc("GET /reviews/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		answer := unrated(id, env.PodName)
		if c != noStars {
			given, err := calls.ratings(id, r.Header, c)
			if err != nil {
				writeJSON(w, http.StatusInternalServerError, failure{err.Error()})
				return
			}
			answer.Reviews[0].Rating = c.rating(given.Reviewer1)
			answer.Reviews[1].Rating = c.rating(given.Reviewer2)
		}
		writeJSON(w, http.StatusOK, answer)
	})
	return mux
}

// unrated returns the reviews without stars.
func unrated(id int, podName string) reviews {
	return reviews{
		ID:      strconv.Itoa(id),
		PodName: podName,
		// The original's word for no cluster's name, which its page looks for.
		ClusterName: "null",
		Reviews: []review{
			{Reviewer: "Reviewer1", Text: "A joy from the first mistaken twin to the last. The slapstick never lets up!"},
			{Reviewer: "Reviewer2", Text: "Great fun from start to finish, though the later comedies cut deeper."},
		},
	}
}

// ratings returns the stars of the book, none where ratings could not be had.
// The error is that ratings said 200 and then something that is not JSON: Istio's
// sample has no answer to that but a 500.
func (c calls) ratings(id int, in http.Header, wanted colour) (stars, error) {
	timeout := blackTimeout
	if wanted == redStars {
		timeout = redTimeout
	}
	header := forwarded(in)
	if user := in.Values("End-User"); len(user) > 0 {
		header["End-User"] = user
	}
	url := fmt.Sprintf("http://ratings:9080/ratings/%d", id)
	status, body, err := c.get(url, header, timeout)
	if err != nil || status != http.StatusOK {
		return stars{}, nil
	}
	var answer struct {
		Ratings stars `json:"ratings"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return stars{}, fmt.Errorf("reading the answer of %q: %w", url, err)
	}
	return answer.Ratings, nil
}

func (c colour) rating(given *int) *rating {
	if given == nil {
		return &rating{Error: "Ratings service is currently unavailable"}
	}
	return &rating{Stars: given, Color: string(c)}
}
