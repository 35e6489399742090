package samples

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// TestServeLeavesNothingBehind ends each service in the middle of its work, which
// must not end in an answer.
func TestServeLeavesNothingBehind(t *testing.T) {
	for _, row := range []struct {
		app, version string
		send         string // what leaves the service at work
		calls        bool   // the work is a call that hangs
	}{
		{"productpage", "v1", "GET /productpage HTTP/1.1\r\nHost: x\r\n\r\n", true},
		{"reviews", "v2", "GET /reviews/0 HTTP/1.1\r\nHost: x\r\n\r\n", true},
		{"httpbin", "v1", "GET /delay/10 HTTP/1.1\r\nHost: x\r\n\r\n", false},
		{"httpbin", "v1", "GET /get HTT", false},
		{"httpbin", "v1", "GET /websocket/echo HTTP/1.1\r\nHost: x\r\n" + opening + "\r\n", false},
		{"tcp-echo", "v1", "half a li", false},
	} {
		t.Run(row.app, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			w, err := Lookup(row.app, row.version)
			if err != nil {
				t.Fatal(err)
			}
			hung := newHung()
			defer hung.end()
			l := newLoopback(t).listen()
			ctx, cancel := context.WithCancel(context.Background())
			served := make(chan error, 1)
			go func() { served <- w.Serve(ctx, l, workload.Env{Dial: hung.dial}) }()
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, err := conn.Write([]byte(row.send)); err != nil {
				t.Fatal(err)
			}
			if row.calls {
				<-hung.called
			}

			began := time.Now()
			cancel()
			if err := <-served; err != nil {
				t.Errorf("Serve: %v, want nil when its context ends", err)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("Serve took %s to end", took)
			}
			if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("accepting: %v, want a closed listener", err)
			}
			if answer, err := bufio.NewReader(conn).ReadByte(); err == nil {
				t.Errorf("the connection still answers: %q", answer)
			}
		})
	}
}

// hung is what a service calls in vain: it takes connections and says nothing.
type hung struct {
	called chan struct{}
	mu     sync.Mutex
	conns  []net.Conn
}

func newHung() *hung { return &hung{called: make(chan struct{}, 1)} }

func (h *hung) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns = append(h.conns, far)
	h.called <- struct{}{}
	return near, nil
}

func (h *hung) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, conn := range h.conns {
		_ = conn.Close()
	}
}

func TestServeSaysWhyItEnded(t *testing.T) {
	for _, app := range []string{"httpbin", "tcp-echo", "echo"} {
		w, err := Lookup(app, "v1")
		if err != nil {
			t.Fatal(err)
		}
		l := newLoopback(t).listen()
		_ = l.Close()
		if err := w.Serve(t.Context(), l, workload.Env{}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s on a closed listener: %v, want an error that says so", app, err)
		}
	}
}

func TestTCPEchoTellsItsVersion(t *testing.T) {
	for version, want := range map[string]string{"v1": "one hello\none again\n", "v2": "two hello\ntwo again\n"} {
		w, err := Lookup("tcp-echo", version)
		if err != nil {
			t.Fatal(err)
		}
		town := newLoopback(t)
		town.serve(w, nil)
		var conns sync.WaitGroup
		for range 10 {
			conns.Go(func() {
				if got, err := town.say("hello", "again"); got != want || err != nil {
					t.Errorf("%s answers %q, %v; want %q", version, got, err, want)
				}
			})
		}
		conns.Wait()
	}
}

// say sends the lines to tcp-echo, each after the answer to the one before.
func (town *town) say(lines ...string) (answers string, err error) {
	conn, err := net.Dial("tcp", town.listeners["tcp-echo:9000"].Addr().String())
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for _, line := range lines {
		if _, err := fmt.Fprintln(conn, line); err != nil {
			return answers, err
		}
		answer, err := in.ReadString('\n')
		answers += answer
		if err != nil {
			return answers, err
		}
	}
	return answers, nil
}

// Who is ended before it began to serve has not failed either.
func TestServeThatIsEndedAtOnceHasNotFailed(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, app := range []string{"echo", "httpbin", "tcp-echo"} {
		w, err := Lookup(app, "v1")
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			if err := w.Serve(over, newLoopback(t).listen(), workload.Env{Dial: newHung().dial}); err != nil {
				t.Fatalf("%s: %v", app, err)
			}
		}
	}
}
