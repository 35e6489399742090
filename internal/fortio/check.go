package fortio

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/loadgen"
)

// UnableError is a field of a plan that fortio cannot carry out, or of which it would
// not tell what came of it.
type UnableError struct {
	Field string // by the names of the JSON, without units, as in loadgen.FieldError
	Why   string
	Hint  string // what to do; empty: to take this program's image
}

// Error implements error.
func (e *UnableError) Error() string {
	hint := e.Hint
	if hint == "" {
		hint = "leave it out, or drive the load with this program's image"
	}
	return e.Why + "; " + hint
}

// Check returns everything in a valid plan that keeps fortio from carrying it out and
// telling what came of it.
//
// At a rate fortio shares requests equally between connections, at least two for each:
// a number that they cannot share is refused, and by Load rounded up.
func Check(p loadgen.Plan) []*UnableError {
	all := unable(p)
	requests, connections := p.Requests, int64(p.Connections)
	if p.QPS > 0 && requests > 0 && requests != shared(requests, connections) {
		all = append(all, &UnableError{
			Field: "connections", Hint: fmt.Sprintf("write connections: %d", sharing(requests, connections)),
			Why: fmt.Sprintf("at a rate fortio shares requests equally between connections that send two or more each, and %d requests cannot be shared by %d", requests, connections),
		})
	}
	return all
}

// unable is Check, but for what is rounded.
func unable(p loadgen.Plan) []*UnableError {
	var all []*UnableError
	add := func(field, hint, format string, args ...any) {
		all = append(all, &UnableError{Field: field, Why: fmt.Sprintf(format, args...), Hint: hint})
	}
	for _, c := range p.Checks {
		add("checks."+c.Name, "", "fortio does not tell what stands in an answer")
	}
	for _, v := range p.Versions {
		add("versions."+v.Name, "", "fortio does not tell what stands in an answer, and so not which version has answered")
	}
	if p.Warmup > 0 {
		add("warmup", "", "fortio has no warm-up that can be told from the load")
	}
	switch {
	case p.GRPC != nil:
		add("grpc.method", "drive the load with this program's image", "fortio calls its own ping and the health of a server, and no other method of gRPC")
	case p.TCP != nil:
		add("tcp.address", "drive the load with this program's image", "fortio's TCP client sends one payload on a connection that it keeps, and no lines on one after the other")
	case p.HTTP != nil:
		checkHTTP(p.HTTP, add)
		if p.Encrypted() {
			add("http.url", "drive the load with this program's image", "fortio is not told which certificates to trust, nor which to show")
		}
	default:
		add("send", "drive the load with this program's image", "fortio sends one request again and again")
	}
	if p.Think != nil {
		add("think", "drive the load with this program's image", "fortio sends the next request as soon as there is an answer")
	}
	if p.MaxConnections > 0 {
		add("connections", "write one number", "fortio opens all connections as a load begins")
	}
	if p.Senders > 1 {
		add("senders", "write one, or drive the load with this program's image", "fortio's pods keep no schedule together")
	}
	if len(p.Rate) > 0 {
		add("rate", "write one rate, or drive the load with this program's image", "fortio keeps to one rate, and does not change it")
	}
	if p.Arrival != "" {
		add("arrival", "", "fortio begins requests evenly, or with a jitter that follows no distribution")
	}
	checkAmounts(p, add)
	return all
}

// unsure takes a field, what to do, and what is wrong.
type unsure func(field, hint, format string, args ...any)

func checkHTTP(h *loadgen.HTTP, add unsure) {
	if h.Login != nil {
		add("http.login", "", "fortio does not sign in")
	}
	if h.HTTP2 {
		add("http.http2", "", "fortio's client that is used here speaks HTTP/1.1 alone")
	}
	if len(h.Messages) > 0 {
		add("http.messages", "drive the load with this program's image", "fortio speaks no WebSocket")
	}
	if h.Connect != "" {
		add("http.connect", "let it be from client, or drive the load with this program's image", "fortio connects where the URL leads, and so not to a gateway in the place of it")
	}
	texts := map[string]string{"http.url": h.URL, "http.body": h.Body}
	for name, value := range h.Header {
		texts["http.header."+name] = value
	}
	for _, field := range slices.Sorted(maps.Keys(texts)) {
		if strings.Contains(texts[field], "{{") {
			add(field, "drive the load with this program's image", "fortio sends the same bytes each time")
		}
		if strings.Contains(texts[field], "{uuid}") {
			add(field, "", "fortio puts an id in the place of {uuid}")
		}
	}
}

// checkAmounts holds a plan against what may end fortio's loads.
func checkAmounts(p loadgen.Plan, add unsure) {
	byTime := p.Duration.Duration > 0 || p.While != ""
	switch {
	case p.Requests > 0 && byTime:
		add("requests", "write either", "fortio ends a load by a number of requests or by time, not by what comes first")
	case p.Duration.Duration > 0 && p.While != "":
		add("duration", "write either", "fortio ends a load by its own time or another's, not by what comes first")
	case byTime && !p.Open():
		field := "duration"
		if p.While != "" {
			field = "while"
		}
		add(field, "write requests, or qps", "a load without a rate that time is to end would go on in fortio's pod if this program was gone")
	}
}

// shared is how many requests connections send that send as many each, and two at
// least, to come to a number.
func shared(requests, connections int64) int64 {
	each := max(2, (requests+connections-1)/connections)
	return each * connections
}

// sharing is the largest number of connections, up to most, that share requests
// equally, with two or more for each; 1 if there is none.
func sharing(requests, most int64) int64 {
	for n := min(most, requests/2); n > 1; n-- {
		if requests%n == 0 {
			return n
		}
	}
	return 1
}

// due is how many requests a rate makes due within the plan's duration.
func due(p loadgen.Plan) int64 { return int64(math.Ceil(p.QPS * p.Duration.Seconds())) }
