package workload

import (
	"context"
	"errors"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

// serveGRPC serves until ctx ends, with the health of the server and its reflection beside
// what it is for. It cuts calls off rather than drain them, and returns when the last of
// them has ended.
func serveGRPC(ctx context.Context, l net.Listener, register func(grpc.ServiceRegistrar) (end func())) error {
	server := grpc.NewServer(grpc.WaitForHandlers(true))
	end := register(server)
	defer end()
	healthpb.RegisterHealthServer(server, health.NewServer())
	reflection.Register(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		server.Stop()
		return err
	case <-ctx.Done():
		server.Stop()
		if err := <-served; !errors.Is(err, grpc.ErrServerStopped) { // where ctx had ended before it began to serve
			return err
		}
		return nil
	}
}
