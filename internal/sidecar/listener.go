package sidecar

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
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
func (s *Sidecar) syncListeners(cfg *config.Config) error {
	wanted := s.wantedListeners(cfg)
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
func (s *Sidecar) wantedListeners(cfg *config.Config) map[string]func() (listener, error) {
	wanted := map[string]func() (listener, error){}
	if s.options.Gateway {
		for _, g := range cfg.Gateways {
			if g.HTTP != nil {
				wanted[gatewayKey(g)] = func() (listener, error) { return s.listenHTTP(g.Port, g.TLS != nil) }
				continue
			}
			wanted[gatewayTCPKey(g.Port)] = func() (listener, error) { return s.listenTCP(gatewayTCPKey(g.Port)) }
		}
		return wanted
	}
	for port := range cfg.HTTP {
		wanted[httpKey(port)] = func() (listener, error) { return s.listenHTTP(port, false) }
	}
	for _, l := range cfg.TCP {
		key := tcpKey(l.Service.Host, l.Port)
		wanted[key] = func() (listener, error) { return s.listenTCP(key) }
	}
	return wanted
}

// routes are the routes of an HTTP port as a configuration has them.
func (s *Sidecar) routes(cfg *config.Config, port int) *config.RouteTable {
	if !s.options.Gateway {
		return cfg.HTTP[port]
	}
	for _, g := range cfg.Gateways {
		if g.Port == port {
			return g.HTTP
		}
	}
	return nil
}

// tcpRoute is the route of a TCP listener as a configuration has it.
func (s *Sidecar) tcpRoute(cfg *config.Config, key string) *config.TCPRoute {
	if s.options.Gateway {
		for _, g := range cfg.Gateways {
			if gatewayTCPKey(g.Port) == key {
				return g.TCP
			}
		}
		return nil
	}
	for _, l := range cfg.TCP {
		if tcpKey(l.Service.Host, l.Port) == key {
			return l.Route
		}
	}
	return nil
}

// workerKey is the context key of the worker that a connection belongs to.
type workerKey struct{}

// ip is the proxy's address.
func (s *Sidecar) ip() string { return cmp.Or(s.options.IP, "127.0.0.1") }

// listen opens a port of the kernel's choice.
func (s *Sidecar) listen() (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort(s.ip(), "0"))
}

func (s *Sidecar) listenHTTP(port int, encrypted bool) (listener, error) {
	l, err := s.listen()
	if err != nil {
		return listener{}, err
	}
	if encrypted {
		l = s.secure(l, port)
	}
	h := &httpListener{proxy: s, port: port, stats: newListenerStats(s.stats, envoy.Outbound, port)}
	server := &http.Server{
		Handler:     h,
		BaseContext: func(net.Listener) context.Context { return s.ctx },
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, workerKey{}, int(s.draws.below("workers", Workers)))
		},
		ConnState: countConnections(&s.routines, &h.stats),
		ErrorLog:  s.ErrorLog(),
		Protocols: bothHTTP(),
		HTTP2:     &http.HTTP2Config{MaxConcurrentStreams: mostStreams},

		DisableGeneralOptionsHandler: true,
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

// countConnections makes a ConnState hook that counts a listener's connections
// and lets Close wait for them.
func countConnections(routines *sync.WaitGroup, stats *listenerStats) func(net.Conn, http.ConnState) {
	return func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			routines.Add(1)
			stats.cxTotal.add(1)
			stats.cxActive.add(1)
		case http.StateClosed, http.StateHijacked:
			stats.cxActive.add(-1)
			routines.Done()
		}
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
