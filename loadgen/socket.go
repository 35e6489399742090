package loadgen

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/http2"
)

// whatHasArrived is for how long a connection is read of which something is there to read.
const whatHasArrived = time.Millisecond

// longAgo is a deadline that has passed, whatever the clock.
var longAgo = time.Unix(1, 0)

// socket is the one TCP connection that a connection of a plan has at a time.
// Only cut may be called from another goroutine.
type socket struct {
	target string     // host:port
	tls    *encrypted // nil: what is sent is not
	other  *firstWords
	dials  int64
	local  string // ip:port of the last connection's own end

	id     requestID // that went with the last request, if sentID
	sentID bool

	mu      sync.Mutex // guards conn against cut
	conn    net.Conn   // nil: none is open
	under   net.Conn   // what conn encrypts, or conn itself
	beneath *beneath   // what conn encrypts; nil: conn does not
	raw     syscall.RawConn
	silent  bool
	isAlive func(fd uintptr) bool
}

// dial opens the connection. Where it is encrypted, the other side is known then.
func (s *socket) dial(ctx context.Context, deadline time.Time) error {
	s.dials++
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.target)
	if err != nil {
		return err
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		_ = conn.Close()
		return err
	}
	s.isAlive = func(fd uintptr) bool {
		s.silent = silent(fd)
		return true
	}
	s.raw, s.local = raw, conn.LocalAddr().String()
	s.beneath = nil
	s.hold(conn, conn)
	if s.tls == nil {
		return nil
	}
	if err := s.arm(ctx, deadline); err != nil {
		return err
	}
	s.beneath = &beneath{Conn: conn}
	over := tls.Client(s.beneath, s.tls.config)
	if err := over.Handshake(); err != nil {
		return &handshakeError{err: err, met: over.ConnectionState().Version != 0}
	}
	s.hold(over, conn)
	return nil
}

// beneath is what a connection encrypts. Where that ends before it was said to end, by the
// alert close_notify, anybody may have cut it off, and crypto/tls does not tell.
type beneath struct {
	net.Conn
	ended bool
}

// Read implements net.Conn.
func (b *beneath) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	b.ended = b.ended || errors.Is(err, io.EOF)
	return n, err
}

// dialHTTP2 opens the connection to speak HTTP/2, of which each stream has a deadline of its
// own.
func (s *socket) dialHTTP2(ctx context.Context, deadline time.Time) error {
	if err := s.dial(ctx, deadline); err != nil {
		return err
	}
	if encrypted, ok := s.conn.(*tls.Conn); ok && encrypted.ConnectionState().NegotiatedProtocol != http2.NextProtoTLS {
		return &handshakeError{err: errNoHTTP2, met: true}
	}
	return s.arm(ctx, time.Time{})
}

// tell has the socket tell what was wrong with a request that ended as ErrorOther.
func (s *socket) tell(other *firstWords) { s.other = other }

func (s *socket) hold(conn, under net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.under = conn, under
}

// arm sets the time by which what follows must be done. The context is looked
// at only afterwards: so either it is seen to have ended here, or cut comes
// later and its deadline is the one that stays.
func (s *socket) arm(ctx context.Context, deadline time.Time) error {
	if err := s.conn.SetDeadline(deadline); err != nil {
		return err
	}
	return ctx.Err()
}

// alive says whether the idle connection is still open and nothing has arrived
// on it. It must be armed, for as long as the deadline.
func (s *socket) alive(ctx context.Context, deadline time.Time) bool {
	s.silent = false
	switch {
	case s.raw.Read(s.isAlive) != nil:
		return false
	case s.tls == nil:
		return s.silent
	}
	return s.onlyTickets(ctx) && s.arm(ctx, deadline) == nil
}

// onlyTickets says whether no more has arrived on an idle connection that is encrypted
// than tickets, which a server may send at any time, so that the next connection could
// resume this one. What was read with the last answer is looked at in any case.
func (s *socket) onlyTickets(ctx context.Context) bool {
	until := longAgo
	if !s.silent {
		until = time.Now().Add(whatHasArrived)
	}
	if s.arm(ctx, until) != nil {
		return false
	}
	var one [1]byte
	n, err := s.conn.Read(one[:])
	var late net.Error
	return n == 0 && errors.As(err, &late) && late.Timeout()
}

// giveID has the request that is to be sent go with an id of its own.
func (s *socket) giveID() { s.id, s.sentID = newRequestID(), true }

// requestID implements connection.
func (s *socket) requestID() (id *requestID, from string) {
	if !s.sentID {
		return nil, ""
	}
	return &s.id, s.local
}

// dialed implements connection.
func (s *socket) dialed() int64 { return s.dials }

// cut makes whatever the connection waits for fail now.
func (s *socket) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		_ = s.under.SetDeadline(longAgo)
	}
}

// close closes the connection, if one is open.
func (s *socket) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		// Without a last word of TLS, for which a server that does not read would have us
		// wait: each message says where it ends.
		_ = s.under.Close()
		s.conn, s.under = nil, nil
	}
}
