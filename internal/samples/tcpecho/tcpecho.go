// Package tcpecho answers each line with a word before it, as Istio's tcp-echo
// sample does: which word tells which version was reached.
//
// The package imports of this module only what a workload is.
package tcpecho

import (
	"bufio"
	"context"
	"net"
	"sync"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// maxLine is the longest line, in bytes. A longer one ends its connection.
const maxLine = 64 << 10

// Application is tcp-echo.
func Application() workload.Application {
	answering := func(version, word string) workload.Workload {
		return workload.Workload{App: "tcp-echo", Version: version, ServicePort: 9000, Port: 9000, TCP: func(ctx context.Context, l net.Listener) error {
			return serve(ctx, l, word)
		}}
	}
	return workload.Application{Name: "tcp-echo", Workloads: []workload.Workload{answering("v1", "one"), answering("v2", "two")}}
}

// serve answers on l until ctx ends, and then returns nil. When it returns, for
// whatever reason, l and all its connections are closed.
func serve(ctx context.Context, l net.Listener, prefix string) error {
	ctx, cancel := context.WithCancel(ctx)
	var open sync.WaitGroup
	defer open.Wait()
	defer cancel()
	open.Go(func() {
		<-ctx.Done()
		_ = l.Close()
	})
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return nil
		}
		if err != nil {
			return err
		}
		open.Go(func() { echo(ctx, conn, prefix) })
	}
}

// echo answers the lines of one connection. The end of the connection, or of
// ctx, within a line drops that line.
func echo(ctx context.Context, conn net.Conn, prefix string) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer func() { _ = conn.Close() }()
	lines := bufio.NewReaderSize(conn, maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return
		}
		if _, err := conn.Write(append([]byte(prefix+" "), line...)); err != nil {
			return
		}
	}
}
