//go:build e2e

package e2e_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh/meshtest"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
)

// suffering is a scenario of whose fault others suffer.
const suffering = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: suffering}
spec:
  app: httpbin
  abortWhen: others.share(503) > 5%
  steps:
    - name: fault
      apply:
        - fault: {service: httpbin, abort: 503, percent: 30%}
      load:
        others: {get: "http://httpbin:8000/status/200", connections: 4, duration: 3s, qps: 100}
      expect:
        - 10% < others.share(503) < 90%
`

// The load workload ends its load within a second of the breach, by the clock of its
// own proxy, and the rules are undone.
func TestALoadOfWhichOthersSufferIsEndedOnACluster(t *testing.T) {
	for name, load := range map[string]string{"an open loop": "duration: 3s, qps: 100", "a closed loop": "requests: 2000"} {
		t.Run(name, func(t *testing.T) {
			before := objectsOf(t)
			s := readScenario(t, strings.Replace(suffering, "duration: 3s, qps: 100", load, 1))
			m := openIstio(t.Context(), t, "abort")
			stop := meshtest.Answered(t, m, s.Steps[0].Cohorts)
			var undone time.Time
			var answered []envoy.LogEntry
			record, err := carryOut(t, s, m, runner.Options{ID: "abort",
				Observe: func(e runner.Event) {
					if e.Phase == "undoing" && undone.IsZero() {
						undone = time.Now()
					}
				},
				Close: func() error { // before the pod goes, and what its proxy has not written yet
					answered = stop()
					return nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			w := record.Window(report.During, "fault")
			if record.Verdict != report.Fail || !record.Restored || w == nil || w.Stopped == nil || len(record.Windows) != 2 {
				show(t, record)
				t.Fatal("it was not ended as a failure")
			}
			at, after, last := meshtest.Breach(answered, w)
			if at.IsZero() || last.Sub(at) > time.Second || undone.Sub(at) > 3*time.Second {
				t.Errorf("the proxy saw the breach at %v, the last request %v after it; it was being undone %v after it", at, last.Sub(at), undone.Sub(at))
			}
			t.Logf("%d requests in %v after the breach; undone from %v after it", after, last.Sub(at), undone.Sub(at))
			if after := objectsOf(t); !slices.Equal(before, after) {
				t.Errorf("objects differ from before: %q, then %q", before, after)
			}
		})
	}
}

// The cap is held by the load workload, in the baseline already.
func TestALoadThatExceedsACapIsEndedOnACluster(t *testing.T) {
	s := readScenario(t, strings.Replace(suffering, "duration: 3s, qps: 100", "requests: 100000", 1))
	before := objectsOf(t)
	record, err := carryOut(t, s, openIstio(t.Context(), t, "cap"), runner.Options{ID: "cap", Caps: runner.Caps{QPS: 200}})
	if err != nil {
		t.Fatal(err)
	}
	if record.Verdict != report.Inconclusive || !record.Restored || record.Windows[0].Stopped == nil || record.Windows[0].Stopped.After.Duration > 2*time.Second {
		show(t, record)
		t.Error("it was not ended by the cap")
	}
	if after := objectsOf(t); !slices.Equal(before, after) {
		t.Errorf("objects differ from before: %q, then %q", before, after)
	}
}
