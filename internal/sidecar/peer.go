package sidecar

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// peer is the proxy at the other end of an inbound connection.
type peer struct {
	certificate string // both ends, as the header x-forwarded-client-cert has them
	principal   string // its SPIFFE name
	server      string // the name that it asked for by SNI
}

// peerKey is the context key of a connection's peer.
type peerKey struct{}

// forwardedCert is the header by which a workload is told who calls it. Each
// caller's proxy takes it out of what its own workload sends.
const forwardedCert = "X-Forwarded-Client-Cert"

// newPeer words a peer as Istio has Envoy do it: forward_client_cert_details
// with the subject, which is empty in Istio's certificates, and the URI.
func newPeer(c *tls.Conn, by string) peer {
	state := c.ConnectionState()
	leaf := state.PeerCertificates[0]
	of := leaf.URIs[0].String()
	return peer{
		certificate: fmt.Sprintf(`By=%s;Hash=%x;Subject="%s";URI=%s`, by, sha256.Sum256(leaf.Raw), leaf.Subject, of),
		principal:   of,
		server:      state.ServerName,
	}
}

// workload is its name in a mesh whose workloads have accounts of their own; empty: it
// has not shown who it is.
func (p peer) workload() string {
	if p.principal == "" {
		return ""
	}
	return path.Base(p.principal)
}

// peer is who sent the request to the workload.
func (s *stream) peer() peer {
	p, _ := s.r.Context().Value(peerKey{}).(peer)
	return p
}

// vouch tells the workload who calls it.
func (p peer) vouch(h http.Header) { h.Set(forwardedCert, p.certificate) }

// serverName is what a proxy asks a host of a cluster for by SNI, as Istio's
// automatic mutual TLS does.
func serverName(cluster string) string { return strings.ReplaceAll(cluster, "|", "_.") }
