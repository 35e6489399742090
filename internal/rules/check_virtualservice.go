package rules

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

func (c *checker) virtualService(vs *networking.VirtualService) {
	if len(vs.Hosts) == 0 && (len(vs.Gateways) > 0 || len(vs.Tcp) > 0 || len(vs.Tls) > 0) {
		c.refuse("spec.hosts", "the hosts are missing; name them (only a delegate has none, and then no gateways, tcp or tls either)")
	}
	for i, host := range vs.Hosts {
		if host == "" {
			c.refuse(fmt.Sprintf("spec.hosts[%d]", i), "the host is empty; name a service")
		}
		if host == "*" && inSidecars(vs) {
			c.refuse(fmt.Sprintf("spec.hosts[%d]", i), "the host * is for gateways alone; name the hosts that sidecars shall follow it for")
		}
	}
	if len(vs.Http)+len(vs.Tcp)+len(vs.Tls) == 0 {
		c.refuse("spec", "it has none of http, tcp and tls; add a route")
	}
	for i, entry := range vs.Http {
		c.httpRoute(fmt.Sprintf("spec.http[%d]", i), entry)
	}
	for i, entry := range vs.Tcp {
		path := fmt.Sprintf("spec.tcp[%d]", i)
		for j, match := range entry.Match {
			if match.Port != 0 {
				c.port(fmt.Sprintf("%s.match[%d].port", path, j), match.Port)
			}
		}
		c.routes(path, entry.Route)
	}
	for i, entry := range vs.Tls {
		path := fmt.Sprintf("spec.tls[%d]", i)
		if len(entry.Match) == 0 {
			c.refuse(path+".match", "a tls entry has at least one match; give it one, with sniHosts")
		}
		for j, match := range entry.Match {
			if len(match.SniHosts) == 0 {
				c.refuse(fmt.Sprintf("%s.match[%d].sniHosts", path, j), "the match has no sniHosts; name at least one")
			}
		}
		c.routes(path, entry.Route)
	}
	c.entriesThatHide(vs)
}

// routes checks the destinations of a tcp or tls entry.
func (c *checker) routes(path string, routes []*networking.RouteDestination) {
	if len(routes) == 0 {
		c.refuse(path+".route", "the route is missing; name at least one destination")
	}
	weights := make([]int32, len(routes))
	for i, route := range routes {
		c.destination(fmt.Sprintf("%s.route[%d].destination", path, i), route.Destination)
		weights[i] = route.Weight
	}
	c.weights(path+".route", weights)
}

func (c *checker) httpRoute(path string, entry *networking.HTTPRoute) {
	c.conflicts(path, entry)
	for i, match := range entry.Match {
		c.httpMatch(fmt.Sprintf("%s.match[%d]", path, i), match)
	}
	weights := make([]int32, len(entry.Route))
	for i, route := range entry.Route {
		c.destination(fmt.Sprintf("%s.route[%d].destination", path, i), route.Destination)
		weights[i] = route.Weight
	}
	c.weights(path+".route", weights)
	if r := entry.DirectResponse; r != nil && (r.Status < 200 || r.Status > 600) {
		c.refuse(path+".directResponse.status", "%d is not an HTTP status; it must be from 200 to 599", r.Status)
	}
	if r := entry.Redirect; r != nil && r.RedirectCode != 0 && (r.RedirectCode < 300 || r.RedirectCode > 399) {
		c.refuse(path+".redirect.redirectCode", "%d does not redirect; it must be from 300 to 399", r.RedirectCode)
	}
	c.mirrors(path, entry)
	if entry.Fault != nil {
		c.fault(path, entry)
	}
	if entry.Retries != nil {
		c.retries(path, entry)
	}
}

