package sidecar

import (
	"crypto/tls"
	"net"
	"net/http"
	"testing"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// Between two proxies there is mutual TLS, and who has no identity of the mesh
// gets nothing through.
func TestProxiesOfOneMeshTrustEachOtherAndNobodyElse(t *testing.T) {
	newCA := func() *CA {
		ca, err := NewCA()
		if err != nil {
			t.Fatal(err)
		}
		return ca
	}
	ca := newCA()
	inbound, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	startMesh(t, Options{Name: "web-v1", App: "web", CA: ca, Inbound: inbound, Workload: sidecartest.Serve(t, sidecartest.Answering("hello"))}, nil)
	host := sidecartest.Endpoint("web", "v1", inbound.Addr().String())
	host.MutualTLS = true
	services := []config.Service{sidecartest.Service("web", 8000, false, host)}
	for name, tt := range map[string]struct {
		ca   *CA
		want int
	}{"the same mesh": {ca, http.StatusOK}, "another mesh": {newCA(), http.StatusServiceUnavailable}} {
		m := startMesh(t, Options{Name: "client", CA: tt.ca}, services)
		if g := m.get("http://web:8000/"); g.Status != tt.want {
			t.Errorf("%s: %d %q", name, g.Status, g.Body)
		}
	}
	c, err := tls.Dial("tcp", inbound.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err == nil {
		// The client of TLS 1.3 learns with its first read that it was refused.
		_, err = c.Read(make([]byte, 1))
		c.Close()
	}
	if err == nil {
		t.Error("a client without a certificate was let in")
	}
}
