package istio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
)

// tunnel reaches one port of a pod's loopback through the Kubernetes API, as
// kubectl port-forward does but without a port on this machine, where other
// users could reach a proxy's admin interface. Its connection to the API server
// is made when a stream needs it, and again when it was lost; it is given up with
// its last stream.
type tunnel struct {
	name    string // namespace/pod:port, for errors
	port    int
	upgrade func() (httpstream.Connection, error)

	dialing sync.Mutex // one upgrade at a time
	mu      sync.Mutex // guards what follows
	carrier *carrier   // nil: there is no connection
	request int
	closed  bool
}

// carrier is a connection to the API server, with the streams that it carries.
type carrier struct {
	httpstream.Connection
	streams int // guarded by the tunnel
}

// newTunnel makes a tunnel to a port of a pod. WebSocket is tried before SPDY,
// which proxies between here and the API server often do not let through.
func newTunnel(config *rest.Config, core rest.Interface, pod *corev1.Pod, port int) *tunnel {
	url := core.Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).SubResource("portforward").URL()
	return &tunnel{
		name: fmt.Sprintf("%s/%s:%d", pod.Namespace, pod.Name, port),
		port: port,
		upgrade: func() (httpstream.Connection, error) {
			websocket, err := portforward.NewSPDYOverWebsocketDialer(url, config)
			if err != nil {
				return nil, err
			}
			transport, upgrader, err := spdy.RoundTripperFor(config)
			if err != nil {
				return nil, err
			}
			plain := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
			conn, _, err := portforward.NewFallbackDialer(websocket, plain, refusesWebSocket).Dial(portforward.PortForwardProtocolV1Name)
			return conn, err
		},
	}
}

func refusesWebSocket(err error) bool {
	return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
}

// dial opens one stream to the pod's port.
func (t *tunnel) dial(ctx context.Context) (net.Conn, error) {
	type opened struct {
		conn net.Conn
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		conn, err := t.open()
		done <- opened{conn, err}
	}()
	select {
	case o := <-done:
		return o.conn, o.err
	case <-ctx.Done():
		go func() {
			if o := <-done; o.err == nil {
				_ = o.conn.Close()
			}
		}()
		return nil, fmt.Errorf("opening a tunnel to %s: %w", t.name, ctx.Err())
	}
}

// open makes a stream on the connection that is there, or on a new one if that
// one turns out to be lost.
func (t *tunnel) open() (net.Conn, error) {
	var err error
	for range 2 {
		var c *carrier
		var request int
		if c, request, err = t.board(); err != nil {
			break
		}
		var s *stream
		if s, err = t.stream(c, request); err == nil {
			s.leave = sync.OnceFunc(func() { t.leave(c) })
			return s, nil
		}
		_ = c.Close() // it may have been lost already
		t.leave(c)
	}
	return nil, fmt.Errorf("opening a tunnel to %s: %w", t.name, err)
}

// stream makes a stream, or fails as soon as the connection is lost: by itself
// it would wait half a minute for an answer.
func (t *tunnel) stream(c *carrier, request int) (*stream, error) {
	type made struct {
		stream *stream
		err    error
	}
	done := make(chan made, 1)
	go func() {
		s, err := newStream(c, t.name, t.port, request)
		done <- made{s, err}
	}()
	select {
	case m := <-done:
		return m.stream, m.err
	case <-c.CloseChan():
		return nil, errors.New("the connection to the cluster was lost")
	}
}

// board counts one more stream on the connection, which it makes if there is
// none, and returns the number of the stream's request.
func (t *tunnel) board() (*carrier, int, error) {
	t.dialing.Lock()
	defer t.dialing.Unlock()
	if c, request, err := t.boardOn(nil); c != nil || err != nil {
		return c, request, err
	}
	conn, err := t.connect()
	if err != nil {
		return nil, 0, err
	}
	return t.boardOn(conn)
}

// upgradeLimit is how long the API server may take to make a connection.
const upgradeLimit = 10 * time.Second

// connect makes a connection to the API server. client-go itself would wait for
// ever for a server that takes the connection and then says nothing.
func (t *tunnel) connect() (httpstream.Connection, error) {
	type made struct {
		conn httpstream.Connection
		err  error
	}
	done := make(chan made, 1)
	go func() {
		conn, err := t.upgrade()
		done <- made{conn, err}
	}()
	select {
	case m := <-done:
		return m.conn, m.err
	case <-time.After(upgradeLimit):
	}
	go func() {
		if m := <-done; m.err == nil {
			_ = m.conn.Close() // too late: nobody waits for it
		}
	}()
	return nil, fmt.Errorf("the cluster did not answer within %s", upgradeLimit)
}

// boardOn counts a stream on the connection that is there, or on a new one in its
// place; without either there is no carrier.
func (t *tunnel) boardOn(conn httpstream.Connection) (*carrier, int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		if conn != nil {
			_ = conn.Close()
		}
		return nil, 0, net.ErrClosed
	case conn != nil:
		t.carrier = &carrier{Connection: conn}
	case t.carrier == nil || t.carrier.lost():
		t.carrier = nil
		return nil, 0, nil
	}
	t.carrier.streams++
	t.request++
	return t.carrier, t.request, nil
}

func (c *carrier) lost() bool {
	select {
	case <-c.CloseChan():
		return true
	default:
		return false
	}
}

// leave counts one stream less; the last one ends the connection.
func (t *tunnel) leave(c *carrier) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.streams--; c.streams > 0 {
		return
	}
	_ = c.Close() // it may have been lost already
	if t.carrier == c {
		t.carrier = nil
	}
}

// close ends every connection through the tunnel, for good.
func (t *tunnel) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.carrier != nil {
		_ = t.carrier.Close() // it may have been lost already
	}
}
