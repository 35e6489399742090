// Package bookinfo holds the four services of the Bookinfo sample: productpage,
// details, ratings and the three versions of reviews; and ratings alone, with its
// versions that misbehave. What they answer, how long
// they wait for one another and what they pass on is as measured on Istio's own
// sample; the page's markup is ours.
//
// The package knows nothing of proxies, and imports of this module only what a
// workload is.
package bookinfo

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// port is that of all four services, and of their containers.
const port = 9080

// Application is Bookinfo.
func Application() workload.Application {
	of := func(app, version, path string, handler func(context.Context, workload.Env) http.Handler) workload.Workload {
		return workload.Workload{App: app, Version: version, ServicePort: port, Port: port, Path: path, HTTP: handler}
	}
	page := of("productpage", "v1", "/productpage", newProductpage)
	page.Page, page.Calls = true, []string{"details", "reviews"}
	withStars := func(version string, stars colour) workload.Workload {
		w := of("reviews", version, "/reviews/0", stars.serve)
		w.Calls = []string{"ratings"}
		return w
	}
	return workload.Application{Name: "bookinfo", Workloads: []workload.Workload{
		page,
		of("details", "v1", "/details/0", newDetails),
		of("ratings", "v1", "/ratings/0", newRatings),
		of("reviews", "v1", "/reviews/0", noStars.serve),
		withStars("v2", blackStars),
		withStars("v3", redStars),
	}}
}

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

// condition is the body of an answer about a service's health.
type condition struct {
	Status string `json:"status"`
}

func health(words string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, condition{words}) }
}
