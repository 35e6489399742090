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
// users could reach a proxy's admin interface. Its connection is made when it
// is first needed and again when it was lost.
type tunnel struct {
	name    string // namespace/pod:port, for errors
	port    int
	upgrade func() (httpstream.Connection, error)

	dialing sync.Mutex // one upgrade at a time
	mu      sync.Mutex // guards what follows
	conn    httpstream.Connection
	request int
	closed  bool
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

// client returns an HTTP client whose every connection goes through the tunnel,
// whatever host a URL names.
func (t *tunnel) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext:         t.dial,
		MaxIdleConnsPerHost: 2,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true,
	}}
}

// dial opens one connection. It has the signature of net.Dialer.DialContext.
func (t *tunnel) dial(ctx context.Context, _, _ string) (net.Conn, error) {
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
		var conn httpstream.Connection
		var request int
		if conn, request, err = t.connection(); err != nil {
			break
		}
		var s *stream
		if s, err = t.stream(conn, request); err == nil {
			return s, nil
		}
		t.drop(conn)
	}
	return nil, fmt.Errorf("opening a tunnel to %s: %w", t.name, err)
}

// stream makes a stream, or fails as soon as the connection is lost: by itself
// it would wait half a minute for an answer.
func (t *tunnel) stream(conn httpstream.Connection, request int) (*stream, error) {
	type made struct {
		stream *stream
		err    error
	}
	done := make(chan made, 1)
	go func() {
		s, err := newStream(conn, t.name, t.port, request)
		done <- made{s, err}
	}()
	select {
	case m := <-done:
		return m.stream, m.err
	case <-conn.CloseChan():
		return nil, errors.New("the connection to the cluster was lost")
	}
}

// drop gives a connection up, so that the next stream is made on another.
func (t *tunnel) drop(conn httpstream.Connection) {
	_ = conn.Close() // it may have been lost already
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn == conn {
		t.conn = nil
	}
}

// connection returns the connection and the number of the next request on it.
func (t *tunnel) connection() (httpstream.Connection, int, error) {
	t.dialing.Lock()
	defer t.dialing.Unlock()
	if conn, request, err := t.live(); conn != nil || err != nil {
		return conn, request, err
	}
	conn, err := t.upgrade()
	if err != nil {
		return nil, 0, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		_ = conn.Close()
		return nil, 0, net.ErrClosed
	}
	t.conn = conn
	return conn, t.next(), nil
}

func (t *tunnel) live() (httpstream.Connection, int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, 0, net.ErrClosed
	}
	if t.conn == nil {
		return nil, 0, nil
	}
	select {
	case <-t.conn.CloseChan():
		t.conn = nil
		return nil, 0, nil
	default:
		return t.conn, t.next(), nil
	}
}

func (t *tunnel) next() int {
	t.request++
	return t.request
}

// close ends every connection through the tunnel, for good.
func (t *tunnel) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.conn != nil {
		_ = t.conn.Close() // it may have been lost already
	}
}
