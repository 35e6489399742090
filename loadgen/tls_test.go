package loadgen

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         string
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	a := &authority{}
	a.certificate, a.key, a.pem = sign(t, nil, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	})
	return a
}

// sign makes a certificate, which signs itself where there is no authority.
func sign(t testing.TB, by *authority, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(1)
	parent, signer := template, key
	if by != nil {
		parent, signer = by.certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// issue makes a certificate of a name and its key, both in PEM, until a time.
func (a *authority) issue(t testing.TB, name string, until time.Time) (certificate, key string) {
	t.Helper()
	_, private, text := sign(t, a, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return text, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

const shopHost = "shop.example.com"

// secure is a server with TLS, which counts what it answers.
type secure struct {
	authority *authority
	server    *httptest.Server
	served    atomic.Int64
	names     chan string // that were asked for by SNI
}

// startSecure serves shopHost over HTTP/1.1 and HTTP/2, by a certificate until a time, and
// with what else of TLS is to be so.
func startSecure(t *testing.T, until time.Time, set func(*authority, *tls.Config), handler http.HandlerFunc) *secure {
	t.Helper()
	s := &secure{authority: newAuthority(t, "ours"), names: make(chan string, 1000)}
	pair, err := tls.X509KeyPair(bytesOf(s.authority.issue(t, shopHost, until)))
	if err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.served.Add(1)
		handler(w, r)
	}))
	s.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.server.EnableHTTP2 = true
	s.server.TLS = &tls.Config{
		Certificates: []tls.Certificate{pair},
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			s.names <- hello.ServerName
			return nil, nil
		},
	}
	if set != nil {
		set(s.authority, s.server.TLS)
	}
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	return s
}

func bytesOf(a, b string) ([]byte, []byte) { return []byte(a), []byte(b) }

// plan calls the server by its name, wherever that is.
func (s *secure) plan(http2 bool, own TLS) Plan {
	if own.CACertificates == "" && !own.InsecureSkipVerify {
		own.CACertificates = s.authority.pem
	}
	return Plan{
		Connections: 2, Requests: 8, Timeout: Duration{Duration: 10 * time.Second}, TLS: &own,
		HTTP: &HTTP{Method: "GET", URL: "https://" + shopHost + "/", Connect: s.server.Listener.Addr().String(), HTTP2: http2},
	}
}

func answers(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, r.Proto+" "+r.Host)
	}
}

// versions are those of HTTP.
var versions = map[string]bool{"HTTP/1.1": false, "HTTP/2": true}

func TestAServerOfOurAuthorityIsCalledOverTLS(t *testing.T) {
	for name, http2 := range versions {
		t.Run(name, func(t *testing.T) {
			s := startSecure(t, time.Now().Add(time.Hour), nil, answers(200))
			plan := s.plan(http2, TLS{})
			plan.Checks = []Check{{Name: "as asked", Body: map[bool]string{false: "HTTP/1.1 ", true: "HTTP/2.0 "}[http2] + shopHost}}
			result := run(t, plan)
			want := []Outcome{{Status: 200, Checks: []string{"as asked"}, Count: 8}}
			if diff := cmp.Diff(want, result.Outcomes, noExamples); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if result.Dialed != 2 || result.Used != 2 || s.served.Load() != 8 || result.Engine != EngineNetHTTP {
				t.Errorf("engine %s dialed %d and used %d, the server answered %d", result.Engine, result.Dialed, result.Used, s.served.Load())
			}
			if got := <-s.names; got != shopHost {
				t.Errorf("SNI is %q", got)
			}
			if slowest := result.Outcomes[0].Slowest; slowest == nil || slowest.From == "" {
				t.Errorf("the slowest is %+v", slowest)
			}
		})
	}
}

// A connection that the server has closed while it was idle is noticed beneath TLS, too: with
// its last words, and without.
func TestAConnectionOverTLSThatIsClosedWhileIdleIsReplacedUnseen(t *testing.T) {
	for name, last := range map[string]func(net.Conn) error{
		"with close_notify": net.Conn.Close,
		"without":           func(conn net.Conn) error { return conn.(*tls.Conn).NetConn().Close() },
	} {
		s := startSecure(t, time.Now().Add(time.Hour), nil, func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			_ = last(conn)
		})
		plan := s.plan(false, TLS{})
		plan.Connections, plan.Requests, plan.QPS = 1, 6, 50 // which leaves time for the end of the connection to arrive
		if r := run(t, plan); answered(r, 200) != 6 || r.Dialed != 6 || s.served.Load() != 6 {
			t.Errorf("%s: served %d on %d connections: %v", name, s.served.Load(), r.Dialed, r.Outcomes)
		}
	}
}

