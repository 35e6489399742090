package embedded

import (
	"context"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// TestGRPCEchoAnswersThroughItsProxies: the client's, relay's both ways, and echo's.
func TestGRPCEchoAnswersThroughItsProxies(t *testing.T) {
	m, err := Open(t.Context(), Options{App: "grpc-echo"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	conn, err := grpc.NewClient("passthrough:///relay:7070", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry(),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return m.client().Dial(ctx, "tcp", address)
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var got wrapperspb.StringValue // As it is sent, what the echo takes and gives.
	if err := conn.Invoke(t.Context(), "/proto.EchoTestService/Echo", wrapperspb.String("hello"), &got); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(got.Value, "\nEcho=hello\n") {
		t.Errorf("the answer is %q", got.Value)
	}
}
