package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/internal/credential"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// called is the good scenario with others who call as it is said.
func called(how string) string {
	const their = `get: "http://productpage:9080/productpage"`
	at := strings.LastIndex(good, their)
	return strings.Replace(good[:at]+how+good[at+len(their):], "qps: 5, while: jason", "while: jason", 1)
}

// pair is a certificate and its key in PEM.
func pair(t *testing.T) (certificate, key string) {
	t.Helper()
	c, err := credential.New([]string{"productpage"})
	if err != nil {
		t.Fatal(err)
	}
	return c.Certificate, c.Key
}

// inFolder writes files, and returns their folder.
func inFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestALoadIsCalledAsItSays(t *testing.T) {
	certificate, key := pair(t)
	folder := inFolder(t, map[string]string{"ca.crt": certificate, "client.crt": certificate, "client.key": key})
	for how, want := range map[string]loadgen.Plan{
		`get: "http://productpage:9080/x", http2: true`: {HTTP: &loadgen.HTTP{Method: "GET", URL: "http://productpage:9080/x", HTTP2: true}},
		`post: "https://productpage/x", from: gateway`:  {HTTP: &loadgen.HTTP{Method: "POST", URL: "https://productpage/x"}},
		`get: "https://10.0.0.1/x", from: gateway, http2: true, tls: {sni: productpage, caCertificates: ca.crt, clientCertificate: client.crt, privateKey: client.key}`: {
			HTTP: &loadgen.HTTP{Method: "GET", URL: "https://10.0.0.1/x", HTTP2: true},
			TLS:  &loadgen.TLS{SNI: "productpage", CACertificates: certificate, ClientCertificate: certificate, PrivateKey: key},
		},
		`get: "https://productpage/x", from: gateway, tls: {insecureSkipVerify: true}`: {HTTP: &loadgen.HTTP{Method: "GET", URL: "https://productpage/x"}, TLS: &loadgen.TLS{InsecureSkipVerify: true}},
		`ws: "ws://productpage:9080/x", lines: [a, b]`:                                 {HTTP: &loadgen.HTTP{Method: "GET", URL: "ws://productpage:9080/x", Messages: []string{"a", "b"}}},
		`ws: "wss://productpage/x", from: gateway, lines: [a], tls: {sni: b}`:          {HTTP: &loadgen.HTTP{Method: "GET", URL: "wss://productpage/x", Messages: []string{"a"}}, TLS: &loadgen.TLS{SNI: "b"}},
	} {
		s, err := parse("t.yaml", called(how), nil, openBeside(folder))
		if err != nil {
			t.Errorf("%s: %v", how, err)
			continue
		}
		got := s.Steps[0].Cohorts[1].Plan
		if diff := cmp.Diff(want, loadgen.Plan{HTTP: got.HTTP, TLS: got.TLS}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", how, diff)
		}
	}
}

// withGateway is the good scenario with a Gateway that has a credential.
func withGateway(how string) string {
	const gateway = "  given:\n    - apiVersion: networking.istio.io/v1\n      kind: Gateway\n      metadata: {name: front}\n      spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 443, name: a, protocol: HTTPS}, hosts: [\"*\"], tls: {mode: SIMPLE, credentialName: shop}}]}\n"
	return strings.Replace(called(how), "  apply:", gateway+"  apply:", 1)
}

func TestACredentialOfAGatewayIsTrusted(t *testing.T) {
	const own = `get: "https://productpage/x", from: gateway, tls: `
	s, err := read(withGateway(own + `{sni: a.example.com, credentialName: shop}`))
	if err != nil {
		t.Fatal(err)
	}
	got := s.Steps[0].Cohorts[1]
	if got.Credential != "shop" || *got.Plan.TLS != (loadgen.TLS{SNI: "a.example.com"}) {
		t.Errorf("it is %+v with %+v", got, got.Plan.TLS)
	}
	for tls, want := range map[string]string{
		`{credentialName: shops}`:                           `no Gateway of the scenario has the credential "shops"; did you mean shop?`,
		`{credentialName: Shop}`:                            `"Shop" is not the name of a secret`,
		`{credentialName: shop, insecureSkipVerify: false}`: "leave insecureSkipVerify out",
		`{credentialName: shop, caCertificates: ca.crt}`:    "leave caCertificates out",
	} {
		if _, err := read(withGateway(own + tls)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", tls, err, want)
		}
	}
}

