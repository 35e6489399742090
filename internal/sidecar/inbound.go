package sidecar

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// serveInbound takes connections of other proxies for the workload: Istio's
// virtualInbound listener with mutual TLS. What comes goes to the workload as
// it is; the routes and limits of this mesh are all applied by the clients'
// proxies.
func (s *Sidecar) serveInbound(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			s.failed(err, "taking connections for its workload")
			return
		}
		s.routines.Go(func() { s.receive(c) })
	}
}

// receive passes one connection on. A peer that cannot show who it is, or that
// comes when the workload is away, is hung up on.
func (s *Sidecar) receive(c net.Conn) {
	defer c.Close()
	ctx, cancel := context.WithTimeout(s.ctx, config.DefaultConnectTimeout)
	secure := tls.Server(c, s.identity)
	defer cancel()
	if secure.HandshakeContext(ctx) != nil {
		return // It learns of it itself.
	}
	var dialer net.Dialer
	to, err := dialer.DialContext(ctx, "tcp", s.options.Workload)
	if err != nil {
		s.failed(err, "reaching its workload")
		return
	}
	relay(s.ctx, secure, to)
}

// connect connects to a host of a cluster, as Istio's automatic mutual TLS
// does: with TLS to one that has a proxy, else in plain text.
func (c *cluster) connect(ctx context.Context, h *host) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Policy.ConnectTimeout)
	defer cancel()
	var dialer net.Dialer
	plain, err := dialer.DialContext(ctx, "tcp", h.Address)
	if err != nil || !h.MutualTLS {
		return plain, err
	}
	secure := tls.Client(plain, c.identity)
	if err := secure.HandshakeContext(ctx); err != nil {
		plain.Close()
		return nil, err
	}
	return secure, nil
}
