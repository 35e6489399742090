// Package proxies measures what many proxies cost: their admin interfaces stand
// in this process, on loopback, and answer what real Envoys answered.
package proxies

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/envoy/envoytest"
	"github.com/meshchaos/meshchaos/internal/evidence"
	"github.com/meshchaos/meshchaos/internal/live"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// sizes are how many proxies there are.
var sizes = []int{10, 100, 1000}

// BenchmarkProxies says what waiting for three rules, and reading what the
// proxies counted, takes for more and more proxies. The last column is the time
// for one proxy, as a ratio to what it takes where there are 10: above 1 it grows
// faster than the proxies do.
func BenchmarkProxies(b *testing.B) {
	for name, do := range map[string]func(*testing.B, []mesh.Proxy){"Wait": wait, "Take": take} {
		var least time.Duration
		for _, size := range sizes {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				proxies, calls := serve(b, size)
				do(b, proxies) // so that the connections are there
				calls.Store(0)
				began := time.Now()
				for b.Loop() {
					do(b, proxies)
				}
				each := time.Since(began) / time.Duration(b.N*size)
				if size == sizes[0] {
					least = each
				}
				b.ReportMetric(float64(calls.Load())/float64(b.N), "calls")
				b.ReportMetric(float64(calls.Load())/float64(b.N*size), "calls/proxy")
				b.ReportMetric(float64(each.Microseconds()), "µs/proxy")
				if least > 0 {
					b.ReportMetric(each.Seconds()/least.Seconds(), "×10's")
				}
			})
		}
	}
}

// serve starts the admin interfaces, reached by one transport that counts calls.
func serve(b *testing.B, size int) ([]mesh.Proxy, *atomic.Int64) {
	transport := &http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: 2}
	b.Cleanup(transport.CloseIdleConnections)
	counted := &counting{RoundTripper: transport}
	var proxies []mesh.Proxy
	for i := range size {
		admin := envoytest.Serve(b, "client", "rules").Admin
		proxies = append(proxies, mesh.Proxy{
			Name: fmt.Sprintf("client-%d", i), App: "client", Version: "v1",
			Admin: &envoy.Admin{Client: &http.Client{Transport: counted}, Base: admin.Base},
		})
	}
	return proxies, &counted.calls
}

type counting struct {
	http.RoundTripper
	calls atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.calls.Add(1)
	return c.RoundTripper.RoundTrip(r)
}

// wait waits for three rules that the proxies run already.
func wait(b *testing.B, proxies []mesh.Proxy) {
	object := func(kind, name string) rules.Ref { return rules.Ref{Kind: kind, Namespace: "shop", Name: name} }
	services := []mesh.Service{{Name: "web", Host: "web.shop.svc.cluster.local", Ports: []mesh.Port{{Number: 8000}}}}
	for _, seen := range live.Wait(b.Context(), proxies, services, []live.Awaited{
		{Mark: "meshchaos-r1", Change: rules.Change{After: &rules.Object{Ref: object(rules.VirtualService, "web"), Spec: &networking.VirtualService{
			Hosts: []string{"web"}, Http: []*networking.HTTPRoute{{Name: "jason.meshchaos-r1"}, {Name: "abort.meshchaos-r1"}, {Name: "meshchaos-r1"}},
		}}}},
		{Change: rules.Change{Before: &rules.Object{Ref: object(rules.DestinationRule, "web"), Spec: &networking.DestinationRule{
			Host: "other", Subsets: []*networking.Subset{{Name: "v9"}},
		}}}},
		{Change: rules.Change{Before: &rules.Object{Ref: object(rules.VirtualService, "other"), Spec: &networking.VirtualService{
			Hosts: []string{"other"}, Http: []*networking.HTTPRoute{{Name: "gone"}},
		}}}},
	}, time.Minute) {
		if seen.Err != nil {
			b.Fatal(seen.Err)
		}
	}
}

// take reads what the proxies counted.
func take(b *testing.B, proxies []mesh.Proxy) {
	if _, err := evidence.Take(context.Background(), proxies); err != nil {
		b.Fatal(err)
	}
}
