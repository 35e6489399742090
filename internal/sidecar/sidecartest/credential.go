package sidecartest

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/meshchaos/meshchaos/internal/credential"
)

// Credential is what a gateway and its clients show each other.
type Credential struct {
	CA             *x509.CertPool
	Server, Client tls.Certificate
}

// NewCredential makes one for a host.
func NewCredential(t testing.TB, host string) *Credential {
	t.Helper()
	made, err := credential.New([]string{host})
	if err != nil {
		t.Fatal(err)
	}
	c := &Credential{CA: x509.NewCertPool()}
	c.CA.AppendCertsFromPEM([]byte(made.CA))
	for into, texts := range map[*tls.Certificate][2]string{&c.Server: {made.Certificate, made.Key}, &c.Client: {made.ClientIdentity, made.ClientKey}} {
		if *into, err = tls.X509KeyPair([]byte(texts[0]), []byte(texts[1])); err != nil {
			t.Fatal(err)
		}
	}
	return c
}
