package embedded

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/samples"
)

func TestEveryCurlLineIsAnswered(t *testing.T) {
	for _, app := range samples.Apps() {
		m := open(t, app, 1)
		services, err := m.Services(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := len(slices.DeleteFunc(services, func(s mesh.Service) bool { return s.Ports[0].TCP }))
		if app == "grpc-echo" {
			want = 0 // they are for grpcurl
		}
		var lines int
		for _, line := range m.Doors() {
			_, arguments, ok := strings.Cut(line, "curl --connect-to ")
			if !ok {
				continue
			}
			lines++
			connect, url, _ := strings.Cut(arguments, " ")
			service, listener, ok := cutPort(connect)
			if !ok || !strings.HasPrefix(url, "http://"+service+"/") {
				t.Fatalf("%s", line)
			}
			if app == "ratings" {
				continue // it may fail, or take 7 s
			}
			if status := callAt(t, listener, url); status != http.StatusOK {
				t.Errorf("%s: answered %d", line, status)
			}
		}
		if lines != want {
			t.Errorf("%s: %d curl lines, want %d", app, lines, want)
		}
	}
}

// cutPort cuts host:port:address after the port.
func cutPort(connect string) (service, address string, ok bool) {
	host, rest, _ := strings.Cut(connect, ":")
	port, address, ok := strings.Cut(rest, ":")
	return net.JoinHostPort(host, port), address, ok
}

// callAt calls a URL with every connection made to address, as curl does with
// --connect-to.
func callAt(t *testing.T, address, url string) int {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
