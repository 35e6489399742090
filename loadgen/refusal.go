package loadgen

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"sync/atomic"
)

// What one side refused the other for, in Refusal.Kind.
const (
	RefusedUntrusted = "untrusted" // the server's certificate is signed by nobody who is trusted
	RefusedName      = "name"      // it is of other names
	RefusedTime      = "time"      // it is in force no more, or not yet
	RefusedClient    = "client"    // the server asks for a certificate of the client's, or for another
	RefusedPlain     = "plain"     // the server speaks no TLS
	RefusedProtocol  = "protocol"  // they have no version in common, of TLS or of HTTP
	RefusedOther     = "other"
)

// Refusal is why the first of those requests had no answer that ended as ErrorTLS.
type Refusal struct {
	Kind  string `json:"kind"`
	Words string `json:"words"` // of whoever noticed
}

// errNoHTTP2 is of a server that goes on by another protocol than the only one it was offered.
var errNoHTTP2 = errors.New("the server does not take HTTP/2 by ALPN")

// The alerts by which a server refuses, by their numbers in RFC 8446.
var (
	ofClient   = []tls.AlertError{42, 43, 44, 45, 46, 48, 49, 116} // bad_certificate to unknown_ca, access_denied, certificate_required
	ofProtocol = []tls.AlertError{70, 120}                         // protocol_version, no_application_protocol
	ofEither   = []tls.AlertError{40}                              // handshake_failure, by which TLS 1.2 also says that it asks for a certificate (RFC 5246, 7.4.6)
)

// refusalOf says what an error of TLS is of.
func refusalOf(err error) *Refusal {
	kind := RefusedOther
	var untrusted x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var plain tls.RecordHeaderError
	var handshake *handshakeError
	switch {
	case errors.As(err, &untrusted):
		kind = RefusedUntrusted
	case errors.As(err, &name):
		kind = RefusedName
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		kind = RefusedTime
	case errors.As(err, &plain):
		kind = RefusedPlain
	case isAlert(err, ofClient):
		kind = RefusedClient
	case isAlert(err, ofEither) && errors.As(err, &handshake) && handshake.met:
		kind = RefusedClient
	case errors.Is(err, errNoHTTP2), isAlert(err, ofProtocol), isAlert(err, ofEither):
		kind = RefusedProtocol
	}
	return &Refusal{Kind: kind, Words: err.Error()}
}

// isAlert says whether the other side sent one of these. The type of those that come over
// TCP is not exported, and has the words of the one that is.
func isAlert(err error, alerts []tls.AlertError) bool {
	var remote *net.OpError
	return errors.As(err, &remote) && remote.Op == "remote error" &&
		slices.ContainsFunc(alerts, func(alert tls.AlertError) bool { return remote.Err.Error() == alert.Error() })
}

// encrypted is how the connections of a plan are, and why the first of them was not.
type encrypted struct {
	config *tls.Config
	first  atomic.Pointer[Refusal]
}

// refusal is why the first connection was not encrypted; nil: none was refused, or none was
// to be encrypted.
func (e *encrypted) refusal() *Refusal {
	if e == nil {
		return nil
	}
	return e.first.Load()
}

// failed is the reply of a request that had no whole answer on the socket.
func (s *socket) failed(ctx context.Context, err error) reply {
	rep := failed(ctx, err)
	if rep.err == ErrorTLS && s.tls != nil && s.tls.refusal() == nil {
		s.tls.first.CompareAndSwap(nil, refusalOf(err))
	}
	if rep.err == ErrorOther {
		s.other.note(err)
	}
	return rep
}
