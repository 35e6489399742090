package scenarios_test

import (
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// BenchmarkRun says what a run on the embedded mesh takes beyond the load under
// the rules: starting the mesh, the baseline, writing, waiting until live,
// undoing, proving, the recovery and the closing. The time is in it for which the
// rules hold delayed requests when the load is over, though that is the fault's
// own: some four seconds of delay-jason, whose callers give up after three of
// seven. The last columns are what is no load at all, neither the baseline's nor the
// recovery's, with that time, and the whole as a ratio to the load.
func BenchmarkRun(b *testing.B) {
	for _, name := range scenarios.Names() {
		b.Run(name, func(b *testing.B) {
			var whole, load, windows time.Duration
			for i := range b.N {
				began := time.Now()
				record := run(b, name, uint64(i)+1, honest)
				whole += time.Since(began)
				if record.Verdict != report.Pass {
					b.Fatalf("verdict %s", record.Verdict)
				}
				for _, w := range record.Windows {
					took := w.Ended.Sub(w.Started)
					windows += took
					if w.Name == report.During {
						load += took
					}
				}
			}
			b.ReportMetric(float64((whole-load).Milliseconds())/float64(b.N), "beyond-ms/run")
			b.ReportMetric(float64((whole-windows).Milliseconds())/float64(b.N), "no-load-ms/run")
			b.ReportMetric(whole.Seconds()/load.Seconds(), "×load")
		})
	}
}
