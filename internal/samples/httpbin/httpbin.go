// Package httpbin answers with what it was asked, as go-httpbin does, which
// Istio's httpbin sample runs. It has the paths that tests of a mesh use: /get,
// /post, /anything, /headers, /hostname, /status, /delay, /bytes and /websocket/echo.
//
// The package imports of this module only what a workload is.
package httpbin

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// go-httpbin's own limits.
const (
	maxBody  = 1 << 20 // bytes, of a request and of /bytes
	maxDelay = 10 * time.Second
)

// slowness is how much later httpbin-slow answers.
const slowness = time.Second

// Application is httpbin, in the two versions of Istio's guide to mirroring, and
// one that is slow.
func Application() workload.Application {
	return workload.Application{Name: "httpbin", Workloads: []workload.Workload{
		{App: "httpbin", Version: "v1", ServicePort: 8000, Port: 8080, Path: "/get", Page: true, HTTP: newHandler},
		{App: "httpbin", Version: "v2", ServicePort: 8000, Port: 8080, Path: "/get", Page: true, HTTP: newHandler},
		{App: "httpbin-slow", Version: "v2", ServicePort: 8000, Port: 8080, Path: "/get", HTTP: newSlowHandler},
	}}
}

// newSlowHandler is a version of httpbin that answers everything a second later.
func newSlowHandler(ctx context.Context, env workload.Env) http.Handler {
	handler := newHandler(ctx, env)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		timer := time.NewTimer(slowness)
		defer timer.Stop()
		select {
		case <-timer.C:
			handler.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
}

// newHandler is the httpbin service.
func newHandler(ctx context.Context, env workload.Env) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /get", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, describe(r))
	})
	mux.HandleFunc("GET /headers", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, struct {
			Headers http.Header `json:"headers"`
		}{headers(r)})
	})
	mux.HandleFunc("GET /hostname", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, struct {
			Hostname string `json:"hostname"`
		}{env.PodName})
	})
	mux.HandleFunc("POST /post", describeBody)
	mux.HandleFunc("/anything", describeBody)
	mux.HandleFunc("/anything/{rest...}", describeBody)
	mux.HandleFunc("/status/{code}", status)
	mux.HandleFunc("/delay/{duration}", delay)
	mux.HandleFunc("GET /bytes/{count}", randomBytes)
	mux.HandleFunc("GET /websocket/echo", func(w http.ResponseWriter, r *http.Request) { echo(ctx, w, r) })
	return mux
}

// request is how go-httpbin describes a request that has no body.
type request struct {
	Args    url.Values  `json:"args"`
	Headers http.Header `json:"headers"`
	Method  string      `json:"method"`
	Origin  string      `json:"origin"`
	URL     string      `json:"url"`
}

func describe(r *http.Request) request {
	return request{r.URL.Query(), headers(r), r.Method, origin(r), address(r)}
}

// headers returns the request's headers with the host, which net/http keeps
// apart.
func headers(r *http.Request) http.Header {
	h := r.Header.Clone()
	h.Set("Host", r.Host)
	return h
}

// origin is the first address of x-forwarded-for, else the caller's.
func origin(r *http.Request) string {
	if first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ","); first != "" {
		return strings.TrimSpace(first)
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func address(r *http.Request) string {
	u := *r.URL
	u.Host = r.Host
	u.Scheme = "http"
	if proto := r.Header.Get("X-Forwarded-Proto"); proto != "" {
		u.Scheme = proto
	}
	return u.String()
}

// status answers with the code of the path, 200 to 599. go-httpbin takes 1xx as
// well, which no client sees as the answer.
func status(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.PathValue("code"))
	if err != nil || code < 200 || code > 599 {
		writeError(w, fmt.Errorf("invalid status code: %q is not in [200, 599]", r.PathValue("code")))
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
}

// delay waits for as long as the path says, in seconds or as a Go duration, and
// then answers as /anything does. It waits no longer than its caller.
func delay(w http.ResponseWriter, r *http.Request) {
	wait, err := parseDelay(r.PathValue("duration"))
	if err != nil {
		writeError(w, err)
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		describeBody(w, r)
	case <-r.Context().Done():
	}
}

func parseDelay(text string) (time.Duration, error) {
	wait, err := time.ParseDuration(text)
	if err != nil {
		// Too many seconds for a Duration are too many.
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || !(seconds >= 0 && seconds <= maxDelay.Seconds()) {
			return 0, fmt.Errorf("invalid duration: %q is not in [0s, %s]", text, maxDelay)
		}
		wait = time.Duration(seconds * float64(time.Second))
	}
	if wait < 0 || wait > maxDelay {
		return 0, fmt.Errorf("invalid duration: %q is not in [0s, %s]", text, maxDelay)
	}
	return wait, nil
}

func randomBytes(w http.ResponseWriter, r *http.Request) {
	count, err := strconv.Atoi(r.PathValue("count"))
	if err != nil || count < 0 || count > maxBody {
		writeError(w, fmt.Errorf("invalid byte count: %q is not in [0, %d]", r.PathValue("count"), maxBody))
		return
	}
	body := make([]byte, count)
	_, _ = rand.Read(body) // never fails: it would crash the process first
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(count))
	// The caller may have gone; there is nobody left to tell.
	_, _ = w.Write(body)
}

func writeError(w http.ResponseWriter, err error) {
	writeJSON(w, http.StatusBadRequest, struct {
		StatusCode int    `json:"status_code"`
		Error      string `json:"error"`
		Detail     string `json:"detail"`
	}{http.StatusBadRequest, http.StatusText(http.StatusBadRequest), err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	// The caller may have gone; there is nobody left to tell.
	_ = encoder.Encode(value)
}
