package sidecar

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// Credential is what a gateway shows to clients, and by whom theirs are to be signed.
type Credential struct {
	Certificate tls.Certificate
	Clients     *x509.CertPool // nil: none is taken
}

func httpsKey(port int) string { return fmt.Sprintf("https %d", port) }

// gatewayKey is that of a port of HTTP: one that begins to encrypt is another listener.
func gatewayKey(g *config.GatewayListener) string {
	if g.TLS != nil {
		return httpsKey(g.Port)
	}
	return httpKey(g.Port)
}

// secured is a port of the gateway whose connections are encrypted. It hands on those whose
// clients ask for a name that is served and, where they have to, have shown who they are.
type secured struct {
	net.Listener
	proxy *Sidecar
	port  int
	shown chan net.Conn
	over  chan struct{} // closed: it takes no more
}

// secure has the connections of a listener encrypted.
func (s *Sidecar) secure(l net.Listener, port int) net.Listener {
	t := &secured{Listener: l, proxy: s, port: port, shown: make(chan net.Conn), over: make(chan struct{})}
	s.routines.Go(t.take)
	return t
}

func (t *secured) take() {
	defer close(t.over)
	for {
		c, err := t.Listener.Accept()
		if err != nil {
			t.proxy.failed(err, fmt.Sprintf("taking connections to port %d", t.port))
			return
		}
		t.proxy.routines.Go(func() { t.receive(c) })
	}
}

// receive passes one connection on. A client with whom no handshake comes about learns of
// it itself.
func (t *secured) receive(c net.Conn) {
	ctx, cancel := context.WithTimeout(t.proxy.ctx, config.DefaultConnectTimeout)
	defer cancel()
	secure := tls.Server(c, &tls.Config{GetConfigForClient: t.config})
	if secure.HandshakeContext(ctx) != nil {
		_ = c.Close()
		return
	}
	select {
	case t.shown <- secure:
	case <-t.over:
		_ = c.Close()
	}
}

// config is how a client is spoken to. As Envoy does, one that asks for a name which no
// server of the port has is hung up on, and so is each as long as the secret is not there.
func (t *secured) config(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	of := t.proxy.tls(t.port)
	var credential *Credential
	if of != nil && of.For(hello.ServerName) && t.proxy.options.Credentials != nil {
		credential = t.proxy.options.Credentials(of.Credential)
	}
	if credential == nil {
		_ = hello.Conn.Close()
		return nil, errors.New("nothing is served by this name")
	}
	config := &tls.Config{Certificates: []tls.Certificate{credential.Certificate}, NextProtos: []string{"h2", "http/1.1"}}
	if of.Mutual {
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, credential.Clients
		if config.ClientCAs == nil {
			config.ClientCAs = x509.NewCertPool() // and not what this machine trusts
		}
	}
	return config, nil
}

// tls is how a port of the gateway is encrypted now.
func (s *Sidecar) tls(port int) *config.TLS {
	for _, g := range s.state.Load().config.Gateways {
		if g.Port == port {
			return g.TLS
		}
	}
	return nil
}

// Accept implements net.Listener.
func (t *secured) Accept() (net.Conn, error) {
	select {
	case c := <-t.shown:
		return c, nil
	case <-t.over:
		return nil, net.ErrClosed
	}
}
