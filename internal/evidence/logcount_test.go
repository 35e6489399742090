package evidence

import (
	"fmt"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

func TestOnlyRequestsOfTheWindowCount(t *testing.T) {
	lines := []envoy.LogEntry{
		entry(-3000),                      // of the warm-up
		entry(-1),                         // the last of it
		entry(0),                          // the first of the load: lines have whole milliseconds
		entry(20),                         //
		entry(-5000, long(7*time.Second)), // given up by the warm-up, and ended late
		entry(60_000),                     // long after
	}
	for name, split := range map[string]int{"all before it is known when the load began": len(lines), "some after it": 2, "all after it": 0} {
		p := newProxyLog(mesh.Proxy{Name: "caller"}, time.Second)
		for _, e := range lines[:split] {
			p.add(e)
		}
		p.begin(loadStart, time.Second)
		for _, e := range lines[split:] {
			p.add(e)
		}
		if n, why := p.began(all); n != 3 || why != nil {
			t.Errorf("%s: %d requests, %v; want 3", name, n, why)
		}
		if n := p.sent(webCluster.String()); n != 5 {
			t.Errorf("%s: %d lines for /clusters; want 5, all but the one that ended long before", name, n)
		}
	}
	p := newProxyLog(mesh.Proxy{Name: "caller"}, time.Second)
	p.begin(time.Time{}, 0)
	if _, why := p.began(all); why == nil {
		t.Error("a load that never began makes evidence")
	}
}

func long(d time.Duration) func(*envoy.LogEntry) { return func(e *envoy.LogEntry) { e.Duration = d } }

// What is kept of many lines is bounded, however many there are.
func TestWhatIsKeptOfALogIsBounded(t *testing.T) {
	p, c := newProxyLog(mesh.Proxy{Name: "caller", Client: true}, time.Second), newCalls()
	p.begin(loadStart, time.Second)
	const requests = 100_000
	for i := range requests {
		e := entry(i/100, func(e *envoy.LogEntry) {
			e.RequestID, e.Upstream = fmt.Sprintf("%08x-0000-4000-8000-000000000000", i), fmt.Sprintf("192.0.2.1:%d", i%100)
			if i%2 == 0 {
				e.Cluster, e.Upstream = "PassthroughCluster", fmt.Sprintf("10.0.%d.%d:443", i>>8&0xff, i&0xff)
			}
		})
		p.add(e)
		c.add(p.proxy, e)
	}
	if n, why := p.began(all); n != requests || why != nil || len(p.kinds) > 51 || len(p.first) > 0 {
		t.Errorf("%d requests, %v, of %d kinds, %d lines", n, why, len(p.kinds), len(p.first))
	}
	if len(c.of) > keptRequests+keptSlow || len(c.recent) > keptRequests {
		t.Errorf("%d requests are kept for explaining", len(c.of))
	}
	for i := range mostKinds + 1 {
		p.add(entry(1, by(fmt.Sprint(i))))
	}
	if _, why := p.began(all); why == nil || len(p.kinds) > mostKinds {
		t.Errorf("%d kinds are kept, %v", len(p.kinds), why)
	}
}

func BenchmarkCountingALine(b *testing.B) {
	p, c := newProxyLog(mesh.Proxy{Name: "caller", Client: true}, time.Second), newCalls()
	p.begin(loadStart, time.Second)
	reader, err := envoy.NewLogReader(envoy.LogFormat{Text: istioFormat})
	if err != nil {
		b.Fatal(err)
	}
	line := []byte(text(entry(5, func(e *envoy.LogEntry) { e.RequestID = "5d28be0f-0000-4000-8000-000000000000" })))
	b.ReportAllocs()
	for b.Loop() {
		e, _, err := reader.Read(line)
		if err != nil {
			b.Fatal(err)
		}
		p.add(e)
		c.add(p.proxy, e)
	}
}
