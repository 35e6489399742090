package loadgen

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
)

// Encrypted says whether a plan's connections are: those of gRPC where there is a TLS.
func (p *Plan) Encrypted() bool {
	return p.GRPC != nil && p.TLS != nil || p.first() != nil && slices.Contains([]string{"https", "wss"}, p.first().scheme())
}

// scheme is that of the URL, in lower case.
func (h *HTTP) scheme() string {
	scheme, _, _ := strings.Cut(h.URL, ":")
	return strings.ToLower(scheme)
}

// validateTLS refuses what no handshake could be begun with.
func validateTLS(p *Plan) error {
	t := p.TLS
	switch {
	case t == nil:
		return nil
	case !p.Encrypted():
		return wrong("tls", "tls is for https, wss and gRPC, and nothing of this load is encrypted; write https://, or leave tls out")
	case t.InsecureSkipVerify && t.CACertificates != "":
		return wrong("tls.insecureSkipVerify", "tls.insecureSkipVerify takes any certificate, and tls.caCertificates says which; leave one out")
	case t.ClientCertificate == "" && t.PrivateKey != "":
		return wrong("tls.privateKey", "tls.privateKey is of no certificate; give its tls.clientCertificate too")
	case t.ClientCertificate != "" && t.PrivateKey == "":
		return wrong("tls.clientCertificate", "tls.clientCertificate is of no use without its tls.privateKey; give that too")
	case net.ParseIP(t.SNI) != nil || strings.ContainsAny(t.SNI, " :/*") || strings.HasSuffix(t.SNI, "."):
		return wrong("tls.sni", "tls.sni is %q; it must be the name of a host, such as httpbin.example.com", t.SNI)
	}
	_, err := p.encryption()
	return err
}

// encryption is how a plan's connections are encrypted; nil: they are not. What is wrong
// with a key says nothing of what stands in it.
func (p *Plan) encryption() (*tls.Config, error) {
	if !p.Encrypted() {
		return nil, nil
	}
	host, _, err := p.Address()
	if err != nil {
		return nil, err
	}
	config := &tls.Config{ServerName: host, NextProtos: []string{"http/1.1"}}
	if p.GRPC != nil || p.first().HTTP2 {
		config.NextProtos = []string{"h2"}
	}
	t := p.TLS
	if t == nil {
		return config, nil
	}
	if t.SNI != "" {
		config.ServerName = t.SNI
	}
	config.InsecureSkipVerify = t.InsecureSkipVerify
	if t.CACertificates != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(t.CACertificates)) {
			return nil, wrong("tls.caCertificates", "tls.caCertificates has no certificate in PEM")
		}
	}
	if t.ClientCertificate != "" {
		pair, err := tls.X509KeyPair([]byte(t.ClientCertificate), []byte(t.PrivateKey))
		if err != nil {
			return nil, wrong("tls.clientCertificate", "tls.clientCertificate and tls.privateKey are no pair in PEM: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// handshakeError is why two sides did not come to speak TLS.
type handshakeError struct {
	err error
	met bool // they had agreed on a version and a cipher by then
}

// Error implements error.
func (e *handshakeError) Error() string { return fmt.Sprintf("shaking hands by TLS: %v", e.err) }

// Unwrap returns the reason.
func (e *handshakeError) Unwrap() error { return e.err }

// isTLS says whether an error comes of TLS: one side refused the other. Of TLS 1.3 a
// server refuses a client's certificate after the client has taken the handshake for done.
func isTLS(err error) bool {
	var handshake *handshakeError
	var alert *net.OpError
	return errors.As(err, &handshake) || errors.As(err, &alert) && (alert.Op == "remote error" || alert.Op == "local error")
}
