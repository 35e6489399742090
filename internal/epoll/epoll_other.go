//go:build !linux

package epoll

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"time"
)

// Supported says whether there is epoll here.
const Supported = false

var errNone = fmt.Errorf("%s has no epoll: %w", runtime.GOOS, errors.ErrUnsupported)

// Poller cannot be had.
type Poller struct{}

// New returns an error.
func New() (*Poller, error) { return nil, errNone }

// Add is of Linux.
func (*Poller) Add(Socket, uint64) error { return errNone }

// Wait is of Linux.
func (*Poller) Wait(time.Time) []Event { return nil }

// Ring is of Linux.
func (*Poller) Ring() {}

// Close is of Linux.
func (*Poller) Close() error { return nil }

// Event is none.
type Event struct{}

// Key is of Linux.
func (*Event) Key() uint64 { return 0 }

// Readable is of Linux.
func (*Event) Readable() bool { return false }

// Writable is of Linux.
func (*Event) Writable() bool { return false }

// Ended is of Linux.
func (*Event) Ended() bool { return false }

// Socket is none.
type Socket int

// Take returns an error.
func Take(conn *net.TCPConn) (Socket, error) {
	_ = conn.Close()
	return None, errNone
}

// Read is of Linux.
func (Socket) Read([]byte) (int, error) { return 0, errNone }

// Write is of Linux.
func (Socket) Write([]byte) (int, error) { return 0, errNone }

// Close is of Linux.
func (Socket) Close() error { return errNone }
