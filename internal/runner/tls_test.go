package runner_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/credential"
	"github.com/meshchaos/meshchaos/internal/verdict"
)

// strangers trust, and show, a certificate that the gateway has nothing to do with.
const strangers = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: strangers}
spec:
  app: httpbin
  given:
    - apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: {name: outside}
      spec:
        selector: {istio: ingressgateway}
        servers:
          - port: {number: 443, name: https, protocol: HTTPS}
            hosts: [httpbin.example.com]
            tls: {mode: SIMPLE, credentialName: outside}
    - apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: outside}
      spec:
        hosts: [httpbin.example.com]
        gateways: [outside]
        http: [{route: [{destination: {host: httpbin, port: {number: 8000}}}]}]
  apply:
    - fault: {service: httpbin, gateways: [outside], abort: 503}
  load:
    friends: {get: "https://httpbin.example.com/get", from: gateway, tls: {credentialName: outside}, requests: 10}
    strangers: {get: "https://httpbin.example.com/get", from: gateway, tls: {caCertificates: own.crt, clientCertificate: own.crt, privateKey: own.key}, requests: 10}
  expect:
    - friends.status[503] == friends.sent
    - strangers.errors == strangers.sent
    - baseline.strangers.errors == baseline.strangers.sent
    - recovery.strangers.errors == recovery.strangers.sent
`

// ofNobody writes a certificate that the mesh knows nothing of, and its key.
func ofNobody(t *testing.T, folder string) {
	t.Helper()
	c, err := credential.New([]string{"httpbin.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"own.crt": c.ClientIdentity, "own.key": c.ClientKey} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A record has the certificates of files, and is judged again without those: by what it has
// itself.
func TestALoadThatTrustsAFileIsJudgedAgain(t *testing.T) {
	folder := t.TempDir()
	ofNobody(t, folder)
	path := filepath.Join(folder, "strangers.yaml")
	if err := os.WriteFile(path, []byte(strangers), 0o600); err != nil {
		t.Fatal(err)
	}
	record, again := passed(t, path)

	asked := record.Asked[1].Plan.TLS
	certificate := asked.CACertificates
	asked.CACertificates = ""
	if err := verdict.Unchanged(record, again); err == nil || !strings.Contains(err.Error(), "caCertificates") {
		t.Errorf("without whom the load trusted: %v", err)
	}
	asked.CACertificates, asked.InsecureSkipVerify = certificate, true
	if err := verdict.Unchanged(record, again); err == nil {
		t.Error("a load that trusts everybody is taken for one that does not")
	}
	asked.InsecureSkipVerify, record.Asked[0].Plan.TLS.CACertificates = false, certificate
	if err := verdict.Unchanged(record, again); err == nil {
		t.Error("a load that trusts the run's secret is taken for one that trusts a file")
	}
}
