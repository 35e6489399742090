package sidecartest

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// Endpoint is a workload of a service for tests: version of app at address.
func Endpoint(app, version, address string) config.Endpoint {
	return config.Endpoint{Address: address, Workload: app + "-" + version, Labels: map[string]string{"app": app, "version": version}}
}

// Service is one in default with one port.
func Service(name string, port int, tcp bool, endpoints ...config.Endpoint) config.Service {
	return config.Service{Name: name, Host: name + ".default.svc.cluster.local", Ports: []config.Port{{Number: port, TCP: tcp, Endpoints: endpoints}}}
}

// Serve is an HTTP server whose address is an endpoint's.
func Serve(t testing.TB, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// Answering answers with a text.
func Answering(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

// Reviews is a service of two versions, each of which answers with its name.
func Reviews(t testing.TB) config.Service {
	return Service("reviews", 9080, false,
		Endpoint("reviews", "v1", Serve(t, Answering("v1"))), Endpoint("reviews", "v2", Serve(t, Answering("v2"))))
}

// Echo answers every line with its prefix and the line.
func Echo(t testing.TB, prefix string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for lines := bufio.NewScanner(c); lines.Scan(); {
					fmt.Fprintf(c, "%s %s\n", prefix, lines.Text())
				}
			}()
		}
	}()
	return l.Addr().String()
}

// TCPEcho is a service whose versions v1 and v2 answer a line with one and two
// before it.
func TCPEcho(t testing.TB) config.Service {
	return Service("tcp-echo", 9000, true, Endpoint("tcp-echo", "v1", Echo(t, "one")), Endpoint("tcp-echo", "v2", Echo(t, "two")))
}
