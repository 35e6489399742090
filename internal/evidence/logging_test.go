package evidence

import (
	"net/http"
	"testing"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

func TestAProxyIsAskedOnceHowItLogs(t *testing.T) {
	proxy, _ := loggingProxy(t, "caller", textLogger("/dev/null", ""))
	asked, really := 0, proxy.Admin.Client.Transport
	proxy.Admin = &envoy.Admin{Base: proxy.Admin.Base, Client: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked++
		return really.RoundTrip(r)
	})}}
	var l Logging
	look := func(want int, why string) {
		t.Helper()
		off, _, err := l.Unlogged(t.Context(), []mesh.Proxy{proxy}, shop)
		if err != nil || len(off) != 1 {
			t.Fatalf("%v, %v", off, err)
		}
		if asked != want {
			t.Errorf("%s: asked %d times, not %d", why, asked, want)
		}
	}
	look(1, "at first")
	look(1, "it is known")
	l.Forget()
	look(2, "its listeners may have changed")
	proxy.Address = "10.244.0.2"
	look(3, "another has its name")
}

// roundTrip is a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
