package sidecar

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// exchange sends the request on its connection and passes the answer on.
func (s *stream) exchange(ctx context.Context, c *cluster, conn *upstreamConn, request *http.Request) {
	x := conn.carried()
	var sent atomic.Bool
	send := func() { sent.Store(conn.send(request)) }
	if request.Body == nil {
		send()
	} else {
		s.proxy.routines.Go(send)
	}
	select {
	case a := <-x.answer:
		if a.err != nil {
			conn.release(false)
			s.broken(c, a.err)
			return
		}
		s.answer(ctx, c, conn, a.response, &sent)
	case <-ctx.Done():
		conn.release(false)
		s.interrupted(ctx, c, s.host)
	}
}

// interrupted ends a request whose time is over, or whose client has gone,
// before there was an answer. h is the host that has it; nil: none yet.
func (s *stream) interrupted(ctx context.Context, c *cluster, h *host) {
	if !errors.Is(context.Cause(ctx), errTimeout) {
		s.disconnected()
		return
	}
	c.stats.rqTimeout.add(1)
	c.stats.charge(http.StatusGatewayTimeout)
	if h != nil {
		h.rqTimeout.Add(1)
		h.rqError.Add(1)
		c.report(h, http.StatusGatewayTimeout)
	}
	s.reply(http.StatusGatewayTimeout, errTimeout.Error(), "UT", "response_timeout")
}

// broken answers a request whose connection ended, or carried nonsense, before
// there was an answer.
func (s *stream) broken(c *cluster, err error) {
	c.report(s.host, http.StatusServiceUnavailable)
	status, reason, flag := http.StatusServiceUnavailable, "connection termination", "UC"
	if !isTermination(err) {
		status, reason, flag = http.StatusBadGateway, "protocol error", "UPE"
	}
	s.charge(c, status)
	s.reply(status, "upstream connect error or disconnect/reset before headers. reset reason: "+reason, flag, resetBefore(reason))
}

// answer passes an upstream's answer on.
func (s *stream) answer(ctx context.Context, c *cluster, conn *upstreamConn, response *http.Response, sent *atomic.Bool) {
	s.status, s.details = response.StatusCode, "via_upstream"
	s.charge(c, response.StatusCode)
	c.report(s.host, response.StatusCode)
	header := s.w.Header()
	copyAnswerHeader(header, response.Header)
	header.Set(upstreamServiceTime, strconv.FormatInt(time.Since(s.forwarded).Milliseconds(), 10))
	s.w.WriteHeader(response.StatusCode)

	// Whoever ends the request ends the reading of its answer too.
	watch := context.AfterFunc(ctx, func() { conn.socket.Close() })
	free := func(whole bool) {
		unwatched := watch()
		conn.release(whole && unwatched && !response.Close && sent.Load())
	}
	if err := s.copyBody(response, free); err != nil {
		s.cut(ctx, err)
	}
}

// errDownstream says that the client could not be written to.
var errDownstream = errors.New("downstream")

// copyBody copies an answer's body. The connection is freed when the last of
// it has been read, before that is written: who has the whole answer finds the
// connection free.
func (s *stream) copyBody(response *http.Response, free func(whole bool)) error {
	buffer := make([]byte, 16<<10)
	flush := http.NewResponseController(s.w)
	for {
		n, err := response.Body.Read(buffer)
		if err != nil {
			free(err == io.EOF)
		}
		if n > 0 {
			written, werr := s.w.Write(buffer[:n])
			s.sent += int64(written)
			if werr != nil {
				if err == nil {
					free(false)
				}
				return errDownstream
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case response.ContentLength < 0:
			_ = flush.Flush() // The next write says if the client has gone.
		}
	}
}

// cut ends an answer that could not be passed on whole.
func (s *stream) cut(ctx context.Context, err error) {
	switch {
	case errors.Is(context.Cause(ctx), errTimeout):
		s.reset("UT", "response_timeout")
	case errors.Is(err, errDownstream) || s.r.Context().Err() != nil:
		s.disconnected()
		panic(http.ErrAbortHandler)
	default:
		s.reset("UC", "upstream_reset_after_response_started{connection_termination}")
	}
}
