package sidecar

import (
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// BenchmarkHop says what a proxy adds to a call, one after the other on one
// connection, without rules and with an entry whose filters all have something
// to do but never do it, and what the caller's and the called workload's add
// together. The last columns are the time and the allocations above
// those of a direct call.
func BenchmarkHop(b *testing.B) {
	services := web(b, sidecartest.Answering("hello"))
	var direct, least float64
	b.Run("direct", func(b *testing.B) {
		var transport http.Transport
		defer transport.CloseIdleConnections()
		direct, least = hop(b, &http.Client{Transport: &transport}, "http://"+services[0].Ports[0].Endpoints[0].Address)
	})
	endpoint := services[0].Ports[0].Endpoints[0].Address
	envoy := envoyOf()
	for _, tt := range []struct {
		name                     string
		objects                  []*rules.Object
		routes, filters, timeout string // Envoy's
	}{
		{"plain", nil, "", "", "0s"},
		{"rules", []*rules.Object{sidecartest.VirtualService(b, "web", `{"hosts":["web"],"http":[
			{"match":[{"headers":{"end-user":{"exact":"jason"}}}],"route":[{"destination":{"host":"web"}}]},
			{"timeout":"10s","fault":{"delay":{"fixedDelay":"1s","percentage":{"value":0}},"abort":{"httpStatus":500,"percentage":{"value":0}}},
			 "route":[{"destination":{"host":"web"}}]}]}`)}, envoyMatch, envoyFault, "10s"},
	} {
		var theirs float64
		b.Run(tt.name+"/envoy", func(b *testing.B) {
			if envoy == "" {
				b.Skip("there is no Envoy to compare with; test/cluster/cluster build fetches one")
			}
			var transport http.Transport
			defer transport.CloseIdleConnections()
			each, _ := hop(b, &http.Client{Transport: &transport}, "http://"+startEnvoy(b, envoy, endpoint, tt.routes, tt.filters, tt.timeout))
			theirs = each - direct
			b.ReportMetric(theirs, "µs-added")
		})
		b.Run(tt.name+"/embedded", func(b *testing.B) {
			m := startMesh(b, Options{}, services, tt.objects...)
			each, allocs := hop(b, m.client, "http://web:8000")
			b.ReportMetric(each-direct, "µs-added")
			b.ReportMetric(allocs-least, "allocs-added")
			if theirs > 0 {
				b.ReportMetric((each-direct)/theirs, "×envoy's")
			}
		})
	}
}

// hop calls url again and again, and returns the microseconds and allocations of
// a call.
func hop(b *testing.B, client *http.Client, url string) (each, allocs float64) {
	call := func() {
		resp, err := client.Get(url)
		if err != nil {
			b.Fatal(err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status, err)
		}
	}
	call() // so that the connections are there
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	for b.Loop() {
		call()
	}
	each = float64(time.Since(began).Nanoseconds()) / 1e3 / float64(b.N)
	runtime.ReadMemStats(&after)
	return each, float64(after.Mallocs-before.Mallocs) / float64(b.N)
}
