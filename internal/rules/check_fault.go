package rules

import (
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
	if entry.Timeout != nil || entry.Retries != nil {
		c.warn(path+".fault", "a delay is not charged to the timeout beside it, and an abort is never retried (istio/istio#13705); to try those, put the fault on a service that this one calls")
	}
}

func (c *checker) delay(path string, delay *networking.HTTPFaultInjection_Delay) {
	switch delay.HttpDelayType.(type) {
	case *networking.HTTPFaultInjection_Delay_ExponentialDelay:
		c.refuse(path+".exponentialDelay", "Istio does not implement exponentialDelay; take fixedDelay")
	case nil:
		c.dead(path, "", "the delay has no fixedDelay, so it delays nothing; give one, such as 7s")
	}
	c.percent(path+".percentage", delay.Percentage)
	if delay.Percentage == nil && delay.Percent != 0 { //nolint:staticcheck // Istio still reads it
		c.warn(path+".percent", "percent is deprecated; write percentage: {value: %d}", delay.Percent) //nolint:staticcheck // as above
		return
	}
	c.share(path, delay.Percentage)
}

// grpcStatuses are the names that an abort's grpcStatus takes.
var grpcStatuses = []string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
	"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

func (c *checker) abort(path string, abort *networking.HTTPFaultInjection_Abort) {
	switch kind := abort.ErrorType.(type) {
	case *networking.HTTPFaultInjection_Abort_HttpStatus:
		if kind.HttpStatus < 200 || kind.HttpStatus > 600 { // Istio's message says 599, its code takes 600
			c.refuse(path+".httpStatus", "%d is not an HTTP status; it must be from 200 to 599", kind.HttpStatus)
		}
	case *networking.HTTPFaultInjection_Abort_GrpcStatus:
		if !slices.Contains(grpcStatuses, kind.GrpcStatus) {
			c.refuse(path+".grpcStatus", "%s", unknownWord("", kind.GrpcStatus, grpcStatuses))
		}
	case *networking.HTTPFaultInjection_Abort_Http2Error:
		c.refuse(path+".http2Error", "Istio does not implement http2Error; take httpStatus")
	case nil:
		c.dead(path, "", "the abort has no httpStatus, so it aborts nothing; give one, such as 503")
	}
	c.percent(path+".percentage", abort.Percentage)
	c.share(path, abort.Percentage)
}

// share warns of percentages that are often not what was meant.
func (c *checker) share(path string, percent *networking.Percent) {
	switch v := percent.GetValue(); {
	case percent == nil:
		c.dead(path, "", "the fault has no percentage, which means 0%%, so it never bites (istio/istio#36303); write percentage: {value: 100} for all requests")
	case v == 0:
		c.dead(path+".percentage", "", "the percentage is 0, so the fault never bites; values go from above 0 to 100")
	case v > 0 && v < 1:
		c.warn(path+".percentage", "the fault is for %v%% of the requests; values go from 0 to 100, so write %.4g if that is meant", v, 100*v)
	}
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
	timesOut := false
	for _, word := range words {
		timesOut = timesOut || word == "5xx" || word == "gateway-error" || word == "reset"
		if !retriesOn(word) {
			c.refuse(path+".retryOn", "%s", unknownWord("", word, retryWords))
		}
	}
	if r.PerTryTimeout == nil {
		return
	}
	if !timesOut && r.Attempts > 0 {
		c.warn(path+".perTryTimeout", "a try that times out is retried only with 5xx, gateway-error or reset in retryOn (istio/istio#55748); add one of them")
	}
	if entry.Timeout != nil && r.PerTryTimeout.AsDuration() >= entry.Timeout.AsDuration() {
		c.warn(path+".perTryTimeout", "Envoy ignores a perTryTimeout that is not below the timeout; make it shorter")
	}
}
