package workload

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// readHeaderTimeout ends connections that send no request, as Slowloris does.
const readHeaderTimeout = 30 * time.Second

// serveHTTP serves until ctx ends. It closes connections rather than drain them,
// and returns when the last of them has ended, its handler included.
//
// The handlers' own context ends only after the connections are closed: a service
// whose calls are cut short must not answer as if the other had failed.
func serveHTTP(ctx context.Context, l net.Listener, handler func(context.Context) http.Handler) error {
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var open sync.WaitGroup
	serves := handler(working)
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			open.Add(1) // Its connection may be its own before it ends.
			defer open.Done()
			serves.ServeHTTP(w, r)
		}),
		BaseContext:       func(net.Listener) context.Context { return working },
		ReadHeaderTimeout: readHeaderTimeout,
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				open.Add(1)
			case http.StateClosed, http.StateHijacked:
				open.Done()
			}
		},
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()

	var failed error
	select {
	case failed = <-served:
	case <-ctx.Done():
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			failed = err
		}
	}
	// Once more, for the connection that was accepted while the others were closed.
	_ = server.Close()
	stop()
	open.Wait()
	return failed
}
