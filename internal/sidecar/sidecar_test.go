package sidecar

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// spec decodes the spec of an object, in JSON.
func spec[T proto.Message](t testing.TB, into T, text string) T {
	t.Helper()
	if err := protojson.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("decoding %s: %v", text, err)
	}
	return into
}

func virtualServiceOf(t testing.TB, name, text string) *rules.Object {
	return &rules.Object{Ref: rules.Ref{Kind: rules.VirtualService, Namespace: "default", Name: name}, Spec: spec(t, &networking.VirtualService{}, text)}
}

func destinationRuleOf(t testing.TB, name, text string) *rules.Object {
	return &rules.Object{Ref: rules.Ref{Kind: rules.DestinationRule, Namespace: "default", Name: name}, Spec: spec(t, &networking.DestinationRule{}, text)}
}

func gatewayOf(t testing.TB, name, text string) *rules.Object {
	return &rules.Object{Ref: rules.Ref{Kind: rules.Gateway, Namespace: "default", Name: name}, Spec: spec(t, &networking.Gateway{}, text)}
}

// subsets is a DestinationRule with the subsets v1 and v2.
func subsets(t testing.TB, service string) *rules.Object {
	return destinationRuleOf(t, service, `{"host": "`+service+`", "subsets": [
		{"name": "v1", "labels": {"version": "v1"}}, {"name": "v2", "labels": {"version": "v2"}}]}`)
}

// endpoint is a workload of a service for tests: version of app at address.
func endpoint(app, version, address string) Endpoint {
	return Endpoint{Address: address, Workload: app + "-" + version, Labels: map[string]string{"app": app, "version": version}}
}

func service(name string, port int, tcp bool, endpoints ...Endpoint) Service {
	return Service{Name: name, Host: name + ".default.svc.cluster.local", Ports: []Port{{Number: port, TCP: tcp, Endpoints: endpoints}}}
}

// serve is an HTTP server whose address is an endpoint's.
func serve(t testing.TB, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// answering answers with a text.
func answering(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

// mesh is a proxy under test and what it was given.
type mesh struct {
	*Sidecar
	t        testing.TB
	services []Service
	client   *http.Client
}

func startMesh(t testing.TB, options Options, services []Service, objects ...*rules.Object) *mesh {
	t.Helper()
	config, err := Compile(Mesh{Services: services}, objects)
	if err != nil {
		t.Fatal(err)
	}
	if options.Name == "" {
		options.Name, options.App, options.Namespace = "meshchaos-client", "meshchaos-client", "default"
	}
	proxy, err := Start(options, config)
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
	config, err := Compile(Mesh{Services: m.services}, objects)
	if err != nil {
		m.t.Fatal(err)
	}
	if err := m.Push(config); err != nil {
		m.t.Fatal(err)
	}
}

// got is an answer read whole.
type got struct {
	status int
	header http.Header
	body   string
	took   time.Duration
}

func (m *mesh) get(url string, headers ...string) got {
	m.t.Helper()
	g, err := get(m.client, url, headers...)
	if err != nil {
		m.t.Fatal(err)
	}
	return g
}

// get sends headers given as name, value, name, value.
func get(client *http.Client, url string, headers ...string) (got, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return got{}, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	req.Host = req.Header.Get("Host") // Empty: the URL's.
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return got{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return got{resp.StatusCode, resp.Header, string(body), time.Since(began)}, err
}

// stat reads one stat from the admin interface; a stat that is absent fails
// the test.
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
	resp, err := http.Get("http://" + m.AdminAddress() + path)
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

// lastFlags are the response flags and details of the last request.
func (m *mesh) lastFlags() string {
	entries := m.log.all()
	e := entries[len(entries)-1]
	return e.flags + " " + e.details
}

// unused is an address on which nothing listens.
func unused(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// until polls a condition of the outside world.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("after 10 s it is not so that %s", what)
		}
	}
}

func clusterStat(cluster, name string) string {
	return "cluster." + cluster + ".default.svc.cluster.local;." + name
}

func joined(headers http.Header, name string) string { return strings.Join(headers.Values(name), ",") }
