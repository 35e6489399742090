package loadgen

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// fate is a connection that keeps why nothing more is read from it: of a connection
// that ends before its first request HTTP/2 does not tell.
type fate struct {
	net.Conn
	under net.Conn      // what Conn encrypts, or the same
	ended chan struct{} // closed: nothing more is read
	err   error         // why, to be read then

	unwritten atomic.Pointer[error] // why something could not be written first; nil: all was
	closing   sync.Once
	closed    chan struct{} // closed: it was given up, by who speaks on it
}

func newFate(conn, under net.Conn) *fate {
	return &fate{Conn: conn, under: under, ended: make(chan struct{}), closed: make(chan struct{})}
}

// reason is why nothing more is read; nil: there may be more.
func (f *fate) reason() error {
	select {
	case <-f.ended:
		return f.err
	default:
		return nil
	}
}

// Close implements net.Conn, as a socket closes it.
func (f *fate) Close() error {
	f.closing.Do(func() { close(f.closed) })
	return f.under.Close()
}

// Read implements net.Conn.
func (f *fate) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	if err != nil {
		select {
		case <-f.ended:
		default:
			f.err = err
			close(f.ended)
		}
	}
	return n, err
}

func (f *fate) isClosed() bool {
	select {
	case <-f.closed:
		return true
	default:
		return false
	}
}

// lastWords is for how long what a server has said is waited for where nothing can be written
// any more: it has come, or does not.
const lastWords = time.Second

// Write implements net.Conn. Where it fails the connection is closed at once, and what the
// server has said last would not be read, such as that it asks for a certificate. Of one that
// is closed already nobody reads it.
func (f *fate) Write(p []byte) (int, error) {
	n, err := f.Conn.Write(p)
	if err != nil {
		f.unwritten.CompareAndSwap(nil, &err)
		read := time.NewTimer(lastWords)
		defer read.Stop()
		select {
		case <-f.ended:
		case <-f.closed:
		case <-read.C:
		}
	}
	return n, err
}

// broken is why the connection cannot be used any more: by what was read last, rather than by
// what could not be written, and as one that ended where who speaks on it has given it up, for
// what the server says; nil: it can be used.
func (f *fate) broken() error {
	err := f.reason()
	if unwritten := f.unwritten.Load(); err == nil && unwritten != nil {
		err = *unwritten
	}
	if f.isClosed() && (err == nil || errors.Is(err, net.ErrClosed)) {
		return &goneError{net.ErrClosed}
	}
	return err
}
