package istio

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
)

// stream is one connection through a tunnel: a data stream, and beside it one
// on which the node says why the data stream ended.
type stream struct {
	name   string
	conn   httpstream.Connection
	data   httpstream.Stream
	errors httpstream.Stream
	leave  func()        // gives up its place on the connection; may be called again
	told   chan struct{} // closed when the node has nothing more to say
	fault  error         // what it said; read it once told is closed
}

func newStream(conn httpstream.Connection, name string, port, request int) (*stream, error) {
	header := http.Header{}
	header.Set(corev1.PortHeader, strconv.Itoa(port))
	header.Set(corev1.PortForwardRequestIDHeader, strconv.Itoa(request))
	header.Set(corev1.StreamType, corev1.StreamTypeError)
	fault, err := conn.CreateStream(header)
	if err != nil {
		return nil, fmt.Errorf("making its error stream: %w", err)
	}
	_ = fault.Close() // only the other side writes to it
	header.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := conn.CreateStream(header)
	if err != nil {
		_ = fault.Reset()
		conn.RemoveStreams(fault)
		return nil, fmt.Errorf("making its data stream: %w", err)
	}
	s := &stream{name: name, conn: conn, data: data, errors: fault, told: make(chan struct{})}
	go s.listen()
	return s, nil
}

func (s *stream) listen() {
	defer close(s.told)
	said, err := io.ReadAll(s.errors)
	switch {
	case len(said) > 0:
		s.fault = fmt.Errorf("reading from %s: %s", s.name, said)
	case err != nil:
		s.fault = fmt.Errorf("reading from %s: %w", s.name, err)
	}
}

// Read implements net.Conn. Where the node said why the connection ended, that
// is the error instead of io.EOF.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.data.Read(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	select {
	case <-s.told:
		if s.fault != nil {
			return n, s.fault
		}
	case <-time.After(time.Second): // the two streams may end in either order, at about the same time
	}
	return n, err
}

// Write implements net.Conn.
func (s *stream) Write(p []byte) (int, error) { return s.data.Write(p) }

// Close implements net.Conn. A reset, and no mere close, makes the node hang up
// on the pod.
func (s *stream) Close() error {
	err := s.data.Reset()
	_ = s.errors.Reset()
	s.conn.RemoveStreams(s.data, s.errors)
	s.leave()
	return err
}

// LocalAddr implements net.Conn.
func (s *stream) LocalAddr() net.Addr { return address("local") }

// RemoteAddr implements net.Conn.
func (s *stream) RemoteAddr() net.Addr { return address(s.name) }

// SetDeadline implements net.Conn; there are no deadlines on a stream.
func (s *stream) SetDeadline(time.Time) error { return os.ErrNoDeadline }

// SetReadDeadline implements net.Conn; there are no deadlines on a stream.
func (s *stream) SetReadDeadline(time.Time) error { return os.ErrNoDeadline }

// SetWriteDeadline implements net.Conn; there are no deadlines on a stream.
func (s *stream) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

// address is namespace/pod:port.
type address string

// Network implements net.Addr.
func (address) Network() string { return "port-forward" }

// String implements net.Addr.
func (a address) String() string { return string(a) }
