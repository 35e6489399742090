package samples

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// grpcClient is a client of a service of the town.
func (town *town) grpcClient(service string) *grpc.ClientConn {
	conn, err := grpc.NewClient("passthrough:///"+service, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry(),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) { return town.dial(ctx, "tcp", address) }))
	if err != nil {
		town.t.Fatal(err)
	}
	town.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// grpcEcho runs echo in one version, and relay.
func grpcEcho(t *testing.T, version string) *town {
	town := newLoopback(t)
	for app, v := range map[string]string{"echo": version, "relay": "v1"} {
		w, err := Lookup(app, v)
		if err != nil {
			t.Fatal(err)
		}
		town.serve(w, nil)
	}
	return town
}

// A StringValue is, as it is sent, what the echo takes and gives.
func said(text string) *wrapperspb.StringValue { return wrapperspb.String(text) }

func TestEchoAnswersWithWhatItIsAskedDirectlyAndThroughRelay(t *testing.T) {
	town := grpcEcho(t, "v2")
	for _, service := range []string{"echo:7070", "relay:7070"} {
		var got wrapperspb.StringValue
		if err := town.grpcClient(service).Invoke(t.Context(), "/proto.EchoTestService/Echo", said("hello"), &got); err != nil {
			t.Fatal(err)
		}
		if want := "ServiceVersion=v2\nHostname=echo-v2-pod\nEcho=hello\n"; got.Value != want {
			t.Errorf("%s answers %q, want %q", service, got.Value, want)
		}
	}
}

func TestAStreamHasTenMessages(t *testing.T) {
	conn := grpcEcho(t, "v1").grpcClient("relay:7070")
	s, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, "/grpc.examples.echo.Echo/ServerStreamingEcho")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SendMsg(said("hello")); err != nil {
		t.Fatal(err)
	}
	if err := s.CloseSend(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		var got wrapperspb.StringValue
		if err := s.RecvMsg(&got); err != nil {
			break
		}
		if !strings.Contains(got.Value, "ServiceVersion=v1\n") {
			t.Errorf("message %d is %q", n, got.Value)
		}
		n++
	}
	if n != 10 {
		t.Errorf("there are %d messages, want 10", n)
	}
}

func TestBothServicesTellTheirHealth(t *testing.T) {
	town := grpcEcho(t, "v1")
	for _, service := range []string{"echo:7070", "relay:7070"} {
		got, err := healthpb.NewHealthClient(town.grpcClient(service)).Check(t.Context(), &healthpb.HealthCheckRequest{})
		if err != nil || got.Status != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("%s: %v, %v", service, got, err)
		}
	}
}

func TestRelayFailsAsEchoDoes(t *testing.T) {
	town := newLoopback(t)
	relay, err := Lookup("relay", "v1")
	if err != nil {
		t.Fatal(err)
	}
	town.serve(relay, nil)
	refusing := workload.Workload{App: "echo", Version: "v1", ServicePort: 7070, GRPC: func(_ workload.Env, to grpc.ServiceRegistrar) func() {
		to.RegisterService(&grpc.ServiceDesc{ServiceName: "proto.EchoTestService", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
			MethodName: "Echo", Handler: func(any, context.Context, func(any) error, grpc.UnaryServerInterceptor) (any, error) {
				return nil, status.Error(codes.ResourceExhausted, "no more")
			},
		}}}, nil)
		return func() {}
	}}
	town.serve(refusing, nil)
	err = town.grpcClient("relay:7070").Invoke(t.Context(), "/proto.EchoTestService/Echo", said("hello"), said(""))
	if s := status.Convert(err); s.Code() != codes.ResourceExhausted || s.Message() != "no more" {
		t.Errorf("it failed with %v", err)
	}
}

// TestRelayLeavesNothingBehind ends it in the middle of a call of its own.
func TestRelayLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	relay, err := Lookup("relay", "v1")
	if err != nil {
		t.Fatal(err)
	}
	hung := newHung()
	defer hung.end()
	l := newLoopback(t).listen()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- relay.Serve(ctx, l, workload.Env{Dial: hung.dial}) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	called := make(chan error, 1)
	go func() {
		called <- conn.Invoke(context.Background(), "/proto.EchoTestService/Echo", said("hello"), said(""))
	}()
	<-hung.called
	began := time.Now()
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v, want nil when its context ends", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("Serve took %s to end", took)
	}
	if err := <-called; status.Code(err) != codes.Unavailable {
		t.Errorf("the call in flight ended with %v", err)
	}
}
