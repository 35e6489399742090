package scenarios_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/report"
)

// What the pool of a service's own sidecar turns away is told from what its
// callers' turn away, as on a cluster, where the same run says the same.
func TestAnOverflowOfTheCalledSidecarIsToldFromItsCallers(t *testing.T) {
	record := run(t, filepath.Join("testdata", "servers-pool.yaml"), 1, honest)
	told := false
	for _, e := range record.Expectations {
		if e.Verdict != report.Pass {
			t.Errorf("%s: %s, observed %s", e.Expression, e.Verdict, e.Observed)
		}
		told = told || strings.HasPrefix(e.Expression, "overflows") && e.Source == "stat upstream_rq_pending_overflow (inbound) at httpbin-v1"
	}
	if !told || !record.Restored {
		t.Errorf("overflows are told: %v; restored: %v", told, record.Restored)
		show(t, record)
	}
}
