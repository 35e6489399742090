package fortio

import (
	"errors"
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
// telling what came of it, joined: each is an *UnableError. Nil: there is nothing.
func Check(p loadgen.Plan) error {
	var all []error
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
	if p.TCP != nil {
		add("tcp.address", "drive the load with this program's image", "fortio's TCP client sends one payload on a connection that it keeps, and no lines on one after the other")
	} else {
		checkHTTP(p.HTTP, add)
	}
	checkAmounts(p, add)
	return errors.Join(all...)
}

// unsure takes a field, what to do, and what is wrong.
type unsure func(field, hint, format string, args ...any)

func checkHTTP(h *loadgen.HTTP, add unsure) {
	if h.Login != nil {
		add("http.login", "", "fortio does not sign in")
	}
	if h.Connect != "" {
		add("http.connect", "let it be from client, or drive the load with this program's image", "fortio connects where the URL leads, and so not to a gateway in the place of it")
	}
	texts := map[string]string{"http.url": h.URL, "http.body": h.Body}
	for name, value := range h.Header {
		texts["http.header."+name] = value
	}
	for _, field := range slices.Sorted(maps.Keys(texts)) {
		if strings.Contains(texts[field], "{uuid}") {
			add(field, "", "fortio puts an id in the place of {uuid}")
		}
	}
}

// checkAmounts holds a plan against how fortio shares requests between connections:
// at a rate each takes an equal part, at least two, and the first one takes what is
// left over, which comes late; and at no rate the first begins more than the others.
func checkAmounts(p loadgen.Plan, add unsure) {
	byTime := p.Duration > 0 || p.While != ""
	connections := int64(p.Connections)
	requests := p.Requests
	switch {
	case p.Requests > 0 && byTime:
		add("requests", "write either", "fortio ends a load by a number of requests or by time, not by what comes first")
		return
	case p.Duration > 0 && p.While != "":
		add("duration", "write either", "fortio ends a load by its own time or another's, not by what comes first")
		return
	case byTime && p.QPS == 0:
		field := "duration"
		if p.While != "" {
			field = "while"
		}
		add(field, "write requests, or qps", "a load without a rate that time is to end would go on in fortio's pod if this program was gone")
		return
	case p.Duration > 0:
		requests = due(p)
	case p.While != "":
		return
	}
	if p.QPS > 0 && (requests < 2*connections || requests%connections != 0) {
		add("connections", fmt.Sprintf("write connections: %d", sharing(requests, connections)), "at a rate fortio shares %d requests equally between connections that send two or more each, and %d cannot", requests, connections)
	}
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