// conflicts checks that an entry does one thing with its requests.
func (c *checker) conflicts(path string, entry *networking.HTTPRoute) {
	set := map[string]bool{
		"route":          len(entry.Route) > 0,
		"redirect":       entry.Redirect != nil,
		"directResponse": entry.DirectResponse != nil,
		"delegate":       entry.Delegate != nil,
		"fault":          entry.Fault != nil,
		"rewrite":        entry.Rewrite != nil,
		"mirror":         entry.Mirror != nil,
		"mirrors":        len(entry.Mirrors) > 0,
	}
	for _, pair := range [][2]string{
		{"route", "redirect"}, {"route", "directResponse"}, {"route", "delegate"},
		{"redirect", "directResponse"}, {"redirect", "delegate"},
		{"fault", "redirect"}, {"fault", "directResponse"},
		{"rewrite", "redirect"}, {"rewrite", "directResponse"}, {"mirror", "mirrors"},
	} {
		if set[pair[0]] && set[pair[1]] {
			c.refuse(at(path, pair[0]), "%s cannot stand beside %s; take one of them", pair[0], pair[1])
		}
	}
	if !set["route"] && !set["redirect"] && !set["directResponse"] && !set["delegate"] {
		c.refuse(path, "it has none of route, redirect, directResponse and delegate; say where the requests go")
	}
}

func (c *checker) httpMatch(path string, match *networking.HTTPMatchRequest) {
	c.stringMatch(path+".uri", match.Uri)
	c.stringMatch(path+".scheme", match.Scheme)
	c.stringMatch(path+".method", match.Method)
	c.stringMatch(path+".authority", match.Authority)
	c.headers(path+".headers", match.Headers)
	c.headers(path+".withoutHeaders", match.WithoutHeaders)
	for _, name := range slices.Sorted(maps.Keys(match.QueryParams)) {
		c.stringMatch(at(path+".queryParams", name), match.QueryParams[name])
	}
	if match.Port != 0 {
		c.port(path+".port", match.Port)
	}
	if len(match.Gateways) > 0 && (len(match.SourceLabels) > 0 || match.SourceNamespace != "") {
		c.warn(path+".gateways", "Istio ignores sourceLabels and sourceNamespace in a match that has gateways; leave out the one or the other")
	}
}

func (c *checker) headers(path string, headers map[string]*networking.StringMatch) {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		// Istio reads :path and the like, and claims of a token, as names too.
		if !headerName.MatchString(strings.TrimPrefix(name, ":")) && !strings.HasPrefix(name, "@request.auth.claims") {
			c.refuse(at(path, name), "%q is not the name of a header; it takes letters, digits and -, and no space", name)
		}
		c.stringMatch(at(path, name), headers[name])
	}
}

func (c *checker) mirrors(path string, entry *networking.HTTPRoute) {
	if entry.Mirror != nil {
		c.destination(path+".mirror", entry.Mirror)
	}
	for i, mirror := range entry.Mirrors {
		here := fmt.Sprintf("%s.mirrors[%d]", path, i)
		c.destination(here+".destination", mirror.Destination)
		c.mirrored(here+".percentage", mirror.Percentage)
	}
	c.mirrored(path+".mirrorPercentage", entry.MirrorPercentage)
	if percent := entry.MirrorPercent.GetValue(); percent > 100 { //nolint:staticcheck // Istio still reads it
		c.refuse(path+".mirrorPercent", "the percentage is %d; it must be from 0 to 100", percent)
	}
}

func (c *checker) mirrored(path string, percent *networking.Percent) {
	if v := percent.GetValue(); v < 0 || v > 100 {
		c.refuse(path, "the percentage is %v; it must be from 0 to 100", v)
	}
}

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
		status, _ := strconv.Atoi(word)
		if !slices.Contains(retryWords, word) && http.StatusText(status) == "" {
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

// destinationAt is a destination and where it stands.
type destinationAt struct {
	path string
	to   *networking.Destination
}

// destinations lists all that a VirtualService sends to.
func destinations(vs *networking.VirtualService) []destinationAt {
	var out []destinationAt
	add := func(to *networking.Destination, format string, args ...any) {
		out = append(out, destinationAt{path: fmt.Sprintf(format, args...), to: to})
	}
	for i, entry := range vs.Http {
		for j, route := range entry.Route {
			add(route.Destination, "spec.http[%d].route[%d].destination", i, j)
		}
		add(entry.Mirror, "spec.http[%d].mirror", i)
		for j, mirror := range entry.Mirrors {
			add(mirror.Destination, "spec.http[%d].mirrors[%d].destination", i, j)
		}
	}
	for i, entry := range vs.Tcp {
		for j, route := range entry.Route {
			add(route.Destination, "spec.tcp[%d].route[%d].destination", i, j)
		}
	}
	for i, entry := range vs.Tls {
		for j, route := range entry.Route {
			add(route.Destination, "spec.tls[%d].route[%d].destination", i, j)
		}
	}
	return out
}
