package sidecar

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// inbound takes the connections of other proxies for the workload: Istio's
// virtualInbound listener with mutual TLS. Requests go through the same chain as
// those of the workload itself, to the cluster inbound|PORT|| with the limits that
// Istio puts there; the connections of a TCP port go through that cluster too.
type inbound struct {
	*httpListener
	server http.Server
	taken  net.Listener
	shown  chan net.Conn // those of an HTTP port that have shown who they are
}

// openInbound begins to take connections to the workload. The proxy has its
// configuration already.
func (s *Sidecar) openInbound(l net.Listener) {
	port := s.inbound().Port
	in := &inbound{
		httpListener: &httpListener{proxy: s, port: port, inbound: true, stats: newListenerStats(s.stats, envoy.Inbound, port)},
		taken:        l,
		shown:        make(chan net.Conn),
	}
	in.server = http.Server{
		Handler:     in,
		BaseContext: func(net.Listener) context.Context { return s.ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			ctx = context.WithValue(ctx, peerKey{}, newPeer(c.(*tls.Conn), s.principal()))
			return context.WithValue(ctx, workerKey{}, int(s.draws.below("inbound workers", Workers)))
		},
		ConnState: countConnections(&s.routines, &in.stats),
		ErrorLog:  s.ErrorLog(),
		Protocols: bothHTTP(),
		HTTP2:     &http.HTTP2Config{MaxConcurrentStreams: mostStreams},

		DisableGeneralOptionsHandler: true,
	}
	s.listeners[inboundKey] = listener{address: l.Addr().String(), close: func() { in.server.Close(); l.Close() }}
	s.routines.Go(func() {
		if err := in.server.Serve(in); !errors.Is(err, http.ErrServerClosed) {
			s.failed(err, "serving its workload's port")
		}
	})
	s.routines.Go(in.take)
}

// inbound is what the configuration has for the workload.
func (s *Sidecar) inbound() *config.Inbound { return s.state.Load().inbound }

func (in *inbound) take() {
	for {
		c, err := in.taken.Accept()
		if err != nil {
			in.proxy.failed(err, "taking connections for its workload")
			return
		}
		in.proxy.routines.Go(func() { in.receive(c) })
	}
}

// receive passes one connection on. A peer that cannot show who it is is hung up
// on.
func (in *inbound) receive(c net.Conn) {
	s := in.proxy
	ctx, cancel := context.WithTimeout(s.ctx, config.DefaultConnectTimeout)
	defer cancel()
	if s.inbound().Route == nil {
		in.receiveTCP(ctx, c)
		return
	}
	identity := s.identity.Clone()
	identity.NextProtos = []string{"h2", "http/1.1"}
	secure := tls.Server(c, identity)
	if secure.HandshakeContext(ctx) != nil {
		c.Close() // It learns of it itself.
		return
	}
	select {
	case in.shown <- secure:
	case <-s.ctx.Done():
		secure.Close()
	}
}

// receiveTCP passes a connection of a TCP port on. As in Envoy it goes to the workload
// once its peer has said what it asks for, before it has shown who it is: where that
// fails the peer has not connected.
func (in *inbound) receiveTCP(ctx context.Context, c net.Conn) {
	s := in.proxy
	var t *tcpStream
	var asked string
	identity := s.identity.Clone()
	identity.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		asked = hello.ServerName
		t = s.takeTCP(ctx, s.inbound().Cluster.Name, c)
		if t.upstream == nil {
			return nil, errors.New("there is no connection to the workload")
		}
		return nil, nil
	}
	secure := tls.Server(c, identity)
	switch err := secure.HandshakeContext(ctx); {
	case err == nil:
		t.pass(s.ctx, secure, newPeer(secure, s.principal()))
	case t == nil:
		c.Close()
	case t.upstream == nil:
		t.pass(s.ctx, c, peer{server: asked})
	default:
		t.abandon()
		c.Close()
	}
}

// Accept implements net.Listener for the server of requests.
func (in *inbound) Accept() (net.Conn, error) {
	select {
	case c := <-in.shown:
		return c, nil
	case <-in.proxy.ctx.Done():
		return nil, fmt.Errorf("taking connections for %s: %w", in.proxy.options.Name, net.ErrClosed)
	}
}

// Close implements net.Listener. The proxy's end is what ends it.
func (in *inbound) Close() error { return nil }

// Addr implements net.Listener.
func (in *inbound) Addr() net.Addr { return in.taken.Addr() }

// workloadCluster is the cluster of the workload itself, whose endpoint other
// proxies know by another address. That it cannot be reached is a failure of the
// proxy.
func (s *Sidecar) workloadCluster(cfg *config.Cluster) *cluster {
	c := newCluster(s.ctx, cfg, s)
	c.workload = s.options.Workload
	c.unreached = func(err error) { s.failed(err, "reaching its workload") }
	return c
}
