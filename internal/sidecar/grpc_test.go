package sidecar

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// health answers Check as a test has it, and Watch with an answer each time until that
// fails, or says io.EOF.
type health struct {
	healthpb.UnimplementedHealthServer
	check func(service string) error
}

func (h health) Check(_ context.Context, r *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	if err := h.check(r.Service); err != nil {
		return nil, err
	}
	return &healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_SERVING}, nil
}

func (h health) Watch(r *healthpb.HealthCheckRequest, s healthpb.Health_WatchServer) error {
	for {
		if err := h.check(r.Service); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := s.Send(&healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_SERVING}); err != nil {
			return err
		}
	}
}

// serveGRPC is a server of gRPC whose address is a workload's.
func serveGRPC(t testing.TB, check func(service string) error) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	healthpb.RegisterHealthServer(s, health{check: check})
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-served; err != nil {
			t.Errorf("serving gRPC: %v", err)
		}
	})
	return l.Addr().String()
}

// grpcService is web, whose port is named grpc.
func grpcService(endpoints ...config.Endpoint) config.Service {
	s := sidecartest.Service("web", 7070, false, endpoints...)
	s.Ports[0].HTTP2 = true
	return s
}

// newGRPCPair is a caller's proxy and that of a workload of gRPC.
func newGRPCPair(t testing.TB, check func(service string) error, objects ...*rules.Object) pair {
	t.Helper()
	ca, err := NewCA()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	endpoint := sidecartest.Endpoint("web", "v1", l.Addr().String())
	endpoint.MutualTLS = true
	services := []config.Service{grpcService(endpoint)}
	options := Options{Name: "web-v1", App: "web", Version: "v1", Namespace: "default", CA: ca, Inbound: l, Workload: serveGRPC(t, check)}
	called := served{startMesh(t, options, services, objects...), endpoint.Address}
	return pair{startMesh(t, Options{Name: "client", App: "client", Namespace: "default", CA: ca}, services, objects...), called}
}

// health is a client through the proxy, on a connection of its own.
func (m *mesh) health(t testing.TB) healthpb.HealthClient {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///web:7070", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry(),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) { return m.Dial(ctx, "tcp", address) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return healthpb.NewHealthClient(conn)
}

func fine(string) error { return nil }

// call calls Check and returns the code and the message of its end. A deadline of its
// context would be told to the proxies, so it has none.
func codeOf(ctx context.Context, c healthpb.HealthClient, service string) string {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer time.AfterFunc(30*time.Second, cancel).Stop()
	_, err := c.Check(ctx, &healthpb.HealthCheckRequest{Service: service})
	s := status.Convert(err)
	if s.Code() == codes.OK {
		return "OK"
	}
	return s.Code().String() + ": " + s.Message()
}

func TestACallOfGRPCPassesBothProxies(t *testing.T) {
	p := newGRPCPair(t, func(service string) error {
		if service == "none" {
			return status.Error(codes.NotFound, "no such service: 100 % sure")
		}
		return nil
	})
	c := p.caller.health(t)
	for service, want := range map[string]string{"": "OK", "none": "NotFound: no such service: 100 % sure"} {
		if got := codeOf(t.Context(), c, service); got != want {
			t.Errorf("calling %q ended with %q, want %q", service, got, want)
		}
	}
}
