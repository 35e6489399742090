package fortio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meshchaos/meshchaos/loadgen"
)

// socket is where fortio's own handlers are served, in a process of their own: their
// packages register flags of the process.
var socket string

func TestMain(m *testing.M) {
	status, err := serving(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "serving fortio's handlers:", err)
	}
	if err := goleak.Find(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// serving runs the tests beside fortio's server.
func serving(m *testing.M) (status int, err error) {
	dir, err := os.MkdirTemp("", "fortio")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "fortio")
	if said, err := exec.Command("go", "build", "-C", "../../test/fortio", "-o", program, ".").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("%w: %s", err, said)
	}
	socket = filepath.Join(dir, "socket")
	args := append([]string{"server", "-loglevel", "critical", "-http-port", socket, "-data-dir", dir}, DisabledPorts()...)
	server := exec.Command(program, args...)
	if err := server.Start(); err != nil {
		return 1, err
	}
	defer func() {
		err = errors.Join(err, server.Process.Kill())
		_ = server.Wait() // it was killed
	}()
	return m.Run(), nil
}

// newClient returns a client of fortio's server once that answers.
func newClient(t *testing.T) *Client {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	c := &Client{HTTP: &http.Client{Transport: transport}, Base: "http://fortio"}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		err := c.Ready(t.Context())
		if err == nil {
			return c
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// target is a server that counts what it is asked.
type target struct {
	url   string
	asked atomic.Int64
}

// newTarget serves by a handler that is told how many requests came before.
func newTarget(t *testing.T, serve func(w http.ResponseWriter, r *http.Request, before int64)) *target {
	t.Helper()
	var to target
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serve(w, r, to.asked.Add(1)-1)
	}))
	t.Cleanup(s.Close)
	to.url = s.URL
	return &to
}

func fine(http.ResponseWriter, *http.Request, int64) {}

// get is a closed loop.
func get(to *target, connections int, requests int64) loadgen.Plan {
	return loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: to.url}, Connections: connections, Requests: requests}
}

// load runs plans to their end.
func load(t *testing.T, plans map[string]loadgen.Plan) map[string]*loadgen.Result {
	t.Helper()
	c := newClient(t)
	results, err := c.Load(t.Context(), plans, loadgen.Bounds{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != len(plans) {
		t.Fatalf("results of %d loads; want %d", len(results), len(plans))
	}
	if err := c.Idle(t.Context()); err != nil {
		t.Error(err)
	}
	return results
}
