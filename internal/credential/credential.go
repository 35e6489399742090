// Package credential makes what a gateway and the clients of one run show each other by
// TLS, signed by an authority that is made for it alone and whose key is forgotten at
// once: nobody can sign anything more by it.
//
// The package imports nothing of this module.
package credential

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Lifetime is longer than any run is, and short enough that what a killed one leaves is of
// no use for long.
const Lifetime = 7 * 24 * time.Hour

// Credential is made of texts in PEM. Its keys are secret.
type Credential struct {
	CA             string // the certificate of the authority
	Certificate    string // of the server
	Key            string
	ClientIdentity string // the certificate of the client
	ClientKey      string
}

// authority signs certificates as long as it is made.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	serial      int64
}

// New makes one for servers of these hosts, each a name, *.suffix or an address.
func New(hosts []string) (*Credential, error) {
	c := &Credential{}
	a := &authority{}
	ca := template("meshchaos, for one run")
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	var err error
	if c.CA, _, err = a.sign(ca); err != nil {
		return nil, fmt.Errorf("making a certificate authority: %w", err)
	}
	server := template("")
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			server.IPAddresses = append(server.IPAddresses, ip)
			continue
		}
		server.DNSNames = append(server.DNSNames, host)
	}
	if c.Certificate, c.Key, err = a.sign(server); err != nil {
		return nil, fmt.Errorf("making the certificate of %v: %w", hosts, err)
	}
	client := template("meshchaos-client")
	client.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if c.ClientIdentity, c.ClientKey, err = a.sign(client); err != nil {
		return nil, fmt.Errorf("making the certificate of the client: %w", err)
	}
	return c, nil
}

func template(name string) *x509.Certificate {
	now := time.Now()
	// The clocks of a cluster may be behind.
	return &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(Lifetime), KeyUsage: x509.KeyUsageDigitalSignature}
}

// sign makes a certificate and its key; the first is the authority's own.
func (a *authority) sign(of *x509.Certificate) (certificate, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	a.serial++
	of.SerialNumber = big.NewInt(a.serial)
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = of, private
	}
	der, err := x509.CreateCertificate(rand.Reader, of, parent, private.Public(), signer)
	if err != nil {
		return "", "", err
	}
	if a.certificate == nil {
		if a.certificate, err = x509.ParseCertificate(der); err != nil {
			return "", "", err
		}
		a.key = private
	}
	inKey, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	return inPEM("CERTIFICATE", der), inPEM("PRIVATE KEY", inKey), nil
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
