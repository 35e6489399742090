package rules

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

func (c *checker) fault(path string, entry *networking.HTTPRoute) {
	delay, abort := entry.Fault.Delay, entry.Fault.Abort
	if delay == nil && abort == nil {
		c.refuse(path+".fault", "the fault has neither a delay nor an abort; give one")
	}
	if delay != nil {
		c.delay(path+".fault.delay", delay)
	}
	if abort != nil {
		c.abort(path+".fault.abort", abort)
	}
}

func (c *checker) delay(path string, delay *networking.HTTPFaultInjection_Delay) {
	if _, ok := delay.HttpDelayType.(*networking.HTTPFaultInjection_Delay_ExponentialDelay); ok {
		c.refuse(path+".exponentialDelay", "Istio does not implement exponentialDelay; take fixedDelay")
	}
	c.percent(path+".percentage", delay.Percentage)
}

// GRPCStatuses returns the names that an abort's grpcStatus takes: gRPC's codes, each in
// the place of its number.
func GRPCStatuses() []string { return slices.Clone(grpcStatuses) }

var grpcStatuses = []string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
	"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// numbered is the code of gRPC that a text is the number of; empty: it is of none.
func numbered(text string) string {
	if number, err := strconv.Atoi(text); err == nil && number >= 0 && number < len(grpcStatuses) {
		return grpcStatuses[number]
	}
	return ""
}

// unknownGRPC is the error of what is no name of a code of gRPC; of the number of one it says
// whose that is.
func unknownGRPC(text string) *FieldError {
	name := numbered(text)
	if name == "" {
		return unknownWord("", text, grpcStatuses)
	}
	return &FieldError{Message: fmt.Sprintf("%q is a number, and codes of gRPC stand by their names", text), Suggestion: name}
}

func (c *checker) abort(path string, abort *networking.HTTPFaultInjection_Abort) {
	switch kind := abort.ErrorType.(type) {
	case *networking.HTTPFaultInjection_Abort_HttpStatus:
		if kind.HttpStatus < 200 || kind.HttpStatus > 600 { // Istio's message says 599, its code takes 600
			c.refuse(path+".httpStatus", "%d is not an HTTP status; it must be from 200 to 599", kind.HttpStatus)
		}
	case *networking.HTTPFaultInjection_Abort_GrpcStatus:
		if !slices.Contains(grpcStatuses, kind.GrpcStatus) {
			c.refuse(path+".grpcStatus", "%s", unknownGRPC(kind.GrpcStatus))
		}
	case *networking.HTTPFaultInjection_Abort_Http2Error:
		c.refuse(path+".http2Error", "Istio does not implement http2Error; take httpStatus")
	}
	c.percent(path+".percentage", abort.Percentage)
}

// retryWords are what Envoy retries on, of those that Istio takes; an HTTP
// status may stand among them.
var retryWords = []string{
	"5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx", "refused-stream",
	"retriable-status-codes", "retriable-headers", "envoy-ratelimited", "http3-post-connect-failure",
	"cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
}

// retriesOn says whether Istio takes a word among retryOn.
func retriesOn(word string) bool {
	status, _ := strconv.Atoi(word)
	return slices.Contains(retryWords, word) || http.StatusText(status) != ""
}

func (c *checker) retries(path string, entry *networking.HTTPRoute) {
	r := entry.Retries
	path += ".retries"
	if r.Attempts < 0 {
		c.refuse(path+".attempts", "attempts is %d; it must not be below 0", r.Attempts)
	}
	if r.Attempts == 0 && (r.PerTryTimeout != nil || r.RetryOn != "" || r.RetryRemoteLocalities != nil) {
		c.refuse(path+".attempts", "attempts is 0, which switches retries off; leave out what stands beside it, or write 1 or more")
	}
	var words []string
	if r.RetryOn != "" {
		words = strings.Split(r.RetryOn, ",")
	}
	for _, word := range words {
		if !retriesOn(word) {
			c.refuse(path+".retryOn", "%s", unknownWord("", word, retryWords))
		}
	}
}
