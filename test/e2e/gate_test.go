//go:build e2e

package e2e_test

import (
	"net"
	"sync"
	"testing"
)

// gate passes connections on to an address, byte by byte. While it is shut they are
// refused, and those that there were are lost; while it is held nothing comes through,
// and nobody is told.
type gate struct {
	t        *testing.T
	address  string
	target   string
	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	held     chan struct{} // closed while bytes flow
}

// openGate opens one, until the test ends.
func openGate(t *testing.T, target string) *gate {
	t.Helper()
	g := &gate{t: t, address: "127.0.0.1:0", target: target, conns: map[net.Conn]bool{}, held: make(chan struct{})}
	close(g.held)
	g.open()
	t.Cleanup(func() {
		g.flow()
		g.shut()
	})
	return g
}

// open takes connections, at the address that it had before.
func (g *gate) open() {
	listener, err := net.Listen("tcp", g.address)
	if err != nil {
		g.t.Error(err)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listener, g.address = listener, listener.Addr().String()
	go g.accept(listener)
}

// shut refuses connections, and ends those that there are.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	_ = g.listener.Close()
	for conn := range g.conns {
		_ = conn.Close()
	}
}

// hold lets nothing through, until flow.
func (g *gate) hold() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held = make(chan struct{})
}

func (g *gate) flow() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.held:
	default:
		close(g.held)
	}
}

func (g *gate) accept(listener net.Listener) {
	for {
		from, err := listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", g.target)
		if err != nil {
			_ = from.Close()
			continue
		}
		g.mu.Lock()
		g.conns[from], g.conns[to] = true, true
		g.mu.Unlock()
		go g.pump(to, from)
		go g.pump(from, to)
	}
}

// pump copies until one side ends, and ends the other then.
func (g *gate) pump(to, from net.Conn) {
	defer func() {
		_ = to.Close()
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.conns, to)
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		g.mu.Lock()
		held := g.held
		g.mu.Unlock()
		<-held
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
