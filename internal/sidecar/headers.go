package sidecar

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
)

// The headers that stand in the access log too.
const (
	requestID           = "X-Request-Id"
	upstreamServiceTime = "X-Envoy-Upstream-Service-Time"
)

// upstreamRequest is the request as it goes to a host, with the headers that
// the proxy adds. A body that cannot be read to its end cancels the request.
func (s *stream) upstreamRequest(attempt int, cancel context.CancelCauseFunc) *http.Request {
	header := maps.Clone(s.r.Header)
	removeHopHeaders(header)
	header.Set("X-Forwarded-Proto", "http")
	header.Set("X-Envoy-Attempt-Count", strconv.Itoa(attempt))
	addTrace(header)
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
	if s.r.ContentLength != 0 {
		request.Body = &requestBody{s.r.Body, &s.received, cancel}
	}
	return request
}

// requestBody is a client's body on its way to the upstream.
type requestBody struct {
	io.ReadCloser
	received *atomic.Int64
	cancel   context.CancelCauseFunc
}

// Read implements io.Reader.
func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.received.Add(int64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		b.cancel(err)
	}
	return n, err
}

// hopHeaders belong to one connection alone.
var hopHeaders = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect"}

func removeHopHeaders(h http.Header) {
	for _, value := range h.Values("Connection") {
		for name := range strings.SplitSeq(value, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopHeaders {
		h.Del(name)
	}
}

// copyAnswerHeader copies an upstream's headers; the server is the proxy.
func copyAnswerHeader(to, from http.Header) {
	maps.Copy(to, from)
	removeHopHeaders(to)
	to.Set("Server", "envoy")
	if _, ok := to["Content-Type"]; !ok {
		to["Content-Type"] = nil // Else net/http would guess one.
	}
}

// newRequestID is a UUID of version 4.
func newRequestID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// addTrace adds B3 headers: a span below the one that came in. Nothing samples
// it unless whoever began the trace said so.
func addTrace(h http.Header) {
	parent := h.Get("X-B3-Spanid")
	if h.Get("X-B3-Traceid") == "" || parent == "" {
		parent = newSpanID()
		h.Set("X-B3-Traceid", parent)
	}
	h.Set("X-B3-Parentspanid", parent)
	h.Set("X-B3-Spanid", newSpanID())
	if h.Get("X-B3-Sampled") == "" {
		h.Set("X-B3-Sampled", "0")
	}
}

func newSpanID() string {
	var b [8]byte
	rand.Read(b[:])
	return fmt.Sprintf("%x", b)
}
