package admin

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mesh is a proxy with its admin interface, which is under test.
type mesh struct {
	*sidecar.Sidecar
	admin    *Server
	t        testing.TB
	services []config.Service
	client   *http.Client
}

func startMesh(t testing.TB, options sidecar.Options, services []config.Service, objects ...*rules.Object) *mesh {
	t.Helper()
	m := &mesh{t: t, services: services}
	if options.Name == "" {
		options.Name, options.App, options.Namespace = "meshchaos-client", "meshchaos-client", "default"
	}
	var err error
	if m.Sidecar, err = sidecar.Start(options, m.compile(objects)); err != nil {
		t.Fatal(err)
	}
	if m.admin, err = Serve(m.Sidecar); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.admin.Close()
		if err := m.Close(); err != nil {
			t.Errorf("closing the proxy: %v", err)
		}
	})
	transport := &http.Transport{DialContext: m.Dial}
	t.Cleanup(transport.CloseIdleConnections)
	m.client = &http.Client{Transport: transport, Timeout: 30 * time.Second}
	return m
}

func (m *mesh) compile(objects []*rules.Object) *config.Config {
	m.t.Helper()
	cfg, err := sidecar.Compile(config.Mesh{Services: m.services}, objects)
	if err != nil {
		m.t.Fatal(err)
	}
	return cfg
}

func (m *mesh) push(objects ...*rules.Object) {
	m.t.Helper()
	if err := m.Push(m.compile(objects)); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mesh) get(url string, headers ...string) {
	m.t.Helper()
	if _, err := sidecartest.Get(m.client, url, headers...); err != nil {
		m.t.Fatal(err)
	}
}

// stat reads one stat; a stat that is absent fails the test.
func (m *mesh) stat(name string) int64 {
	m.t.Helper()
	var answer struct {
		Stats []struct {
			Name  string `json:"name"`
			Value int64  `json:"value"`
		} `json:"stats"`
	}
	if err := json.Unmarshal([]byte(m.adminGet("/stats?format=json")), &answer); err != nil {
		m.t.Fatal(err)
	}
	for _, s := range answer.Stats {
		if s.Name == name {
			return s.Value
		}
	}
	m.t.Fatalf("there is no stat %q", name)
	return 0
}

func (m *mesh) adminGet(path string) string {
	m.t.Helper()
	resp, err := http.Get("http://" + m.admin.Address() + path)
	if err != nil {
		m.t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		m.t.Fatalf("%s: %s %s %v", path, resp.Status, body, err)
	}
	return string(body)
}
