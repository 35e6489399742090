package sidecar

import (
	"cmp"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// answer is what goes back to the client: a host's answer, or one of the
// proxy's own.
type answer struct {
	status int // 0: there is none
	header http.Header
	body   io.ReadCloser // nil: none
	text   string        // the body of an answer of the proxy's own
	flush  bool          // its length is not known, so each part is passed on as it comes

	trailer *http.Header // of a host's answer, there once the body is read; nil: none passes
	tunnel  *tunnel      // that follows it; nil: none
}

// reply makes an answer of the proxy's own.
func (s *stream) reply(status int, body, flag, details string) {
	if flag != "" {
		s.flags = append(s.flags, flag)
	}
	s.details = details
	if s.grpc {
		s.answer = grpcAnswer(grpcOf(status), body)
		return
	}
	s.answer = answer{status: status, header: http.Header{}, text: body}
	if body != "" && s.r.Method != http.MethodHead && status != http.StatusNoContent && status != http.StatusNotModified {
		s.answer.body = io.NopCloser(strings.NewReader(body))
	}
}

// serverHeader is what Istio has a proxy call itself in its answers.
func (s *Sidecar) serverHeader() string {
	if s.options.Gateway {
		return "istio-envoy"
	}
	return "envoy"
}

// send writes the answer to the client.
func (s *stream) send() {
	header := s.w.Header()
	maps.Copy(header, s.answer.header)
	header.Set("Server", s.proxy.serverHeader()) // Whatever a filter has made of it, as in Envoy.
	switch {                                     // After the filters, as in Envoy.
	case s.answer.text != "":
		header.Set("Content-Length", strconv.Itoa(len(s.answer.text)))
		header.Set("Content-Type", cmp.Or(header.Get("Content-Type"), "text/plain"))
	case s.grpc:
	case s.answer.body == nil: // One of its own without a text says nothing of it.
		header.Del("Content-Length")
		header.Del("Content-Type")
	}
	if _, ok := header["Content-Type"]; !ok {
		header["Content-Type"] = nil // Else net/http would guess one.
	}
	s.status = s.answer.status
	if s.answer.tunnel != nil {
		s.carry()
		return
	}
	if s.webSocket {
		header.Set("Connection", "close") // What the client sends next is no request.
	}
	s.grpcStatus = header.Get(grpcStatus)
	if s.answer.bare() {
		header["Content-Length"] = nil // Else net/http would say that it is 0.
	}
	s.w.WriteHeader(s.answer.status)
	if s.answer.body == nil {
		return
	}
	defer s.answer.body.Close()
	if s.answer.flush && !s.answer.bare() {
		_ = http.NewResponseController(s.w).Flush() // So that net/http finds out no length of its own.
	}
	if err := s.sendBody(); err != nil {
		s.settle("")
		s.cut(err)
	}
	s.sendTrailer()
}

// errDownstream says that the client could not be written to.
var errDownstream = errors.New("downstream")

// buffers are what bodies are copied with.
var buffers = sync.Pool{New: func() any { return new([16 << 10]byte) }}

func (s *stream) sendBody() error {
	buffer := buffers.Get().(*[16 << 10]byte)
	defer buffers.Put(buffer)
	flush := http.NewResponseController(s.w)
	for {
		n, err := s.answer.body.Read(buffer[:])
		if n > 0 {
			written, werr := s.w.Write(buffer[:n])
			s.sent += int64(written)
			if werr != nil {
				return errDownstream
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case s.answer.flush:
			_ = flush.Flush() // The next write says if the client has gone.
		}
	}
}

// cut ends an answer that could not be passed on whole, and with it the
// client's connection. What of it has come the client gets.
func (s *stream) cut(err error) {
	_ = http.NewResponseController(s.w).Flush() // If it fails, so has the connection that ends here.
	switch {
	case errors.Is(err, errTimeout):
		s.flags = append(s.flags, "UT")
		s.details = "response_timeout"
	case errors.Is(err, errDownstream) || s.r.Context().Err() != nil:
		s.disconnected()
	case errors.Is(err, errTermination):
		s.flags = append(s.flags, "UC")
		s.details = "upstream_reset_after_response_started{connection_termination}"
	case errors.Is(err, errRemoteReset), errors.Is(err, errRefusedStream):
		s.flags = append(s.flags, "UR")
		s.details = "upstream_reset_after_response_started{" + underscored(err.Error()) + "}"
	default:
		// Of a body that ends too early Envoy's codec says so, whoever has ended it.
		s.flags = append(s.flags, "UPE")
		s.details = "upstream_reset_after_response_started{protocol_error}"
	}
	panic(http.ErrAbortHandler)
}

// disconnected notes that the client went away before it was answered whole. Of HTTP/2 it
// gives up a request, and its connection stays.
func (s *stream) disconnected() {
	flag, details := "DC", "downstream_remote_disconnect"
	if s.r.ProtoMajor > 1 {
		flag, details = "DR", "http2.remote_reset"
	}
	s.flags = append(s.flags, flag)
	s.details = details
	if !s.webSocket { // Of which each is counted when it ends.
		s.stats.rqRemoteReset.add(1)
	}
}
