package runner_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/meshtest"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
)

// alongside is a mesh of which runs of other namespaces hold something too.
type alongside struct {
	mesh.Mesh
	holder  *journal.Holder
	late    bool // it is held only when it is claimed
	entered []journal.Claim
	looked  int
}

// Enter implements mesh.Mesh.
func (s *alongside) Enter(ctx context.Context, l *journal.Ledger) error {
	if s.holder != nil {
		return &mesh.HeldError{Holder: s.holder}
	}
	s.entered = l.Claims
	return s.Mesh.Enter(ctx, l)
}

// Holders implements mesh.Mesh.
func (s *alongside) Holders(_ context.Context, claims []journal.Claim) ([]*journal.Holder, error) {
	s.looked++
	if s.holder == nil || s.late && len(claims) == 0 {
		return nil, nil
	}
	return []*journal.Holder{s.holder}, nil
}

func holder(lasts time.Duration) *journal.Holder {
	return &journal.Holder{
		Run: "other", Scenario: "canary", By: "anna@laptop", Since: time.Now().Add(-time.Hour), Until: time.Now().Add(lasts),
		Namespace: "films", What: "ratings.default.svc.cluster.local",
	}
}

func TestARunDoesNotBeginOnWhatARunOfAnotherNamespaceHolds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lasts time.Duration
		late  bool
		wait  time.Duration
		words string
	}{
		"under way":                  {time.Minute, false, 0, "is under way in the namespace films and holds ratings.default.svc.cluster.local; wait until it has ended, as with --wait"},
		"known when it is claimed":   {time.Minute, true, 0, "holds ratings.default.svc.cluster.local"},
		"killed":                     {-time.Minute, false, time.Minute, "was killed, or could not undo everything, and its rules may be in force in the namespace films, for ratings.default.svc.cluster.local"},
		"waited for, and not enough": {time.Minute, false, time.Second, "waiting for another run, for 1s: the run other of canary"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &alongside{Mesh: open(t), holder: holder(test.lasts), late: test.late}
			compare := meshtest.Remember(t, m.Mesh)
			_, err := runner.Run(t.Context(), m, read(t, short), runner.Options{ID: "test", Wait: test.wait})
			var busy *runner.BusyError
			if !errors.As(err, &busy) {
				t.Fatalf("the error is %v", err)
			}
			for _, words := range []string{"the run other of canary, which anna@laptop began", test.words, "meshchaos restore --namespace films --run other"} {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("the error is %q, without %q", err, words)
				}
			}
			compare()
			if ledgers, err := m.Ledgers(t.Context()); err != nil || len(ledgers) != 0 {
				t.Errorf("the ledgers are %v, %v", ledgers, err)
			}
		})
	}
}

func TestARunWaitsForAnotherOneAndThenPlansAnew(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]bool{"known before it plans": false, "known when it claims": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &alongside{Mesh: open(t), holder: holder(time.Minute), late: late}
			var phases []string
			record, err := runner.Run(t.Context(), m, read(t, short), runner.Options{ID: "test", Wait: time.Minute, LiveLimit: 4 * time.Second, Observe: func(e runner.Event) {
				phases = append(phases, e.Phase)
				if strings.HasPrefix(e.Phase, "waiting for the run other of canary") {
					m.holder = nil
				}
			}})
			if err != nil || record.Verdict != report.Pass || !record.Restored {
				t.Fatalf("%v, %+v", err, record)
			}
			checks := len(slices.DeleteFunc(slices.Clone(phases), func(p string) bool { return !strings.HasPrefix(p, "checking the scenario") }))
			if want := map[bool]int{true: 2, false: 1}[late]; checks != want || m.looked < 2 {
				t.Errorf("it looked %d times, and planned %d times: %q", m.looked, checks, phases)
			}
			want := []journal.Claim{{Namespace: "default", What: "ratings.default.svc.cluster.local"}, {Namespace: "default", What: "reviews.default.svc.cluster.local"}}
			if !slices.Equal(m.entered, want) {
				t.Errorf("it claims %v", m.entered)
			}
		})
	}
}

func TestAnInterruptEndsTheWaitingForAnotherRun(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	m := &alongside{Mesh: open(t), holder: holder(time.Minute)}
	_, err := runner.Run(ctx, m, read(t, short), runner.Options{ID: "test", Wait: time.Hour, Observe: func(e runner.Event) {
		if strings.HasPrefix(e.Phase, "waiting for") {
			interrupt()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}
