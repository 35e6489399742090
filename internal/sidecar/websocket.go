package sidecar

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// WebSocket as Istio's upgrade_configs have Envoy carry it over HTTP/1.1: the request goes
// through the filters as any other; once its host has answered 101, bytes go both ways
// until either side ends, and the request with them
// (source/common/router/upstream_codec_filter.cc).

// asksForWebSocket says whether a request asks for one.
func asksForWebSocket(h http.Header) bool {
	return strings.EqualFold(h.Get("Upgrade"), "websocket") && hasToken(h, "Connection", "upgrade")
}

// keepUpgrade changes headers and leaves those by which a WebSocket is opened as they are:
// Envoy passes them on as they come.
func keepUpgrade(h http.Header, change func(http.Header)) {
	kept := map[string][]string{}
	for _, name := range []string{"Connection", "Upgrade"} {
		if values := h.Values(name); len(values) > 0 {
			kept[name] = []string{joinedValues(h, name)}
		}
		h.Del(name)
	}
	change(h)
	for name, values := range kept {
		h[name] = values
	}
}

// unopened says whether an answer opens no WebSocket that was asked for, and is no error
// either. Envoy then takes of the answer what it makes one of its own of.
func (f *forwarding) unopened(response *http.Response) bool {
	return f.webSocket && response.StatusCode != http.StatusSwitchingProtocols && response.StatusCode < http.StatusBadRequest
}

// opened makes of an answer to a request for a WebSocket that of the stream, unless it is
// an error, which is passed on as any other.
func (f *forwarding) opened(a arrival) bool {
	header := a.response.Header
	switch {
	case f.unopened(a.response):
		removeHopHeaders(header)
		f.reply(a.response.StatusCode, "", "", "websocket_handshake_unsuccessful")
		f.answer.header = header
		a.exchange.release(false)
		return true
	case a.response.StatusCode >= http.StatusBadRequest:
		return false
	}
	if f.endTime != nil {
		f.endTime()
	}
	f.cluster.stats.charge(a.response.StatusCode)
	keepUpgrade(header, removeHopHeaders)
	f.details = "via_upstream"
	f.answer = answer{status: a.response.StatusCode, header: header, tunnel: &tunnel{a.exchange}}
	f.succeeded(a)
	return true
}

// opening says whether the request asked for a WebSocket: it has no end by which another
// could begin on its connection.
func (x *exchange) opening() bool { return asksForWebSocket(x.request.Header) }

// tunnel is the connection to a host that has opened a WebSocket.
type tunnel struct{ *exchange }

// carry answers that the WebSocket is open, and passes on what comes, until one side ends.
// As in Envoy neither side can end its half alone.
func (s *stream) carry() {
	t := s.answer.tunnel
	if !s.proxy.enter() { // The server does not wait for a connection that it has given away.
		t.release(false)
		panic(http.ErrAbortHandler)
	}
	defer s.proxy.routines.Done()
	s.stats.cxActive.add(1) // It counts that one no more.
	defer s.stats.cxActive.add(-1)
	client, buffered, err := http.NewResponseController(s.w).Hijack()
	if err != nil {
		s.disconnected()
		t.release(false)
		panic(http.ErrAbortHandler)
	}
	defer client.Close()
	if s.greet(buffered.Writer) != nil {
		s.disconnected()
		t.release(false)
		return
	}
	if s.pass(client, buffered.Reader, t) == byHost {
		s.flags = append(s.flags, "UC")
		s.details = "upstream_reset_after_response_started{connection_termination}"
		t.conn.pool.cluster.report(t.conn.pool.host, http.StatusServiceUnavailable)
		t.lost()
		return
	}
	s.disconnected()
	t.release(false)
}

// greet writes the head of the answer.
func (s *stream) greet(w *bufio.Writer) error {
	header := s.w.Header()
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	for name, values := range header {
		if values == nil { // Which keeps net/http from making one.
			delete(header, name)
		}
	}
	head := http.Response{StatusCode: s.answer.status, ProtoMajor: 1, ProtoMinor: 1, Header: header}
	if err := head.Write(w); err != nil {
		return err
	}
	return w.Flush()
}

// pass passes on what comes from either side until one has ended, ends the other, and says
// who was the first.
func (s *stream) pass(client net.Conn, fromClient io.Reader, t *tunnel) end {
	return t.relay(s.proxy.ctx, client, func() end {
		n, byReader := copyUntil(s.toAll(t.conn.socket), fromClient)
		s.received.Add(n)
		return whoOf(byReader, byProxy, byHost)
	}, func() end {
		n, byReader := copyUntil(client, t.conn.reader)
		s.sent = n
		return whoOf(byReader, byHost, byProxy)
	})
}

// toAll gives the mirrors what the host gets.
func (s *stream) toAll(host io.Writer) io.Writer {
	if len(s.copies) == 0 {
		return host
	}
	return writerFunc(func(p []byte) (int, error) {
		for _, c := range s.copies {
			c.add(p)
		}
		return host.Write(p)
	})
}

type writerFunc func([]byte) (int, error)

// Write implements io.Writer.
func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// forget passes on to a mirror what the client sends, and nothing of what it answers.
func (t *tunnel) forget(s *stream) {
	by := t.relay(s.proxy.ctx, s.r.Body, func() end {
		_, byReader := copyUntil(t.conn.socket, s.r.Body)
		return whoOf(byReader, byProxy, byHost)
	}, func() end {
		_, _ = copyUntil(io.Discard, t.conn.reader)
		return byHost
	})
	if by == byHost {
		t.lost()
		return
	}
	t.release(false)
}

// relay copies both ways until one of them ends, or ctx does; then it ends the client and
// the connection to the host, and says who was the first.
func (t *tunnel) relay(ctx context.Context, client io.Closer, up, down func() end) end {
	closeBoth := func() {
		client.Close()
		t.conn.socket.Close()
	}
	defer context.AfterFunc(ctx, closeBoth)()
	ends := make(chan end, 2)
	go func() { ends <- up() }()
	go func() { ends <- down() }()
	first := <-ends
	closeBoth()
	<-ends
	return first
}

func whoOf(byReader bool, reader, writer end) end {
	if byReader {
		return reader
	}
	return writer
}

// copyUntil copies until one of the two ends, and returns how many bytes were read, and
// whether it was the one that is read from.
func copyUntil(to io.Writer, from io.Reader) (n int64, byReader bool) {
	buffer := buffers.Get().(*[16 << 10]byte)
	defer buffers.Put(buffer)
	for {
		read, err := from.Read(buffer[:])
		n += int64(read)
		if read > 0 {
			if _, failed := to.Write(buffer[:read]); failed != nil {
				return n, false
			}
		}
		if err != nil {
			return n, true
		}
	}
}
