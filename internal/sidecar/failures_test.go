package sidecar

import (
	"net"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// What fails in a proxy itself is said by Close, once each.
func TestCloseSaysWhatFailedInTheProxy(t *testing.T) {
	ca, err := NewCA()
	if err != nil {
		t.Fatal(err)
	}
	inbound, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := sidecartest.Endpoint("web", "v1", inbound.Addr().String())
	host.MutualTLS = true
	cfg, err := Compile(config.Mesh{Services: []config.Service{sidecartest.Service("web", 8000, false, host)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	server, err := Start(Options{Name: "web-v1", Namespace: "default", CA: ca, Inbound: inbound, Workload: sidecartest.Unused}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	client, err := Start(Options{Name: "client", Namespace: "default", CA: ca}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	m := &mesh{Sidecar: client, t: t}
	m.client = m.newClient()
	for range 3 {
		if g := m.get("http://web:8000/"); g.Status != 503 {
			t.Errorf("got %d", g.Status)
		}
	}
	broken := *cfg
	broken.HTTP = map[int]*config.RouteTable{8000: {VirtualHosts: []*config.VirtualHost{nil}}}
	client.state.Store(&state{config: &broken, clusters: map[string]*cluster{}})
	if g, err := sidecartest.Get(m.client, "http://web:8000/"); err == nil {
		t.Errorf("a panic was answered: %v", g)
	}
	if err := server.Close(); err == nil || strings.Count(err.Error(), "reaching its workload") != 1 {
		t.Errorf("the server's proxy: %v", err)
	}
	if err := client.Close(); err == nil || !strings.Contains(err.Error(), "nil pointer") || !strings.Contains(err.Error(), "proxy of client") {
		t.Errorf("the client's proxy: %v", err)
	}
}
