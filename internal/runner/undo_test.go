package runner_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/meshtest"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
)

// away is a mesh that does not answer so many of the deletions that it is asked
// for, and then so many questions after its objects.
type away struct {
	mesh.Mesh
	writes, lists int
	deaf          bool // it carries out none of them; else every second one
}

var errAway = &mesh.UnansweredError{Err: errors.New("too many requests")}

// Write implements mesh.Mesh.
func (a *away) Write(ctx context.Context, c rules.Change) (*rules.Object, error) {
	if c.After != nil || a.writes == 0 {
		return a.Mesh.Write(ctx, c)
	}
	if a.writes--; !a.deaf && a.writes%2 == 0 {
		if _, err := a.Mesh.Write(ctx, c); err != nil {
			return nil, err
		}
	}
	return nil, errAway
}

// Objects implements mesh.Mesh.
func (a *away) Objects(ctx context.Context) ([]*rules.Object, error) {
	if a.writes > 0 || a.lists == 0 {
		return a.Mesh.Objects(ctx)
	}
	a.lists--
	return nil, errAway
}

const twoRoutes = `
apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: s}
spec:
  app: bookinfo
  apply:
    - route: {service: reviews, to: v2}
    - fault: {service: details, abort: 500}
  load:
    client: {get: "http://details:9080/details/0", connections: 1, requests: 5}
    readers: {get: "http://reviews:9080/reviews/0", connections: 1, requests: 5}
  expect:
    - client.status[500] == client.sent
    - readers.status[200] == readers.sent
`

func TestAMeshThatIsAwayForAMomentIsStillPutBack(t *testing.T) {
	for name, m := range map[string]*away{
		"writes":           {writes: 5},
		"writes and lists": {writes: 6, lists: 3},
	} {
		t.Run(name, func(t *testing.T) {
			m.Mesh = open(t)
			compare := meshtest.Remember(t, m.Mesh)
			record := run(t.Context(), t, m, twoRoutes, nil)
			compare()
			if !record.Restored || m.writes > 0 || m.lists > 0 {
				t.Errorf("restored %v, %d writes and %d lists to go: %q", record.Restored, m.writes, m.lists, record.Problems)
			}
			for _, c := range record.Changes {
				if !c.Restored {
					t.Errorf("the record of %s says %s", c.Object, c.Proof)
				}
			}
		})
	}
}

func TestAnInterruptEndsTheAskingOfAMeshThatStaysAway(t *testing.T) {
	m := &away{Mesh: open(t), deaf: true}
	ctx, interrupt := context.WithCancel(t.Context())
	began := time.Now()
	record, err := runner.Run(ctx, m, read(t, twoRoutes), runner.Options{ID: "test", LiveLimit: time.Minute, Observe: func(e runner.Event) {
		if e.Phase == "load under the rule" {
			m.writes = 1 << 30
			interrupt()
			began = time.Now()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
	if record.Restored || record.Verdict == report.Pass {
		t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
	}
}