func TestWhatDoesNotGoTogetherIsRefusedWhereItStands(t *testing.T) {
	certificate, key := pair(t)
	_, another := pair(t)
	folder := inFolder(t, map[string]string{"ca.crt": certificate, "client.crt": certificate, "client.key": key, "other.key": another, "text": "no PEM", "large": strings.Repeat(certificate, 2000)})
	const gateway = `get: "https://productpage/x", from: gateway, `
	for how, want := range map[string]string{
		`get: "https://productpage/x"`:                                           "t.yaml:21:14: a sidecar cannot tell requests that are encrypted",
		`get: "http://productpage/x", tls: {sni: a}`:                             "tls is for https",
		gateway + `tls: {sni: "10.0.0.1"}`:                                       "t.yaml:21:65: tls.sni is \"10.0.0.1\"",
		gateway + `tls: {SNI: a}`:                                                "unknown key \"SNI\"",
		gateway + `tls: {caCertificates: none.crt}`:                              "none.crt\": no such file",
		gateway + `tls: {caCertificates: text}`:                                  "has no certificate in PEM",
		gateway + `tls: {caCertificates: large}`:                                 "large is larger than 256 KiB",
		gateway + `tls: {caCertificates: ca.crt, insecureSkipVerify: true}`:      "leave one out",
		gateway + `tls: {clientCertificate: client.crt}`:                         "of no use without its tls.privateKey",
		gateway + `tls: {privateKey: client.key}`:                                "is of no certificate",
		gateway + `tls: {clientCertificate: client.crt, privateKey: other.key}`:  "no pair in PEM",
		gateway + `tls: {clientCertificate: client.crt, privateKey: client.crt}`: "no pair in PEM",
		gateway + `engine: epoll`:                                                "engine epoll speaks no TLS",
		gateway + `engine: fortio`:                                               "engine fortio is driven without TLS",
		gateway + `http2: maybe`:                                                 "t.yaml:21:66: http2 takes true or false",
		`get: "http://productpage/x", http2: true, engine: epoll`:                "engine epoll speaks no HTTP/2",
		`get: "http://productpage/x", http2: true, engine: fortio`:               "speaks HTTP/1.1 alone",
		`tcp: "productpage:9080", lines: [a], http2: true`:                       "http2 is not for tcp",
		`tcp: "productpage:9080", lines: [a], tls: {sni: a}`:                     "tls is not for tcp",
		`ws: "http://productpage:9080/x", lines: [a]`:                            "write ws://service:port/path",
		`ws: "wss://productpage/x", lines: [a]`:                                  "a sidecar cannot tell",
		`ws: "ws://productpage:9080/x"`:                                          "t.yaml:21:14: a WebSocket has nothing to send; write lines: [hello]",
		`ws: "ws://productpage:9080/x", lines: [a], body: b`:                     "body is not for ws",
		`ws: "ws://productpage:9080/x", lines: [a], as: b`:                       "as is not for ws",
		`ws: "ws://productpage:9080/x", lines: [a], http2: true`:                 "http2 is not for ws",
		`ws: "ws://productpage:9080/x", lines: [a], engine: epoll`:               "engine epoll speaks no WebSocket",
		`ws: "ws://productpage:9080/x", lines: [a], get: "http://productpage/x"`: "a cohort has one of get, post, grpc, tcp, ws and send, not 2",
	} {
		_, err := parse("t.yaml", called(how), nil, openBeside(folder))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "t.yaml:21:") {
			t.Errorf("%s: %v; want %s", how, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "BEGIN") {
			t.Errorf("%s: it quotes a file: %v", how, err)
		}
	}
}

func TestAListIsCalledAsItsLoadSays(t *testing.T) {
	certificate, _ := pair(t)
	folder := inFolder(t, map[string]string{"ca.crt": certificate})
	s, err := parse("t.yaml", called(`send: [{name: a, get: "https://productpage/a"}, {name: b, post: "https://productpage/b", body: c}], from: gateway, http2: true, tls: {caCertificates: ca.crt}`), nil, openBeside(folder))
	if err != nil {
		t.Fatal(err)
	}
	got := s.Steps[0].Cohorts[1].Plan
	want := loadgen.Plan{
		Send: []loadgen.Request{
			{Name: "a", HTTP: loadgen.HTTP{Method: "GET", URL: "https://productpage/a", HTTP2: true}},
			{Name: "b", HTTP: loadgen.HTTP{Method: "POST", URL: "https://productpage/b", Body: "c", HTTP2: true}},
		},
		TLS: &loadgen.TLS{CACertificates: certificate},
	}
	if diff := cmp.Diff(want, loadgen.Plan{Send: got.Send, TLS: got.TLS}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A report has no key, and is judged by what it has.
func TestAReportHasNoPrivateKeyAndNeedsNone(t *testing.T) {
	certificate, key := pair(t)
	folder := inFolder(t, map[string]string{"ca.crt": certificate, "client.key": key})
	s, err := parse("t.yaml", called(`get: "https://productpage/x", from: gateway, tls: {caCertificates: ca.crt, clientCertificate: ca.crt, privateKey: client.key}`), nil, openBeside(folder))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Files) > 0 {
		t.Errorf("it keeps the files %v", s.Files)
	}
	again, err := OfRecord(s.Recorded())
	if err != nil {
		t.Fatal(err)
	}
	if own := again.Steps[0].Cohorts[1].Plan.TLS; own == nil || *own != (loadgen.TLS{}) {
		t.Errorf("of the record it has %+v", own)
	}
	plan := s.HidePlan(s.Steps[0].Cohorts[1].Plan)
	if plan.TLS.PrivateKey != report.Mask || plan.TLS.CACertificates != certificate {
		t.Errorf("a report has %+v", plan.TLS)
	}
}
