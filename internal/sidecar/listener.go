package sidecar

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
)

// listener is a socket on which a proxy takes connections.
type listener struct {
	address string
	close   func() // ends its connections too
	drain   func() // takes no more connections; those that are there go on
}

func httpKey(port int) string             { return fmt.Sprintf("http %d", port) }
func tcpKey(host string, port int) string { return fmt.Sprintf("tcp %s:%d", host, port) }
func gatewayTCPKey(port int) string       { return fmt.Sprintf("tcp %d", port) }

// inboundKey is the listener for the workload itself.
const inboundKey = "inbound"

// syncListeners opens the listeners that a configuration has and the proxy
// lacks, and takes away the others.
func (s *Sidecar) syncListeners(config *Config) error {
	wanted := s.wantedListeners(config)
	for key, l := range s.listeners {
		if wanted[key] == nil && key != inboundKey {
			delete(s.listeners, key)
			l.drain()
		}
	}
	for key, open := range wanted {
		if _, ok := s.listeners[key]; ok {
			continue
		}
		l, err := open()
		if err != nil {
			return fmt.Errorf("opening listener %q of %s: %w", key, s.options.Name, err)
		}
		s.listeners[key] = l
	}
	return nil
}

// wantedListeners are a sidecar's by the ports of the services, and a
// gateway's by the Gateway objects.
func (s *Sidecar) wantedListeners(config *Config) map[string]func() (listener, error) {
	wanted := map[string]func() (listener, error){}
	if s.options.Gateway {
		for _, g := range config.gateways {
			if g.http != nil {
				wanted[httpKey(g.port)] = func() (listener, error) { return s.listenHTTP(g.port) }
				continue
			}
			wanted[gatewayTCPKey(g.port)] = func() (listener, error) { return s.listenTCP(gatewayTCPKey(g.port)) }
		}
		return wanted
	}
	for port := range config.http {
		wanted[httpKey(port)] = func() (listener, error) { return s.listenHTTP(port) }
	}
	for _, l := range config.tcp {
		key := tcpKey(l.service.Host, l.port)
		wanted[key] = func() (listener, error) { return s.listenTCP(key) }
	}
	return wanted
}

// routes are the routes of an HTTP port as a configuration has them.
func (s *Sidecar) routes(config *Config, port int) *routeConfig {
	if !s.options.Gateway {
		return config.http[port]
	}
	for _, g := range config.gateways {
		if g.port == port {
			return g.http
		}
	}
	return nil
}

// tcpRoute is the route of a TCP listener as a configuration has it.
func (s *Sidecar) tcpRoute(config *Config, key string) *tcpRoute {
	if s.options.Gateway {
		for _, g := range config.gateways {
			if gatewayTCPKey(g.port) == key {
				return g.tcp
			}
		}
		return nil
	}
	for _, l := range config.tcp {
		if tcpKey(l.service.Host, l.port) == key {
			return l.route
		}
	}
	return nil
}

// workerKey is the context key of the worker that a connection belongs to.
type workerKey struct{}

// listen opens a port of the kernel's choice.
func (s *Sidecar) listen() (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort(cmp.Or(s.options.IP, "127.0.0.1"), "0"))
}

func (s *Sidecar) listenHTTP(port int) (listener, error) {
	l, err := s.listen()
	if err != nil {
		return listener{}, err
	}
	h := &httpListener{proxy: s, port: port, stats: newListenerStats(s.stats, port)}
	server := &http.Server{
		Handler:     h,
		BaseContext: func(net.Listener) context.Context { return s.ctx },
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, workerKey{}, int(s.draws.below("workers", workers)))
		},
		ConnState: countConnections(&s.routines, &h.stats),
		ErrorLog:  log.New(&s.failures, "", 0),
	}
	s.routines.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failed(err, fmt.Sprintf("serving port %d", port))
		}
	})
	return listener{
		address: l.Addr().String(),
		close:   func() { server.Close() },
		drain: func() {
			s.routines.Go(func() {
				// It ends when the last request has, or with the proxy.
				if server.Shutdown(s.ctx) != nil {
					server.Close()
				}
			})
		},
	}, nil
}

// newConnections makes a ConnState hook by which Close waits for a server's
// connections.
func newConnections(routines *sync.WaitGroup) func(net.Conn, http.ConnState) {
	return func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			routines.Add(1)
		case http.StateClosed, http.StateHijacked:
			routines.Done()
		}
	}
}

// countConnections is newConnections for a listener that counts them.
func countConnections(routines *sync.WaitGroup, stats *listenerStats) func(net.Conn, http.ConnState) {
	track := newConnections(routines)
	return func(c net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			stats.cxTotal.add(1)
			stats.cxActive.add(1)
		case http.StateClosed, http.StateHijacked:
			stats.cxActive.add(-1)
		}
		track(c, state)
	}
}

func (s *Sidecar) listenTCP(key string) (listener, error) {
	l, err := s.listen()
	if err != nil {
		return listener{}, err
	}
	ctx, end := context.WithCancel(s.ctx)
	var once sync.Once
	stop := func() { once.Do(func() { l.Close() }) }
	s.routines.Go(func() {
		for {
			downstream, err := l.Accept()
			if err != nil {
				s.failed(err, "taking connections to "+key)
				return
			}
			s.routines.Go(func() { s.proxyTCP(ctx, key, downstream) })
		}
	})
	return listener{
		address: l.Addr().String(),
		close:   func() { stop(); end() },
		drain:   func() { stop(); context.AfterFunc(s.ctx, end) },
	}, nil
}
