package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/credential"
)

// byVersion answers /h1 where it is asked by HTTP/1.1, and /h2 where by HTTP/2.
func byVersion(w http.ResponseWriter, r *http.Request) {
	if want := map[string]int{"/h1": 1, "/h2": 2}[r.URL.Path]; r.ProtoMajor != want {
		w.WriteHeader(http.StatusHTTPVersionNotSupported)
	}
}

// serveTLS serves by a certificate, and returns the port.
func serveTLS(t *testing.T, certificate, key string, set func(*tls.Config)) string {
	t.Helper()
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(byVersion))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	set(server.TLS)
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// overdue is a certificate of a name that signs itself, and its time is over.
func overdue(t *testing.T, name string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, of, of, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	inKey, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: inKey}))
}

// Whom a load trusts and who it is, is as with fortio; and who is refused learns what for.
func TestALoadOverTLS(t *testing.T) {
	ours, err := credential.New([]string{"shop.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := credential.New([]string{"shop.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	old, oldKey := overdue(t, "shop.example.com")
	folder := t.TempDir()
	for name, text := range map[string]string{
		"ca": ours.CA, "other-ca": theirs.CA, "old": old, "cert": ours.ClientIdentity, "key": ours.ClientKey,
		"other-cert": theirs.ClientIdentity, "other-key": theirs.ClientKey, "text": "no PEM", "empty": "",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM([]byte(ours.CA))
	plain := httptest.NewServer(http.HandlerFunc(byVersion))
	defer plain.Close()
	ports := strings.NewReplacer(
		"OWN", serveTLS(t, ours.Certificate, ours.Key, func(*tls.Config) {}),
		"MUTUAL", serveTLS(t, ours.Certificate, ours.Key, func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, clients }),
		"OLD", serveTLS(t, old, oldKey, func(*tls.Config) {}),
		"H1", serveTLS(t, ours.Certificate, ours.Key, func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }),
		"PLAIN", plain.URL[strings.LastIndex(plain.URL, ":")+1:],
		"DIR", folder,
	)
	const well, shop = "Code 200 : 8 (100.0 %)", " -resolve 127.0.0.1 https://shop.example.com:"
	for _, tt := range []struct {
		args   string
		status int
		want   string
	}{
		{"-n 8 -cacert DIR/ca" + shop + "OWN/h1", exitPass, well},
		{"-n 8 -cacert DIR/ca -h2" + shop + "OWN/h2", exitPass, well},
		{"-n 8 -cacert DIR/ca -h2 -keepalive=false" + shop + "OWN/h2", exitPass, "Sockets used: 8"},
		{"-n 8 -cacert DIR/ca -stdclient" + shop + "OWN/h1", exitPass, well},
		{"-n 8 -k" + shop + "OWN/h1", exitPass, well},
		{"-n 8 -https-insecure" + shop + "OLD/h1", exitPass, well},
		{"-n 8 -k https://127.0.0.1:OWN/h1", exitPass, well},
		{"-n 8 -cacert DIR/ca -cert DIR/cert -key DIR/key" + shop + "MUTUAL/h1", exitPass, well},
		{"-n 8 -k -cert DIR/cert -key DIR/key -h2" + shop + "MUTUAL/h2", exitPass, well},
		{"-t 100ms -qps 50 -cacert DIR/ca" + shop + "OWN/h1", exitPass, "(100.0 %)"},

		{"-n 8" + shop + "OWN/h1", exitPass, "certificate signed by unknown authority; name who signed the server's certificate, by -cacert, or write -k"},
		{"-n 8 -cacert DIR/other-ca -h2" + shop + "OWN/h2", exitPass, "name who signed the server's certificate"},
		{"-n 8 -cacert DIR/ca -resolve 127.0.0.1 https://store.example.com:OWN/h1", exitPass, "valid for shop.example.com, not store.example.com; write a name that the server's certificate is of into the URL, with -resolve IP"},
		{"-n 8 -cacert DIR/old" + shop + "OLD/h1", exitPass, "; have the server's certificate renewed, see to this machine's clock, or write -k"},
		{"-n 8 -cacert DIR/ca" + shop + "MUTUAL/h1", exitPass, "certificate required; write -cert and -key of a client whom the server trusts"},
		{"-n 8 -cacert DIR/ca -h2" + shop + "MUTUAL/h2", exitPass, "write -cert and -key of a client whom the server trusts"},
		{"-n 8 -cacert DIR/ca -cert DIR/other-cert -key DIR/other-key" + shop + "MUTUAL/h1", exitPass, "write -cert and -key of a client whom the server trusts"},
		{"-n 8 -cacert DIR/ca -h2" + shop + "H1/h2", exitPass, "; leave -h2 out"},
		{"-n 8" + shop + "PLAIN/h1", exitPass, "; write http://, or the port that speaks TLS"},
		{"-t 100ms" + shop + "OWN/h1", exitInconclusive, "the first request of a connection ended with error tls: shaking hands by TLS: tls: failed to verify certificate: x509: certificate signed by unknown authority; name who signed"},

		{"-n 8 -k -cacert DIR/ca" + shop + "OWN/h1", exitUsage, "reading -cacert: with -k any certificate is taken"},
		{"-n 8 -cert DIR/cert" + shop + "OWN/h1", exitUsage, "reading -cert: nobody can show a certificate without its key; name that too, by -key"},
		{"-n 8 -key DIR/key" + shop + "OWN/h1", exitUsage, "reading -key: it is of no certificate"},
		{"-n 8 -cert DIR/cert -key DIR/other-key" + shop + "OWN/h1", exitUsage, "reading -cert: it and -key are no pair in PEM: tls: private key does not match public key; name the key"},
		{"-n 8 -cacert DIR/text" + shop + "OWN/h1", exitUsage, "reading -cacert: it has no certificate in PEM; name a file with who"},
		{"-n 8 -cacert DIR/empty" + shop + "OWN/h1", exitUsage, "is empty; name a file in PEM"},
		{"-n 8 -cacert DIR/nobody" + shop + "OWN/h1", exitUsage, "reading -cacert: open "},
		{"-n 8 -k http://127.0.0.1:PLAIN/h1", exitUsage, "reading -k: nothing that is sent to http://127.0.0.1:PLAIN/h1 is encrypted; write https://, or leave -k out"},
		{"-n 8 -cacert DIR/ca 127.0.0.1:OWN/h1", exitUsage, "reading -cacert: nothing that is sent to http://127.0.0.1:OWN/h1 is encrypted; write https://"},
		{"-n 8 wss://127.0.0.1:OWN/h1", exitUsage, "a load of WebSockets is a scenario's, as ws"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			var out, said bytes.Buffer
			args := append([]string{loadCommand, "-q", "-qps", "0", "-c", "2", "-timeout", "20s"}, strings.Fields(ports.Replace(tt.args))...)
			status := execute(t.Context(), args, &out, &said)
			folded := strings.Join(strings.Fields(said.String()), " ")
			if status != tt.status || !strings.Contains(folded, ports.Replace(tt.want)) {
				t.Errorf("exit status %d, want %d with %s:\n%s", status, tt.status, ports.Replace(tt.want), &said)
			}
			if strings.Contains(said.String()+out.String(), "PRIVATE KEY") {
				t.Error("it tells a key")
			}
		})
	}
}

// By HTTP/2 from the first byte on, a server has to be asked that knows it.
func TestALoadByHTTP2WithoutTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(byVersion))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	result, written, _ := byLoad(t, "-n", "20", "-qps", "0", "-h2", server.URL+"/h2")
	if result.RetCodes[200] != 20 || written["H2"] != true || written["Insecure"] != false {
		t.Errorf("%v by %v", result.RetCodes, written)
	}
}
