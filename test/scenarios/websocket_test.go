package scenarios_test

import (
	"context"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
	"github.com/meshchaos/meshchaos/test/judged"
	"github.com/meshchaos/meshchaos/test/sabotage"
)

var webSockets = filepath.Join("testdata", "websocket.yaml")

// TestWebSocketsPass: what clients saw of them, in all windows, is what both proxies of
// each counted, the called workload's what that has opened.
func TestWebSocketsPass(t *testing.T) {
	s, err := scenarios.Find(webSockets)
	if err != nil {
		t.Fatal(err)
	}
	m, err := embedded.Open(t.Context(), embedded.Options{App: s.App, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	record, err := runner.Run(t.Context(), m, s, runner.Options{ID: "websocket", Seed: 1, Tool: report.Tool{Version: "test"}, LiveLimit: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if record.Verdict != report.Pass || !record.Restored {
		show(t, record)
		t.Fatalf("verdict %s, restored %v", record.Verdict, record.Restored)
	}
	judged.Same(t, record)
	judged.Unchanged(t, record)
	want, got := seenOf(t, record), countedBy(t, m)
	if !maps.Equal(got, want) || len(want) != 4 {
		t.Errorf("the proxies counted %v, the clients %v", got, want)
	}
}

// seenOf is what the clients saw, by what proxies count it as.
func seenOf(t *testing.T, record *report.Record) map[string]uint64 {
	seen := map[string]uint64{}
	for _, w := range record.Windows {
		for cohort, result := range w.Loads {
			for _, o := range result.Outcomes {
				n := uint64(o.Count)
				switch o.Status {
				case 101:
					seen["outbound upstream_rq_101"] += n
					seen["inbound upstream_rq_101"] += n
				case 503:
					seen["outbound aborts_injected"] += n
				default:
					t.Errorf("%s in the %s: %+v", cohort, w.Name, o)
				}
				if cohort == "anna" && w.Name != report.Baseline && w.Name != report.Recovery {
					seen["outbound delays_injected"] += n
				}
			}
		}
	}
	return seen
}

// countedBy is what the proxies of a mesh have counted since they were started.
func countedBy(t *testing.T, m *embedded.Mesh) map[string]uint64 {
	proxies, err := m.Proxies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]uint64{}
	for _, p := range proxies {
		stats, err := p.Admin.Stats(t.Context(), `upstream_rq_101$|aborts_injected$|delays_injected$`)
		if err != nil {
			t.Fatal(err)
		}
		for name, n := range stats {
			direction := "outbound"
			if strings.Contains(name, "inbound") {
				direction = "inbound"
			}
			counted[direction+" "+name[strings.LastIndex(name, ".")+1:]] += n
		}
	}
	maps.DeleteFunc(counted, func(_ string, n uint64) bool { return n == 0 })
	return counted
}

func TestUnderSabotageWebSocketsNeverPass(t *testing.T) {
	for i, s := range sabotage.WebSockets(webSockets) {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			record := run(t, s.Scenario, uint64(i)+1, s.Spoil)
			if record.Verdict == report.Pass || !s.Seen(record) || !record.Restored {
				show(t, record)
				t.Errorf("verdict %s, shown %v, restored %v", record.Verdict, s.Seen(record), record.Restored)
			}
		})
	}
}
