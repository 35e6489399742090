package loadgen

import (
	"context"
	"net"
	"sync"
	"syscall"
	"time"
)

// longAgo is a deadline that has passed, whatever the clock.
var longAgo = time.Unix(1, 0)

// socket is the one TCP connection that a connection of a plan has at a time.
// Only cut may be called from another goroutine.
type socket struct {
	target string // host:port
	dials  int64
	local  string // ip:port of the last connection's own end

	mu      sync.Mutex // guards conn against cut
	conn    net.Conn   // nil: none is open
	raw     syscall.RawConn
	silent  bool
	isAlive func(fd uintptr) bool
}

// dial opens the connection.
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
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.raw, s.local = conn, raw, conn.LocalAddr().String()
	s.isAlive = func(fd uintptr) bool {
		s.silent = silent(fd)
		return true
	}
	return nil
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
// on it. It must be armed.
func (s *socket) alive() bool {
	s.silent = false
	return s.raw.Read(s.isAlive) == nil && s.silent
}

// dialed implements connection.
func (s *socket) dialed() int64 { return s.dials }

// cut makes whatever the connection waits for fail now.
func (s *socket) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		_ = s.conn.SetDeadline(longAgo)
	}
}

// close closes the connection, if one is open.
func (s *socket) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
}
