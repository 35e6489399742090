package sidecar

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"sync/atomic"
	"time"
)

// CA issues the identities with which the proxies of one mesh know each other,
// as istiod does.
type CA struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	roots       *x509.CertPool
	serial      atomic.Int64
}

// lifetime is longer than any mesh in a process lives.
const lifetime = 10 * 365 * 24 * time.Hour

// NewCA makes a CA with a key of its own.
func NewCA() (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the mesh's CA: %w", err)
	}
	ca := &CA{key: key, roots: x509.NewCertPool()}
	template := ca.template()
	template.Subject = pkix.Name{CommonName: "cluster.local"}
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making the mesh's CA: %w", err)
	}
	if ca.certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("making the mesh's CA: %w", err)
	}
	ca.roots.AddCert(ca.certificate)
	return ca, nil
}

func (ca *CA) template() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(ca.serial.Add(1)),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(lifetime),
	}
}

// identity is a workload's side of mutual TLS: its certificate, with the name
// spiffe://cluster.local/ns/NAMESPACE/sa/NAME, and who it trusts.
func (ca *CA) identity(namespace, name string) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("issuing the identity of %s: %w", name, err)
	}
	template := ca.template()
	template.URIs = []*url.URL{spiffe(namespace, name)}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, key.Public(), ca.key)
	if err != nil {
		return nil, fmt.Errorf("issuing the identity of %s: %w", name, err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		ClientAuth:   tls.RequireAnyClientCert,
		// The name to verify is no host's but a workload's, in VerifyConnection.
		InsecureSkipVerify: true,
		VerifyConnection:   ca.verify,
		MinVersion:         tls.VersionTLS13,
	}, nil
}

// spiffe is a workload's name in the mesh.
func spiffe(namespace, name string) *url.URL {
	return &url.URL{Scheme: "spiffe", Host: "cluster.local", Path: "/ns/" + namespace + "/sa/" + name}
}

// principal is the proxy's own name in the mesh.
func (s *Sidecar) principal() string {
	return spiffe(s.options.Namespace, s.options.account()).String()
}

// clientIdentity is a proxy's side of mutual TLS to one host of a cluster, which is spoken
// HTTP/2 to or not; nil if it has none.
func clientIdentity(identity *tls.Config, cluster string, http2 bool) *tls.Config {
	if identity == nil {
		return nil
	}
	to := identity.Clone()
	to.ServerName = serverName(cluster)
	if http2 {
		to.NextProtos = []string{"h2"}
	}
	// As Envoy does, the next connection resumes the session.
	to.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	return to
}

// verify says whether the other side is a workload of this mesh.
func (ca *CA) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the peer shows no certificate")
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: ca.roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err
}
