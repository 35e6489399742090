package credential

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"
)

func parse(t *testing.T, text string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func TestEachSideIsKnownByTheAuthority(t *testing.T) {
	c, err := New([]string{"httpbin.example.com", "*.shop.example.com", "10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	another, err := New([]string{"httpbin.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := x509.NewCertPool(), x509.NewCertPool()
	ours.AppendCertsFromPEM([]byte(c.CA))
	theirs.AppendCertsFromPEM([]byte(another.CA))
	server, client := parse(t, c.Certificate), parse(t, c.ClientIdentity)
	for _, tt := range []struct {
		of    *x509.Certificate
		name  string
		roots *x509.CertPool
		as    x509.ExtKeyUsage
		at    time.Duration
		want  bool
	}{
		{server, "httpbin.example.com", ours, x509.ExtKeyUsageServerAuth, 0, true},
		{server, "a.shop.example.com", ours, x509.ExtKeyUsageServerAuth, 0, true},
		{server, "10.0.0.1", ours, x509.ExtKeyUsageServerAuth, 0, true},
		{server, "other.example.com", ours, x509.ExtKeyUsageServerAuth, 0, false},
		{server, "httpbin.example.com", theirs, x509.ExtKeyUsageServerAuth, 0, false},
		{server, "httpbin.example.com", ours, x509.ExtKeyUsageClientAuth, 0, false},
		{server, "httpbin.example.com", ours, x509.ExtKeyUsageServerAuth, Lifetime + time.Hour, false},
		{client, "", ours, x509.ExtKeyUsageClientAuth, 0, true},
		{client, "", theirs, x509.ExtKeyUsageClientAuth, 0, false},
		{client, "", ours, x509.ExtKeyUsageServerAuth, 0, false},
	} {
		_, err := tt.of.Verify(x509.VerifyOptions{DNSName: tt.name, Roots: tt.roots, KeyUsages: []x509.ExtKeyUsage{tt.as}, CurrentTime: time.Now().Add(tt.at)})
		if (err == nil) != tt.want {
			t.Errorf("%s as %v after %v: %v", tt.name, tt.as, tt.at, err)
		}
	}
	for certificate, key := range map[string]string{c.Certificate: c.Key, c.ClientIdentity: c.ClientKey} {
		if _, err := tls.X509KeyPair([]byte(certificate), []byte(key)); err != nil {
			t.Error(err)
		}
	}
}
