package fortio

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

const (
	// defaultTimeout is of one request, as loadgen has it.
	defaultTimeout = time.Minute

	// longest bounds a load that another one ends, should nobody be there to do so.
	longest = time.Hour

	// resolution is the width of the finest buckets of fortio's histogram, in seconds:
	// they are at most a fifth wide up to a thousand times this.
	resolution = 0.0001
)

// request is what fortio is asked for: all its values are strings.
type request struct {
	URL       string   `json:"url"`
	Method    string   `json:"X"`
	Payload   string   `json:"payload,omitempty"`
	Headers   []string `json:"headers"`
	Client    string   `json:"stdclient"` // the fast one dials anew after each status outside 2xx
	Requests  string   `json:"n"`
	Duration  string   `json:"t"`
	Rate      string   `json:"qps"`
	Uniform   string   `json:"uniform"`
	Threads   string   `json:"c"`
	Timeout   string   `json:"timeout"`
	Buckets   string   `json:"r"`
	Label     string   `json:"labels"`
	pace      float64  // requests a second that it may send at most; 0: any
	most      int64    // requests
	scheduled bool     // by the plan, and not by a cap
}

// newRequest asks for a plan that Check has taken. A number of requests is given in
// any case: without, fortio begins by requests of which it keeps no account. No end in
// time ("on") keeps it from stretching the schedule by one request's time.
func newRequest(p loadgen.Plan, label string, pace float64) request {
	r := request{
		URL: p.HTTP.URL, Method: p.HTTP.Method, Payload: p.HTTP.Body, Headers: []string{}, Client: "on",
		Duration: "on", Rate: "-1", Uniform: "off", Timeout: defaultTimeout.String(),
		Threads: strconv.Itoa(p.Connections), Buckets: strconv.FormatFloat(resolution, 'f', -1, 64), Label: label,
		most: mostOf(p),
	}
	if r.Method == "" {
		r.Method = "GET"
	}
	for _, name := range slices.Sorted(maps.Keys(p.HTTP.Header)) {
		r.Headers = append(r.Headers, name+": "+p.HTTP.Header[name])
	}
	if p.Timeout.Duration > 0 {
		r.Timeout = p.Timeout.String()
	}
	switch {
	case p.QPS > 0: // one after the other, as loadgen's schedule has them
		r.pace, r.scheduled, r.Uniform = p.QPS, true, "on"
	case pace > 0 && r.most >= 2*int64(p.Connections): // with fewer it would take fewer connections
		r.pace = pace
	}
	if r.pace > 0 {
		r.Rate = strconv.FormatFloat(r.pace, 'f', -1, 64)
	}
	r.Requests = strconv.FormatInt(r.most, 10)
	return r
}

// mostOf is how many requests a plan can come to.
func mostOf(p loadgen.Plan) int64 {
	requests := p.Requests
	switch {
	case p.QPS == 0:
		return requests
	case p.Duration.Duration > 0:
		requests = due(p)
	case p.While != "":
		requests = int64(math.Ceil(p.QPS * longest.Seconds()))
	}
	return shared(requests, int64(p.Connections))
}

// body is the request as it is sent.
func (r request) body() ([]byte, error) { return json.Marshal(r) }
