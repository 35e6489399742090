package istio

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
)

// tunnels are the ways to the ports of pods. One HTTP transport uses them all, so
// that what is kept open is bounded for the whole run, however many proxies there
// are: an idle connection keeps a stream, and a tunnel without a stream has no
// connection to the API server.
type tunnels struct {
	config *rest.Config
	core   rest.Interface
	client *http.Client

	mu     sync.Mutex
	to     map[string]*tunnel // by the host and port of URLs
	closed bool
}

// What the transport keeps open for later requests.
const (
	maxIdle     = 256 // connections; a run with fewer proxies makes each tunnel once
	maxIdleEach = 2   // to one pod
	maxIdleFor  = time.Minute
)

func newTunnels(config *rest.Config, core rest.Interface) *tunnels {
	ts := &tunnels{config: config, core: core, to: map[string]*tunnel{}}
	ts.client = &http.Client{Transport: &http.Transport{
		DialContext:         ts.dial,
		MaxIdleConns:        maxIdle,
		MaxIdleConnsPerHost: maxIdleEach,
		IdleConnTimeout:     maxIdleFor,
		DisableCompression:  true,
	}}
	return ts
}

// base returns the URL under which the client reaches a port of a pod. It holds
// the pod's UID: a pod that takes another's name is not taken for it.
func (ts *tunnels) base(pod *corev1.Pod, port int) (string, error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.closed {
		return "", errClosed
	}
	address := fmt.Sprintf("%s:%d", pod.UID, port)
	if ts.to[address] == nil {
		ts.to[address] = newTunnel(ts.config, ts.core, pod, port)
	}
	return "http://" + address, nil
}

// dial opens a connection to a port of a pod. It has the signature of
// net.Dialer.DialContext.
func (ts *tunnels) dial(ctx context.Context, _, address string) (net.Conn, error) {
	ts.mu.Lock()
	t := ts.to[address]
	ts.mu.Unlock()
	if t == nil {
		return nil, fmt.Errorf("reaching %s: it is no pod of this run", address)
	}
	return t.dial(ctx)
}

// close ends everything that goes through the tunnels, for good.
func (ts *tunnels) close() {
	ts.mu.Lock()
	ts.closed = true
	for _, t := range ts.to {
		t.close()
	}
	ts.mu.Unlock()
	ts.client.CloseIdleConnections()
}
