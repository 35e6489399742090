// Package workload holds what a sample application says of itself: its
// workloads, and how each of them is served.
//
// A workload knows nothing of proxies: it is given a listener, and a dialer for
// its own calls. The package imports nothing of this module.
package workload

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"google.golang.org/grpc"
)

// Application is a sample application.
type Application struct {
	Name      string // as a scenario's app has it: bookinfo
	Workloads []Workload
}

// Workload is one version of one service of an application. One of HTTP, GRPC and TCP
// says how it is served, and over what.
type Workload struct {
	App         string   // the label app, and the service's name: reviews
	Version     string   // the label version: v2
	Replicas    int      // how many pods it has; 0: one
	ServicePort int      // of the service: 9080, httpbin 8000, tcp-echo 9000
	Port        int      // of the container: 9080, httpbin 8080, tcp-echo 9000
	Path        string   // of HTTP and gRPC, what is worth calling: /details/0
	Page        bool     // Path is for a browser
	Calls       []string // the services that it calls to answer

	// HTTP makes the handler of a service. The calls that it makes end with the
	// context.
	HTTP func(context.Context, Env) http.Handler

	// GRPC registers what a server of gRPC serves, and returns what is done when that
	// has ended. The calls that it makes end with those that it serves.
	GRPC func(Env, grpc.ServiceRegistrar) (end func())

	// TCP serves opaque connections until the context ends, and then returns nil.
	// When it returns, for whatever reason, the listener and all connections are
	// closed.
	TCP func(context.Context, net.Listener) error
}

// Name is the workload's name: reviews-v2.
func (w Workload) Name() string { return w.App + "-" + w.Version }

// Pods returns the names of its pods: its own name if there is one, else with
// -1, -2 and so on.
func (w Workload) Pods() []string {
	if w.Replicas <= 1 {
		return []string{w.Name()}
	}
	var names []string
	for i := range w.Replicas {
		names = append(names, fmt.Sprintf("%s-%d", w.Name(), i+1))
	}
	return names
}

// IsTCP says whether the workload is opaque TCP rather than HTTP.
func (w Workload) IsTCP() bool { return w.TCP != nil }

// IsGRPC says whether the workload is of gRPC, and so of HTTP/2.
func (w Workload) IsGRPC() bool { return w.GRPC != nil }

// Env is what a workload is told of where it runs.
type Env struct {
	PodName string
	Dial    Dial // nil: as the machine resolves names
}

// Dial connects to a service by its short name: ratings:9080.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Serve serves the workload on l until ctx ends, and then cuts what is under way
// and returns nil. When it returns, for whatever reason, l is closed and nothing
// of the workload runs on. The error says why it could not serve.
func (w Workload) Serve(ctx context.Context, l net.Listener, env Env) error {
	if env.Dial == nil {
		env.Dial = new(net.Dialer).DialContext
	}
	var err error
	switch {
	case w.TCP != nil:
		err = w.TCP(ctx, l)
	case w.HTTP != nil:
		err = serveHTTP(ctx, l, func(ctx context.Context) http.Handler { return w.HTTP(ctx, env) })
	case w.GRPC != nil:
		err = serveGRPC(ctx, l, func(to grpc.ServiceRegistrar) func() { return w.GRPC(env, to) })
	default:
		err = errors.Join(errors.New("it says neither HTTP nor gRPC nor TCP"), l.Close())
	}
	if err != nil {
		return fmt.Errorf("serving %s on %s: %w", w.Name(), l.Addr(), err)
	}
	return nil
}
