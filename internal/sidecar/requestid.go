package sidecar

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
)

// requestID is by which a mesh tells requests apart.
const requestID = "X-Request-Id"

// clientTraceID is with what a client asks that its request be traced.
const clientTraceID = "X-Client-Trace-Id"

// identify gives a request its id, whatever becomes of it and however often it is
// tried, and says in it whether it is sampled. At the edge of the mesh Envoy trusts
// nobody's.
func identify(h http.Header, edge bool) {
	if edge || h.Get(requestID) == "" {
		h.Set(requestID, newRequestID())
	}
	h.Set(requestID, sampled(h.Get(requestID), h.Get(clientTraceID) != ""))
}

// newRequestID is a UUID of version 4.
func newRequestID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Of 10,000 requests Istio has 100 sampled.
const (
	sampledOf   = 10_000
	sampledRate = 100
)

// The place in an id where Envoy says that the request is sampled, and why
// (source/extensions/request_id/uuid/config.cc).
const (
	traceReason = 14
	byShare     = '9'
	byForce     = 'a'
	byClient    = 'b'
)

// sampled is an id with Envoy's mark, if the request is to be sampled: because a
// proxy before said so, as its client asks for it, or by its share. It is marked
// though no tracer is there, as is the case until Istio is told of one. An id that
// is no UUID is left alone.
func sampled(id string, asked bool) string {
	if len(id) != len("00000000-0000-4000-8000-000000000000") {
		return id
	}
	number, err := strconv.ParseUint(id[:8], 16, 32)
	reason := id[traceReason]
	switch {
	case err != nil, reason == byShare, reason == byForce, reason == byClient:
		return id
	case asked:
		reason = byClient
	case number%sampledOf < sampledRate:
		reason = byShare
	}
	return id[:traceReason] + string(reason) + id[traceReason+1:]
}
