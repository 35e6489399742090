package runner_test

import (
	"context"
	"io"
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
	late      time.Duration // how much each piece of them does
}

const logDelay = 6 * time.Second

func (m slowLogs) Info() mesh.Info {
	info := m.Mesh.Info()
	info.LogDelay, info.Ephemeral = logDelay, m.ephemeral
	return info
}

// Proxies implements mesh.Mesh.
func (m slowLogs) Proxies(ctx context.Context) ([]mesh.Proxy, error) {
	proxies, err := m.Mesh.Proxies(ctx)
	for i := range proxies {
		follow := proxies[i].Log
		proxies[i].Log = func(ctx context.Context, since time.Time) (io.ReadCloser, error) {
			log, err := follow(ctx, since)
			return lateLog{log, m.late}, err
		}
	}
	return proxies, err
}

type lateLog struct {
	io.ReadCloser
	late time.Duration
}

// Read implements io.Reader.
func (l lateLog) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	<-time.After(l.late)
	return n, err
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
		t.Fatalf("verdict %s, problems %q", record.Verdict, record.Against())
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
	const late = time.Second
	m, err := embedded.Open(t.Context(), embedded.Options{App: "bookinfo", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	var closed time.Time
	record, err := runner.Run(t.Context(), slowLogs{m, true, late}, read(t, crowded), runner.Options{
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
	if pause := closed.Sub(recovery.Ended); pause < late {
		t.Errorf("the mesh was closed %v after the recovery", pause)
	}
}

// twice has one rule in force under two loads.
const twice = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: twice}
spec:
  app: httpbin
  steps:
    - name: ten
      apply:
        - fault: {service: httpbin, abort: 503}
      load:
        client: {get: "http://httpbin:8000/get", requests: 10}
      expect: [faults(httpbin) == 10, "client.status[503] == client.sent"]
    - name: twenty
      load:
        client: {get: "http://httpbin:8000/get", requests: 20}
      expect: [faults(httpbin) == 20, "client.status[503] == client.sent"]
`

// The lines of a load are still awaited when the next one begins, and those of that
// one come to the same readers.
func TestLateLinesCountForTheirOwnLoad(t *testing.T) {
	t.Parallel()
	m, err := embedded.Open(t.Context(), embedded.Options{App: "httpbin", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	record, err := runner.Run(t.Context(), slowLogs{Mesh: m, late: time.Second / 2}, read(t, twice), runner.Options{
		ID: "test", LiveLimit: 4 * time.Second, Close: func() error { return m.Close(t.Context()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if record.Verdict != report.Pass {
		t.Errorf("verdict %s, problems %q", record.Verdict, record.Against())
	}
	for at, want := range map[int]int64{1: 10, 2: 20} {
		w := record.Windows[at]
		for _, bite := range w.Bites {
			if bite.Count == nil || *bite.Count != want {
				t.Errorf("%s: by %s the %s bit other than %d times", w.Words(), bite.Source, bite.Kind, want)
			}
		}
		if pause := record.Windows[at+1].Started.Sub(w.Ended); pause >= logDelay {
			t.Errorf("%s: the next began %v after it", w.Words(), pause)
		}
	}
}
