package istio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/apimachinery/pkg/util/httpstream/spdy"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// node speaks the server's side of port-forward over SPDY, and dials loopback
// for it. It refuses WebSocket, as API servers before Kubernetes 1.31 do.
type node struct {
	url   string
	mu    sync.Mutex
	conns []httpstream.Connection
}

func newNode(t *testing.T) *node {
	n := &node{}
	s := httptest.NewServer(http.HandlerFunc(n.serve))
	n.url = s.URL
	t.Cleanup(func() { n.hangUp(); s.Close() })
	return n
}

func (n *node) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != "/api/v1/namespaces/book/pods/reviews/portforward" {
		http.Error(w, "not here", http.StatusForbidden)
		return
	}
	if _, err := httpstream.Handshake(r, w, []string{"portforward.k8s.io"}); err != nil {
		return
	}
	streams := make(chan httpstream.Stream, 100)
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, _ <-chan struct{}) error {
		streams <- s
		return nil
	})
	n.mu.Lock()
	n.conns = append(n.conns, conn)
	n.mu.Unlock()
	faults := map[string]httpstream.Stream{}
	for {
		select {
		case <-conn.CloseChan():
			return
		case s := <-streams:
			id := s.Headers().Get(corev1.PortForwardRequestIDHeader)
			if s.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
				faults[id] = s
				continue
			}
			go forward(s, faults[id])
		}
	}
}

func forward(data, fault httpstream.Stream) {
	defer data.Close()
	defer fault.Close()
	to, err := net.Dial("tcp", "127.0.0.1:"+data.Headers().Get(corev1.PortHeader))
	if err != nil {
		fmt.Fprint(fault, "connection refused in the pod")
		return
	}
	defer to.Close()
	done := make(chan struct{}, 2)
	go func() { _, _ = io.Copy(to, data); done <- struct{}{} }()
	go func() { _, _ = io.Copy(data, to); done <- struct{}{} }()
	<-done
}

// hangUp breaks all connections and returns how many there were.
func (n *node) hangUp() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		_ = c.Close()
	}
	broken := len(n.conns)
	n.conns = nil
	return broken
}

// dig makes tunnels through the node, and returns the URL of a port of a pod.
func dig(t *testing.T, n *node, port int) (*tunnels, string) {
	t.Helper()
	config := &rest.Config{Host: n.url}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	tunnels := newTunnels(config, kube.CoreV1().RESTClient())
	t.Cleanup(tunnels.close)
	base, err := tunnels.base(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "book", Name: "reviews", UID: "6f1e"}}, port)
	if err != nil {
		t.Fatal(err)
	}
	return tunnels, base
}

// only is the one tunnel that there is.
func only(ts *tunnels) *tunnel {
	for _, t := range ts.to {
		return t
	}
	return nil
}

func get(ts *tunnels, base string) (string, error) {
	resp, err := ts.client.Get(base + "/")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestATunnelCarriesManyRequestsAtOnceAndIsMadeAgainWhenItBreaks(t *testing.T) {
	long := strings.Repeat("config ", 100_000)
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, long) }))
	defer admin.Close()
	n := newNode(t)
	tunnels, base := dig(t, n, admin.Listener.Addr().(*net.TCPAddr).Port)
	for round := range 3 {
		var requests sync.WaitGroup
		for range 8 {
			requests.Go(func() {
				if body, err := get(tunnels, base); err != nil || body != long {
					t.Errorf("round %d: %d bytes, error %v; want %d bytes", round, len(body), err, len(long))
				}
			})
		}
		requests.Wait()
		carrier := only(tunnels).carrier
		if broken := n.hangUp(); broken != 1 {
			t.Errorf("round %d took %d connections to the API server; want 1", round, broken)
		}
		<-carrier.CloseChan()
	}
}

func TestATunnelSaysWhatTheNodeSays(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	n := newNode(t)
	tunnels, base := dig(t, n, free)
	_, err = get(tunnels, base)
	if err == nil || !strings.Contains(err.Error(), "connection refused in the pod") || !strings.Contains(err.Error(), "book/reviews") {
		t.Errorf("error %v; want the node's words", err)
	}
	_, err = get(dig(t, &node{url: n.url + "/elsewhere"}, free))
	if err == nil || !strings.Contains(err.Error(), "not here") {
		t.Errorf("error %v; want the API server's words", err)
	}
}

func TestAClosedTunnelEndsWhatIsUnderWay(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		close(begun)
		<-end
	}))
	defer admin.Close()
	defer close(end)
	tunnels, base := dig(t, newNode(t), admin.Listener.Addr().(*net.TCPAddr).Port)
	failed := make(chan error, 1)
	go func() { _, err := get(tunnels, base); failed <- err }()
	<-begun
	tunnels.close()
	if err := <-failed; err == nil {
		t.Error("a request outlived its tunnel")
	}
	if _, err := get(tunnels, base); !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v; want net.ErrClosed", err)
	}
}

func TestOpeningATunnelEndsWithItsContext(t *testing.T) {
	hang := make(chan struct{})
	tunnel := &tunnel{name: "book/reviews:15000", upgrade: func() (httpstream.Connection, error) {
		<-hang
		return nil, errors.New("too late")
	}}
	defer close(hang)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := tunnel.dial(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v; want context.DeadlineExceeded", err)
	}
}

func TestATunnelThatCarriesNothingHasNoConnection(t *testing.T) {
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "LIVE") }))
	defer admin.Close()
	n := newNode(t)
	tunnels, base := dig(t, n, admin.Listener.Addr().(*net.TCPAddr).Port)
	for range 2 {
		if body, err := get(tunnels, base); err != nil || body != "LIVE" {
			t.Fatal(body, err)
		}
		carrier := only(tunnels).carrier
		if carrier == nil {
			t.Fatal("a connection that may be used again was given up")
		}
		tunnels.client.CloseIdleConnections()
		<-carrier.CloseChan()
	}
	if _, err := get(tunnels, "http://6f1f:15000"); err == nil || !strings.Contains(err.Error(), "it is no pod of this run") {
		t.Errorf("error %v; want that there is no such pod", err)
	}
}

func TestAConnectionThatIsNeverMadeIsGivenUpAndLeavesTheWayFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		defer close(never)
		var asked atomic.Int32
		tunnel := &tunnel{name: "book/reviews:15000", upgrade: func() (httpstream.Connection, error) {
			if asked.Add(1) == 1 {
				<-never
			}
			return nil, errors.New("not now")
		}}
		for _, want := range []string{"the cluster did not answer within 10s", "not now"} {
			if _, err := tunnel.dial(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v; want %s", err, want)
			}
		}
	})
}
