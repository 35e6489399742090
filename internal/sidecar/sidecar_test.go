package sidecar

import (
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mesh is a proxy under test and what it was given.
type mesh struct {
	*Sidecar
	t        testing.TB
	services []config.Service
	client   *http.Client
}

func startMesh(t testing.TB, options Options, services []config.Service, objects ...*rules.Object) *mesh {
	t.Helper()
	cfg, err := Compile(config.Mesh{Services: services}, objects)
	if err != nil {
		t.Fatal(err)
	}
	if options.Name == "" {
		options.Name, options.App, options.Namespace = "meshchaos-client", "meshchaos-client", "default"
	}
	proxy, err := Start(options, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Errorf("closing the proxy: %v", err)
		}
	})
	m := &mesh{Sidecar: proxy, t: t, services: services}
	m.client = m.newClient()
	return m
}

// newClient is a client with connections of its own.
func (m *mesh) newClient() *http.Client {
	transport := &http.Transport{DialContext: m.Dial}
	m.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

func (m *mesh) push(objects ...*rules.Object) {
	m.t.Helper()
	cfg, err := Compile(config.Mesh{Services: m.services}, objects)
	if err != nil {
		m.t.Fatal(err)
	}
	if err := m.Push(cfg); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mesh) get(url string, headers ...string) sidecartest.Answer {
	m.t.Helper()
	g, err := sidecartest.Get(m.client, url, headers...)
	if err != nil {
		m.t.Fatal(err)
	}
	return g
}

// stat is one stat of the proxy; a stat that is absent fails the test.
func (m *mesh) stat(name string) int64 {
	m.t.Helper()
	for _, s := range m.Stats() {
		if s.Name == name {
			return s.Value
		}
	}
	m.t.Fatalf("there is no stat %q", name)
	return 0
}

// lastFlags are the response flags and details of the last request.
func (m *mesh) lastFlags() string {
	entries := m.lines.all()
	e := entries[len(entries)-1]
	return e.flags + " " + e.details
}
