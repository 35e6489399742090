package epoll

import (
	"fmt"
	"io"
	"net"

	"golang.org/x/sys/unix"
)

// Socket is a TCP connection for which Go's own poller does not wait. None of its methods
// waits for anything.
type Socket int

// Take takes a connection from Go's poller, and closes what is left of it.
func Take(conn *net.TCPConn) (s Socket, err error) {
	defer func() { _ = conn.Close() }()
	raw, err := conn.SyscallConn()
	if err != nil {
		return None, fmt.Errorf("taking a connection: %w", err)
	}
	var fd int
	var failed error
	if err := raw.Control(func(of uintptr) { fd, failed = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return None, fmt.Errorf("taking a connection: %w", err)
	}
	if failed != nil {
		return None, fmt.Errorf("taking a connection: %w", failed)
	}
	return Socket(fd), nil
}

// Read reads what is there: ErrNothing if that is nothing, at the end of the connection
// io.EOF.
func (s Socket) Read(p []byte) (n int, err error) {
	if n, err = read(int(s), p); n == 0 && err == nil && len(p) > 0 {
		err = io.EOF
	}
	return n, err
}

// Write writes as much as the kernel takes, and returns ErrNothing if that is nothing.
func (s Socket) Write(p []byte) (int, error) { return write(int(s), p) }

// Close closes the connection.
func (s Socket) Close() error { return unix.Close(int(s)) }
