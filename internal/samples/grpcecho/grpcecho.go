// Package grpcecho answers calls of gRPC with what it is asked, as the echo application
// of Istio's own tests does, and relays them: which version answered, and in which pod,
// stands in the answer.
//
// The package imports of this module only what a workload is.
package grpcecho

import (
	"context"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// The port of the service, and of the container, as in Istio's sample of gRPC.
const (
	servicePort   = 7070
	containerPort = 17070
)

// Application is grpc-echo: echo answers, relay asks echo.
func Application() workload.Application {
	made := func(app, version string, calls []string, answering func(workload.Env) (answerer, func())) workload.Workload {
		return workload.Workload{
			App: app, Version: version, ServicePort: servicePort, Port: containerPort, Path: "/" + methodEcho, Calls: calls,
			GRPC: func(env workload.Env, to grpc.ServiceRegistrar) func() {
				answer, end := answering(env)
				register(to, answer)
				return end
			},
		}
	}
	return workload.Application{Name: "grpc-echo", Workloads: []workload.Workload{
		made("echo", "v1", nil, echoing("v1")),
		made("echo", "v2", nil, echoing("v2")),
		made("relay", "v1", []string{"echo"}, relaying),
	}}
}

// answerer answers a message that came with a call.
type answerer func(ctx context.Context, message string) (string, error)

// echoing answers as Istio's application does, which says more of itself.
func echoing(version string) func(workload.Env) (answerer, func()) {
	return func(env workload.Env) (answerer, func()) {
		return func(_ context.Context, message string) (string, error) {
			return fmt.Sprintf("ServiceVersion=%s\nHostname=%s\nEcho=%s\n", version, env.PodName, message), nil
		}, func() {}
	}
}

// passedOn is what of a call's headers goes on with the call that it leads to.
var passedOn = []string{"x-request-id", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags", "traceparent", "tracestate"}

// relaying asks echo, once: what comes of that is the answer.
func relaying(env workload.Env) (answerer, func()) {
	conn, err := grpc.NewClient(fmt.Sprintf("passthrough:///echo:%d", servicePort),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(), grpc.WithNoProxy(),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) { return env.Dial(ctx, "tcp", address) }))
	if err != nil {
		return func(context.Context, string) (string, error) {
			return "", status.Errorf(codes.Internal, "calling echo: %v", err)
		}, func() {}
	}
	return func(ctx context.Context, message string) (string, error) {
		in, _ := metadata.FromIncomingContext(ctx)
		for _, name := range passedOn {
			for _, value := range in[name] {
				ctx = metadata.AppendToOutgoingContext(ctx, name, value)
			}
		}
		answer := newMessage(responseType, "")
		if err := conn.Invoke(ctx, "/"+methodEcho, newMessage(requestType, message), answer); err != nil {
			return "", err
		}
		return messageOf(answer), nil
	}, func() { _ = conn.Close() } // Which fails only if it was closed before.
}
