package sidecar

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

const shop = "shop.example.com"

// secrets are those that a gateway may read, by their names.
type secrets map[string]*sidecartest.Credential

func (s secrets) read(name string) *Credential {
	c := s[name]
	if c == nil {
		return nil
	}
	return &Credential{Certificate: c.Server, Clients: c.CA}
}

// httpsGateway serves shop by a mode of TLS.
func httpsGateway(t *testing.T, mode string) []*rules.Object {
	return []*rules.Object{
		sidecartest.Gateway(t, "front", fmt.Sprintf(`{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":443,"name":"https","protocol":"HTTPS"},"hosts":["%s"],"tls":{"mode":"%s","credentialName":"shop"}}]}`, shop, mode)),
		sidecartest.VirtualService(t, "web", `{"hosts":["`+shop+`"],"gateways":["front"],"http":[{"route":[{"destination":{"host":"web","port":{"number":8000}}}]}]}`),
	}
}

// call calls a gateway's port by a name, and returns what is answered.
func call(t *testing.T, m *mesh, name string, config *tls.Config) (string, error) {
	t.Helper()
	address, err := m.GatewayAddress(443)
	if err != nil {
		t.Fatal(err)
	}
	config.ServerName = name
	transport := &http.Transport{
		TLSClientConfig: config, ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	defer transport.CloseIdleConnections()
	answer, err := sidecartest.Get(&http.Client{Transport: transport}, "https://"+shop+"/", "Host", shop)
	return answer.Body, err
}

func TestAGatewayEndsTLS(t *testing.T) {
	ours, theirs := sidecartest.NewCredential(t, shop), sidecartest.NewCredential(t, shop)
	web := sidecartest.Serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Header.Get(forwardedProto)) })
	services := []config.Service{sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", web))}
	known := secrets{"shop": ours}
	m := startMesh(t, Options{Name: "istio-ingressgateway", Gateway: true, Credentials: known.read}, services, httpsGateway(t, "SIMPLE")...)
	trusts := func(roots *x509.CertPool, own ...tls.Certificate) *tls.Config {
		return &tls.Config{RootCAs: roots, Certificates: own}
	}
	expect := func(what, name string, config *tls.Config, want string) {
		t.Helper()
		got, err := call(t, m, name, config)
		if want == "https" && (err != nil || got != "https") || want != "https" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %q, %v; want %s", what, got, err, want)
		}
	}
	expect("who trusts it", shop, trusts(ours.CA), "https")
	expect("who trusts another", shop, trusts(theirs.CA), "unknown authority")
	expect("who asks for another name", "other.example.com", trusts(ours.CA), "EOF")

	m.push(httpsGateway(t, "MUTUAL")...)
	expect("who shows nothing", shop, trusts(ours.CA), "") // in words that depend on who was first
	expect("who shows another's", shop, trusts(ours.CA, theirs.Client), "")
	expect("who shows ours", shop, trusts(ours.CA, ours.Client), "https")

	delete(known, "shop")
	expect("who calls without a secret", shop, trusts(ours.CA, ours.Client), "EOF")

	plain := httpsGateway(t, "SIMPLE")
	plain[0] = sidecartest.Gateway(t, "front", `{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":443,"name":"http","protocol":"HTTP"},"hosts":["*"]}]}`)
	m.push(plain...)
	expect("who finds no TLS there any more", shop, trusts(ours.CA), "server gave HTTP response to HTTPS client")
}

func TestWhatOfTLSAGatewayDoesNotImplementIsNamed(t *testing.T) {
	for server, want := range map[string]string{
		`"port":{"number":443,"name":"a","protocol":"HTTPS"},"tls":{"mode":"PASSTHROUGH"}`:                                     "spec.servers[0].tls.mode",
		`"port":{"number":443,"name":"a","protocol":"HTTPS"},"tls":{"mode":"ISTIO_MUTUAL"}`:                                    "spec.servers[0].tls.mode",
		`"port":{"number":443,"name":"a","protocol":"HTTPS"},"tls":{"mode":"SIMPLE"}`:                                          "spec.servers[0].tls.credentialName",
		`"port":{"number":443,"name":"a","protocol":"HTTPS"},"tls":{"mode":"SIMPLE","credentialName":"c","cipherSuites":[""]}`: "spec.servers[0].tls.cipherSuites",
		`"port":{"number":443,"name":"a","protocol":"TLS"},"tls":{"mode":"SIMPLE","credentialName":"c"}`:                       "spec.servers[0].port.protocol",
	} {
		gateway := sidecartest.Gateway(t, "front", `{"selector":{"istio":"ingressgateway"},"servers":[{"hosts":["*"],`+server+`}]}`)
		_, err := Compile(config.Mesh{}, []*rules.Object{gateway})
		var unsupported *config.UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Path != want {
			t.Errorf("%s: %v, want %s", server, err, want)
		}
	}
	two := sidecartest.Gateway(t, "front", `{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":443,"name":"a","protocol":"HTTPS"},"hosts":["a.com"],"tls":{"mode":"SIMPLE","credentialName":"c"}},{"port":{"number":443,"name":"b","protocol":"HTTPS"},"hosts":["b.com"],"tls":{"mode":"SIMPLE","credentialName":"c"}}]}`)
	if _, err := Compile(config.Mesh{}, []*rules.Object{two}); err == nil || !strings.Contains(err.Error(), "one server on a port with TLS") {
		t.Error(err)
	}
}
