package sidecar

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// upstreamServiceTime stands in the access log too.
const upstreamServiceTime = "X-Envoy-Upstream-Service-Time"

// The headers that only the proxy's host sees.
const (
	attemptCount    = "X-Envoy-Attempt-Count"
	originalHost    = "X-Envoy-Original-Host"
	expectedTimeout = "X-Envoy-Expected-Rq-Timeout-Ms"
)

// upstreamRequest is the request as it goes to a host, without its body, with
// the headers that the proxy adds.
func (f *forwarding) upstreamRequest() *http.Request {
	s := f.stream
	header := maps.Clone(s.r.Header)
	if s.webSocket && !f.cluster.config.HTTP2 { // Over HTTP/2 none can be asked for.
		keepUpgrade(header, removeHopHeaders)
	} else {
		removeHopHeaders(header)
	}
	header.Del("Expect")             // net/http has let the client go on.
	if f.attempt > 1 && !f.inbound { // The first stands there for what the route does to headers.
		header.Set(attemptCount, strconv.Itoa(f.attempt))
	}
	if expected := f.expected(); expected > 0 {
		header.Set(expectedTimeout, strconv.FormatInt(expected, 10))
		if s.grpc && !s.inbound {
			header.Set(grpcTimeout, grpcDuration(expected))
		}
	}
	if _, ok := header["User-Agent"]; !ok {
		header["User-Agent"] = nil // Else net/http would add its own.
	}
	request := &http.Request{
		Method:        s.r.Method,
		URL:           s.r.URL,
		Host:          s.r.Host,
		Header:        header,
		ContentLength: s.r.ContentLength,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
	}
	if s.r.ContentLength == 0 && !slices.Contains(bodiless, s.r.Method) {
		request.Body, request.TransferEncoding = http.NoBody, []string{"identity"} // Then net/http says that the body is empty, as Envoy does.
	}
	return request
}

// bodiless are the methods of which Envoy does not say that they have no body.
var bodiless = []string{http.MethodGet, http.MethodHead, http.MethodDelete, http.MethodTrace, http.MethodConnect}

// expected is how many milliseconds an attempt may take as Envoy tells its host;
// 0: as many as it likes. Of the time that has gone, Envoy counts whole
// milliseconds (FilterUtility::setTimeoutHeaders).
func (f *forwarding) expected() int64 {
	expected := cmp.Or(f.perTry, f.timeout)
	if whole := f.whole(); expected > 0 && f.timeout > 0 && f.attempt > 1 && !whole.IsZero() {
		gone := time.Since(whole).Truncate(time.Millisecond)
		expected = max(time.Millisecond, min(expected, f.timeout-gone))
	}
	return expected.Milliseconds()
}

// hopHeaders belong to one connection alone.
var hopHeaders = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Trailer", "Transfer-Encoding", "Upgrade"}

// removeHopHeaders leaves of TE what Envoy does.
func removeHopHeaders(h http.Header) {
	trailers := hasToken(h, "Te", "trailers")
	for _, value := range h.Values("Connection") {
		for name := range strings.SplitSeq(value, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopHeaders {
		h.Del(name)
	}
	h.Del("Te")
	if trailers {
		h.Set("Te", "trailers")
	}
}
