// Package bookinfo holds the four services of the Bookinfo sample: productpage,
// details, ratings and the three versions of reviews. What they answer, how long
// they wait for one another and what they pass on is as measured on Istio's own
// sample; the page's markup is ours.
//
// The package knows nothing of proxies and imports nothing of this module.
package bookinfo

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
)

// Dial connects to a service by its short name: ratings:9080.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// maxAnswer is how much of another service's answer is read, in bytes.
const maxAnswer = 1 << 20

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The caller may have gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(value)
}

// failure is the body of an answer that is an error.
type failure struct {
	Error string `json:"error"`
}

func health(status string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, struct {
			Status string `json:"status"`
		}{status})
	}
}
