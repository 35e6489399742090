package sidecar

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// What Envoy does for calls of gRPC and for no others: source/common/grpc/common.cc and
// status.cc, and the same in its router.

// The headers, or trailers, by which a call of gRPC ends.
const (
	grpcStatus  = "Grpc-Status"
	grpcMessage = "Grpc-Message"
)

// isGRPC says whether a request, by its headers, is a call of gRPC.
func isGRPC(h http.Header) bool {
	rest, is := strings.CutPrefix(h.Get("Content-Type"), "application/grpc")
	return is && (rest == "" || rest[0] == '+')
}

// The codes of gRPC that Envoy makes of statuses.
const (
	grpcUnknown          = 2
	grpcPermissionDenied = 7
	grpcUnimplemented    = 12
	grpcInternal         = 13
	grpcUnavailable      = 14
	grpcUnauthenticated  = 16
)

// grpcOf is the code that Envoy gives an answer of its own (httpToGrpcStatus).
func grpcOf(status int) int {
	switch status {
	case http.StatusBadRequest:
		return grpcInternal
	case http.StatusUnauthorized:
		return grpcUnauthenticated
	case http.StatusForbidden:
		return grpcPermissionDenied
	case http.StatusNotFound:
		return grpcUnimplemented
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return grpcUnavailable
	default:
		return grpcUnknown
	}
}

// statusesOfGRPC are the statuses by which Envoy judges a host that ended a call with a
// code, each in the place of that (grpcToHttpStatus).
var statusesOfGRPC = []int{200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401}

func statusOfGRPC(code string) int {
	n, err := strconv.Atoi(code)
	if err != nil || n < 0 || n >= len(statusesOfGRPC) {
		return http.StatusInternalServerError
	}
	return statusesOfGRPC[n]
}

// grpcAnswer is an answer of the proxy's own to a call: headers alone, as of one that
// succeeded, in which the code stands.
func grpcAnswer(code int, text string) answer {
	header := http.Header{"Content-Type": {"application/grpc"}, grpcStatus: {strconv.Itoa(code)}}
	if text != "" {
		header.Set(grpcMessage, percentEncoded(text))
	}
	return answer{status: http.StatusOK, header: header}
}

// percentEncoded is a message as gRPC has it in a header.
func percentEncoded(text string) string {
	var out strings.Builder
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' || c == '%' {
			fmt.Fprintf(&out, "%%%02X", c)
			continue
		}
		out.WriteByte(c)
	}
	return out.String()
}

// bare says whether an answer is headers alone, and says how a call ended.
func (a answer) bare() bool {
	if a.header.Get(grpcStatus) == "" {
		return false
	}
	b, ofHost := a.body.(*hostBody)
	return a.body == nil || ofHost && b.whole()
}

// judged is the status by which outlier detection knows an answer. A code that comes in
// the trailers it does not see, as in Envoy.
func (f *forwarding) judged(response *http.Response) int {
	if code := response.Header.Get(grpcStatus); f.grpc && code != "" {
		return statusOfGRPC(code)
	}
	return response.StatusCode
}

// succeeded counts an answer for its host: at once or, of a call whose code is to come,
// when that has.
func (f *forwarding) succeeded(a arrival) {
	switch {
	case !f.grpc:
		f.host.count(a.response.StatusCode)
	case a.whole():
		f.host.count(statusOfGRPC(a.response.Header.Get(grpcStatus)))
	default:
		f.owed = f.host
	}
}

// settle counts for its host a call that has ended, whose code came with the trailers or
// did not.
func (s *stream) settle(code string) {
	if s.owed == nil {
		return
	}
	s.owed.count(statusOfGRPC(code))
	s.owed = nil
}

// sendTrailer passes on what follows the body.
func (s *stream) sendTrailer() {
	if s.answer.trailer == nil {
		s.settle("")
		return
	}
	trailer := *s.answer.trailer
	if code := trailer.Get(grpcStatus); code != "" {
		s.grpcStatus = code
	}
	s.settle(trailer.Get(grpcStatus))
	if s.r.ProtoMajor < 2 {
		return // Envoy's codec of HTTP/1 sends none.
	}
	for name, values := range trailer {
		s.w.Header()[http.TrailerPrefix+name] = values
	}
}

// protocol is that of a request as Envoy logs it.
func protocol(r *http.Request) string {
	if r.ProtoMajor == 2 {
		return "HTTP/2"
	}
	return r.Proto
}
