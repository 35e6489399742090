package loadgen

import (
	"crypto/tls"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestARefusalSaysWhatItIsOf holds the kinds against a server that is really so.
func TestARefusalSaysWhatItIsOf(t *testing.T) {
	elsewhere := newAuthority(t, "somebody else's")
	theirs, theirKey := elsewhere.issue(t, "client", time.Now().Add(time.Hour))
	asks := func(a *authority, c *tls.Config) {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, a.pool()
	}
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for name, http2 := range versions {
		for _, tt := range []struct {
			until time.Time
			set   func(*authority, *tls.Config)
			own   TLS
			kind  string
			words string
		}{
			{soon, nil, TLS{CACertificates: elsewhere.pem}, RefusedUntrusted, "unknown authority"},
			{soon, nil, TLS{SNI: "other.example.com"}, RefusedName, "not other.example.com"},
			{past, nil, TLS{}, RefusedTime, "expired"},
			{soon, asks, TLS{}, RefusedClient, "certificate required"},
			{soon, asks, TLS{ClientCertificate: theirs, PrivateKey: theirKey}, RefusedClient, "certificate required"}, // which is not even shown, since the server says by whom it is to be signed
			{soon, func(_ *authority, c *tls.Config) { c.MaxVersion = tls.VersionTLS10 }, TLS{}, RefusedProtocol, "protocol version"},
			{soon, func(a *authority, c *tls.Config) { asks(a, c); c.MaxVersion = tls.VersionTLS12 }, TLS{}, RefusedClient, "handshake failure"},
			{soon, func(_ *authority, c *tls.Config) {
				c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}
			}, TLS{}, RefusedProtocol, "handshake failure"},
		} {
			t.Run(tt.kind+" "+name, func(t *testing.T) {
				s := startSecure(t, tt.until, tt.set, answers(200))
				result := run(t, s.plan(http2, tt.own))
				if r := result.Refusal; r == nil || r.Kind != tt.kind || !strings.Contains(r.Words, tt.words) {
					t.Errorf("%+v, want %s of %s", r, tt.words, tt.kind)
				}
			})
		}
	}
	t.Run("none", func(t *testing.T) {
		s := startSecure(t, soon, nil, answers(503))
		if result := run(t, s.plan(true, TLS{})); result.Refusal != nil {
			t.Errorf("%+v", result.Refusal)
		}
	})
}

func TestARefusalOfHTTP2OrOfTLSAtAll(t *testing.T) {
	old := httptest.NewUnstartedServer(answers(200)) // which has no h2
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.StartTLS()
	defer old.Close()
	plain := startHTTP(t, answers(200))
	for kind, url := range map[string]string{RefusedProtocol: old.URL, RefusedPlain: strings.Replace(plain, "http:", "https:", 1)} {
		result := run(t, Plan{Connections: 1, Requests: 1, HTTP: &HTTP{Method: "GET", URL: url, HTTP2: true}, TLS: &TLS{InsecureSkipVerify: true}})
		if result.Refusal == nil || result.Refusal.Kind != kind {
			t.Errorf("%s: %+v of %v", kind, result.Refusal, result.Outcomes)
		}
	}
}

// Who opens connections before the load is told why that cannot be.
func TestAFirstRequestThatIsRefusedSaysWhy(t *testing.T) {
	s := startSecure(t, time.Now().Add(time.Hour), nil, answers(200))
	plan := s.plan(false, TLS{SNI: "other.example.com"})
	plan.Prime = true
	if result, _ := runUntil(t.Context(), plan); result == nil || !strings.Contains(result.Failure, "ended with error tls: shaking hands by TLS") || !strings.Contains(result.Failure, "not other.example.com") {
		t.Errorf("%+v", result)
	}
}