// TestWhatIsWrongWithACertificateIsAnError holds that no request is answered then, and none
// gets to the server that it was not for.
func TestWhatIsWrongWithACertificateIsAnError(t *testing.T) {
	elsewhere := newAuthority(t, "somebody else's")
	theirs, theirKey := elsewhere.issue(t, "client", time.Now().Add(time.Hour))
	asks := func(a *authority, c *tls.Config) {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, a.pool()
	}
	old := func(a *authority, c *tls.Config) { asks(a, c); c.MaxVersion = tls.VersionTLS12 }
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for name, http2 := range versions {
		for _, tt := range []struct {
			name  string
			until time.Time
			set   func(*authority, *tls.Config)
			own   TLS
			want  string
		}{
			{"another authority", soon, nil, TLS{CACertificates: elsewhere.pem}, ErrorTLS},
			{"another name", soon, nil, TLS{SNI: "other.example.com"}, ErrorTLS},
			{"expired", past, nil, TLS{}, ErrorTLS},
			{"any", past, nil, TLS{InsecureSkipVerify: true}, ""},
			{"no certificate of the client", soon, asks, TLS{}, ErrorTLS},
			{"no certificate of the client, TLS 1.2", soon, old, TLS{}, ErrorTLS},
			{"a certificate of another authority", soon, asks, TLS{ClientCertificate: theirs, PrivateKey: theirKey}, ErrorTLS},
			{"none in common", soon, func(_ *authority, c *tls.Config) { c.MaxVersion = tls.VersionTLS10 }, TLS{}, ErrorTLS},
		} {
			t.Run(tt.name+" "+name, func(t *testing.T) {
				s := startSecure(t, tt.until, tt.set, answers(200))
				result := run(t, s.plan(http2, tt.own))
				if tt.want == "" {
					if answered(result, 200) != 8 || s.served.Load() != 8 {
						t.Errorf("the server answered %d: %v", s.served.Load(), result.Outcomes)
					}
					return
				}
				if n := result.Count(failedAs(tt.want)); n != 8 || s.served.Load() != 0 || result.Dialed != 8 {
					t.Errorf("%d are %s of 8 on %d connections, the server answered %d: %v", n, tt.want, result.Dialed, s.served.Load(), result.Outcomes)
				}
			})
		}
	}
}

func TestAClientShowsItsCertificate(t *testing.T) {
	for name, http2 := range versions {
		t.Run(name, func(t *testing.T) {
			s := startSecure(t, time.Now().Add(time.Hour), func(a *authority, c *tls.Config) {
				c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, a.pool()
			}, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
			})
			certificate, key := s.authority.issue(t, "jason", time.Now().Add(time.Hour))
			plan := s.plan(http2, TLS{ClientCertificate: certificate, PrivateKey: key})
			plan.Checks = []Check{{Name: "jason", Body: "jason"}}
			if result := run(t, plan); result.Count(holds("jason")) != 8 {
				t.Errorf("outcomes %v", result.Outcomes)
			}
		})
	}
}

// An answer that lasts until the connection ends is whole if the server has said that it ends.
func TestAnAnswerThatIsCutOffBeneathTLSIsNone(t *testing.T) {
	for name, tt := range map[string]struct {
		says bool
		head string
		want Outcome
	}{
		"said to end":          {true, "", status200},
		"cut off":              {false, "", eof},
		"cut off, with length": {false, "Content-Length: 2\r\n", status200},
		"cut off, in chunks":   {false, "Transfer-Encoding: chunked\r\n", eof},
	} {
		t.Run(name, func(t *testing.T) {
			s := startSecure(t, time.Now().Add(time.Hour), nil, func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n"+tt.head+"\r\nok")
				if tt.says {
					_ = conn.Close()
				} else {
					_ = conn.(*tls.Conn).NetConn().Close()
				}
			})
			result := run(t, s.plan(false, TLS{}))
			if len(result.Outcomes) != 1 || result.Outcomes[0].Status != tt.want.Status || result.Outcomes[0].Error != tt.want.Error {
				t.Errorf("%+v, want %s", result.Outcomes, tt.want.Words())
			}
		})
	}
}

func TestWhoSpeaksNoTLSIsAnError(t *testing.T) {
	plain := startHTTP(t, answers(200))
	silent := startTCP(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	closes := startTCP(t, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)); reset(conn) })
	ends := startTCP(t, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) })
	for name, http2 := range versions {
		for want, at := range map[string]string{ErrorTLS: strings.TrimPrefix(plain, "http://"), ErrorTimeout: silent, ErrorReset: closes, ErrorEOF: ends, ErrorRefused: nobody} {
			t.Run(want+" "+name, func(t *testing.T) {
				plan := Plan{Connections: 1, Requests: 2, HTTP: &HTTP{Method: "GET", URL: "https://" + shopHost, Connect: at, HTTP2: http2}}
				if want == ErrorTimeout {
					plan.Timeout.Duration = time.Second
				}
				if result := run(t, plan); result.Count(failedAs(want)) != 2 || result.Dialed != 2 {
					t.Errorf("dialed %d: %v", result.Dialed, result.Outcomes)
				}
			})
		}
	}
}

// Whatever a server does, the layer below makes no difference.
func TestCountsAgreeWithAServerThatMisbehavesOverTLS(t *testing.T) {
	a := newAuthority(t, "ours")
	pair, err := tls.X509KeyPair(bytesOf(a.issue(t, shopHost, time.Now().Add(time.Hour))))
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range acts {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			server := startScriptOver(t, &tls.Config{Certificates: []tls.Certificate{pair}}, acts[0], one, acts[0])
			plan := Plan{
				Connections: 3, Requests: 12, TLS: &TLS{CACertificates: a.pem, SNI: shopHost},
				HTTP: &HTTP{Method: "POST", URL: strings.Replace(server.url, "http:", "https:", 1), Body: "body"},
			}
			if one.ours.Error == ErrorTimeout {
				plan.Timeout.Duration = 2 * time.Second
			}
			server.agrees(t, run(t, plan), EngineNetHTTP)
		})
	}
}
