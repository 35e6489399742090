package runner_test

import (
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
)

// slowLogs is a mesh whose access logs may come late, as a cluster's.
type slowLogs struct {
	mesh.Mesh
	ephemeral bool
}

const logDelay = 2 * time.Second

func (m slowLogs) Info() mesh.Info {
	info := m.Mesh.Info()
	info.LogDelay, info.Ephemeral = logDelay, m.ephemeral
	return info
}

// The lines of baseline and recovery, on which nothing but their calls stands,
// are awaited beside the run: the one while rules are applied, the other while
// the mesh is closed.
func TestEveryWindowIsExplainedAndNobodyWaitsForIt(t *testing.T) {
	t.Parallel()
	m, err := embedded.Open(t.Context(), embedded.Options{App: "bookinfo", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	var closed time.Time
	record, err := runner.Run(t.Context(), slowLogs{Mesh: m}, read(t, crowded), runner.Options{
		ID: "test", LiveLimit: 4 * time.Second,
		Close: func() error { closed = time.Now(); return m.Close(t.Context()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if record.Verdict != report.Pass {
		t.Fatalf("verdict %s, problems %q", record.Verdict, record.Problems)
	}
	for _, w := range record.Windows {
		if len(w.Calls) == 0 || w.Calls[0].Why != report.WhySlowest || w.Calls[0].Call == nil {
			t.Errorf("%s: the calls are %+v", w.Words(), w.Calls)
		}
	}
	baseline, during, recovery := record.Windows[0], record.Windows[1], record.Windows[2]
	if pause := during.Started.Sub(baseline.Ended); pause >= logDelay {
		t.Errorf("the load under the rule began %v after the baseline", pause)
	}
	if pause := closed.Sub(recovery.Ended); pause >= logDelay {
		t.Errorf("the mesh was closed %v after the recovery", pause)
	}
}

func TestTheLogsOfAMeshThatGoesAsAWholeAreReadBeforeItDoes(t *testing.T) {
	t.Parallel()
	m, err := embedded.Open(t.Context(), embedded.Options{App: "bookinfo", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	var closed time.Time
	record, err := runner.Run(t.Context(), slowLogs{m, true}, read(t, crowded), runner.Options{
		ID: "test", LiveLimit: 4 * time.Second,
		Close: func() error { closed = time.Now(); return m.Close(t.Context()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	recovery := record.Windows[2]
	if len(recovery.Calls) == 0 || recovery.Calls[0].Call == nil || len(recovery.Calls[0].Call.Calls) == 0 {
		t.Errorf("the calls are %+v", recovery.Calls)
	}
	if pause := closed.Sub(recovery.Ended); pause < logDelay {
		t.Errorf("the mesh was closed %v after the recovery", pause)
	}
}
