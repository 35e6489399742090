package sidecar

import (
	"net"
	"strings"
	"testing"
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
	config, err := Compile(Mesh{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	server, err := Start(Options{Name: "web-v1", Namespace: "default", CA: ca, Inbound: inbound, Workload: unused(t)}, config)
	if err != nil {
		t.Fatal(err)
	}
	host := endpoint("web", "v1", inbound.Addr().String())
	host.MutualTLS = true
	config, err = Compile(Mesh{Services: []Service{service("web", 8000, false, host)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err := Start(Options{Name: "client", Namespace: "default", CA: ca}, config)
	if err != nil {
		t.Fatal(err)
	}
	m := &mesh{Sidecar: client, t: t}
	m.client = m.newClient()
	for range 3 {
		if g := m.get("http://web:8000/"); g.status != 503 {
			t.Errorf("got %d", g.status)
		}
	}
	broken := *config
	broken.http = map[int]*routeConfig{8000: {virtualHosts: []*virtualHost{nil}}}
	client.state.Store(&state{config: &broken, clusters: map[string]*cluster{}})
	if g, err := get(m.client, "http://web:8000/"); err == nil {
		t.Errorf("a panic was answered: %v", g)
	}
	if err := server.Close(); err == nil || strings.Count(err.Error(), "reaching its workload") != 1 {
		t.Errorf("the server's proxy: %v", err)
	}
	if err := client.Close(); err == nil || !strings.Contains(err.Error(), "nil pointer") || !strings.Contains(err.Error(), "proxy of client") {
		t.Errorf("the client's proxy: %v", err)
	}
}
