package sidecar

import (
	"net"
	"net/http"
	"testing"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// served is the workload web-v1 behind a proxy of its own.
type served struct {
	*mesh
	address string // of its endpoint
}

// serve starts the proxy of a workload of a service at an address.
func serve(t testing.TB, ca *CA, workload string, tcp bool, objects ...*rules.Object) served {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	endpoint := sidecartest.Endpoint("web", "v1", l.Addr().String())
	endpoint.MutualTLS = true
	services := []config.Service{sidecartest.Service("web", 8000, tcp, endpoint)}
	options := Options{Name: "web-v1", App: "web", Version: "v1", Namespace: "default", CA: ca, Inbound: l, Workload: workload}
	return served{startMesh(t, options, services, objects...), endpoint.Address}
}

// pair is a caller's proxy and that of the workload that it calls.
type pair struct {
	caller *mesh
	called served
}

func newPair(t testing.TB, handler http.HandlerFunc, objects ...*rules.Object) pair {
	t.Helper()
	return newPairOf(t, sidecartest.Serve(t, handler), false, objects...)
}

func newPairOf(t testing.TB, workload string, tcp bool, objects ...*rules.Object) pair {
	t.Helper()
	ca, err := NewCA()
	if err != nil {
		t.Fatal(err)
	}
	called := serve(t, ca, workload, tcp, objects...)
	return pair{startMesh(t, Options{Name: "client", App: "client", Namespace: "default", CA: ca}, called.services, objects...), called}
}
