package samples

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/meshchaos/meshchaos/internal/samples/bookinfo"
	"github.com/meshchaos/meshchaos/internal/samples/httpbin"
	"github.com/meshchaos/meshchaos/internal/samples/tcpecho"
)

// readHeaderTimeout ends connections that send no request, as Slowloris does.
const readHeaderTimeout = 30 * time.Second

// Serve serves the workload on l until ctx ends, and then cuts what is under way
// and returns nil. When it returns, for whatever reason, l is closed and nothing
// of the workload runs on. The error says why it could not serve.
func (w Workload) Serve(ctx context.Context, l net.Listener, env Env) error {
	if _, err := Lookup(w.App, w.Version); err != nil {
		_ = l.Close()
		return fmt.Errorf("serving on %s: %w", l.Addr(), err)
	}
	if env.Dial == nil {
		env.Dial = new(net.Dialer).DialContext
	}
	var err error
	if w.App == "tcp-echo" {
		err = tcpecho.Serve(ctx, l, echoPrefix(w.Version))
	} else {
		err = serveHTTP(ctx, l, func(ctx context.Context) http.Handler { return w.handler(ctx, env) })
	}
	if err != nil {
		return fmt.Errorf("serving %s on %s: %w", w.Name(), l.Addr(), err)
	}
	return nil
}

// handler returns the workload's HTTP service, whose own calls end with ctx.
func (w Workload) handler(ctx context.Context, env Env) http.Handler {
	switch w.App {
	case "productpage":
		return bookinfo.Productpage(ctx, env.Dial)
	case "details":
		return bookinfo.Details()
	case "ratings":
		return bookinfo.Ratings()
	case "reviews":
		return bookinfo.Reviews(ctx, reviewsStars(w.Version), env.PodName, env.Dial)
	}
	return httpbin.Handler()
}

func reviewsStars(version string) bookinfo.Stars {
	switch version {
	case "v2":
		return bookinfo.BlackStars
	case "v3":
		return bookinfo.RedStars
	}
	return bookinfo.NoStars
}

func echoPrefix(version string) string {
	if version == "v2" {
		return "two"
	}
	return "one"
}

// serveHTTP serves until ctx ends. It closes connections rather than drain them,
// and returns when the last of them has ended, its handler included.
//
// The handlers' own context ends only after the connections are closed: a service
// whose calls are cut short must not answer as if the other had failed.
func serveHTTP(ctx context.Context, l net.Listener, handler func(context.Context) http.Handler) error {
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var open sync.WaitGroup
	server := &http.Server{
		Handler:           handler(working),
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
