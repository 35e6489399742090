package evidence

import (
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// BenchmarkLongLog reads ten million lines, with -benchtime 10000000x, as a load of ten
// thousand requests a second has them, and prints how much memory is in use when a tenth
// and when nine tenths were read.
func BenchmarkLongLog(b *testing.B) {
	proxy, log := loggingProxy(b, "caller", textLogger(envoy.Stdout, istioFormat))
	l := new(Logging).Follow(b.Context(), []mesh.Proxy{proxy}, shop, time.Second)
	defer l.Close()
	for i := range b.N {
		e := entry(i / 10)
		e.RequestID = fmt.Sprintf("%08x-0000-4000-8000-000000000000", i)
		if _, err := io.WriteString(log, text(e)); err != nil {
			b.Fatal(err)
		}
		switch i {
		case b.N / 10:
			b.ReportMetric(inUse(), "MB-at-10%")
		case b.N / 10 * 9:
			b.ReportMetric(inUse(), "MB-at-90%")
		}
	}
	l.Begin(loadStart, &Snapshot{})
}

// inUse is how much of the heap is, in MB.
func inUse() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}
