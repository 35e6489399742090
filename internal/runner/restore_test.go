package runner_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/meshtest"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
)

var errDead = errors.New("killed")

// mortal is a mesh as a run sees it that is killed before or after its nth write,
// those of its ledger among them: from then on nothing that it does takes place.
type mortal struct {
	mesh.Mesh
	left  int
	after bool
	dead  bool
}

// live carries out a write, unless the run is dead, or dies before it.
func (m *mortal) live(write func() error) error {
	m.left--
	if m.dead || m.left == 0 && !m.after {
		m.dead = true
		return errDead
	}
	err := write()
	if m.left == 0 {
		m.dead = true
		return errDead
	}
	return err
}

// Enter implements mesh.Mesh.
func (m *mortal) Enter(ctx context.Context, l *journal.Ledger) error {
	return m.live(func() error { return m.Mesh.Enter(ctx, l) })
}

// Settle implements mesh.Mesh.
func (m *mortal) Settle(ctx context.Context, run string) error {
	return m.live(func() error { return m.Mesh.Settle(ctx, run) })
}

// Write implements mesh.Mesh.
func (m *mortal) Write(ctx context.Context, c rules.Change) (written *rules.Object, err error) {
	err = m.live(func() (err error) {
		written, err = m.Mesh.Write(ctx, c)
		return err
	})
	return written, err
}

func TestARunThatIsKilledAtAnyWriteIsUndoneByItsLedger(t *testing.T) {
	points := 0
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			m := open(t)
			compare := meshtest.Remember(t, m)
			dying := &mortal{Mesh: m, left: n, after: after}
			_, err := runner.Run(t.Context(), dying, read(t, short), runner.Options{ID: "killed", LiveLimit: 4 * time.Second})
			if !dying.dead {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			points++
			t.Run(fmt.Sprintf("write %d, after it: %v", n, after), func(t *testing.T) {
				restoreAll(t, m)
				compare()
			})
		}
	}
	if points < 30 {
		t.Errorf("the run was killed at %d points", points)
	}
	t.Logf("the run was killed at %d points", points)
}

// restoreAll restores what runs have left, and once more.
func restoreAll(t *testing.T, m mesh.Mesh) {
	t.Helper()
	ledgers, err := m.Ledgers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, ledger := range ledgers {
		for range 2 {
			record, err := runner.Restore(t.Context(), m, ledger, runner.Options{LiveLimit: 4 * time.Second})
			if err != nil || !record.Restored || len(record.Problems) > 0 {
				t.Errorf("restored %v, %q, %v", record.Restored, record.Problems, err)
			}
		}
	}
	if ledgers, err = m.Ledgers(t.Context()); len(ledgers) > 0 || err != nil {
		t.Errorf("%d ledgers are left, %v", len(ledgers), err)
	}
}

func TestARunDoesNotBeginOverWhatAnotherHasLeft(t *testing.T) {
	for name, test := range map[string]struct {
		deadline time.Duration
		words    string
	}{
		"under way": {time.Minute, "is under way in the namespace default"},
		"killed":    {-time.Minute, "was killed, or could not undo everything"},
	} {
		t.Run(name, func(t *testing.T) {
			m := open(t)
			other := &journal.Ledger{Run: "other", Scenario: "canary", By: "anna@laptop", Started: time.Now().Add(-time.Hour), Deadline: time.Now().Add(test.deadline)}
			if err := m.Enter(t.Context(), other); err != nil {
				t.Fatal(err)
			}
			compare := meshtest.Remember(t, m)
			_, err := runner.Run(t.Context(), m, read(t, short), runner.Options{ID: "test"})
			var busy *runner.BusyError
			if !errors.As(err, &busy) {
				t.Fatalf("the error is %v", err)
			}
			for _, words := range []string{"the run other of canary, which anna@laptop began", test.words, "meshchaos restore --namespace default --run other"} {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("the error is %q, without %q", err, words)
				}
			}
			compare()
			if ledgers, err := m.Ledgers(t.Context()); err != nil || len(ledgers) != 1 || ledgers[0].Run != "other" {
				t.Errorf("the ledgers are %v, %v", ledgers, err)
			}
		})
	}
}

func TestOfTwoRunsThatBeginAtOnceOneGoesOn(t *testing.T) {
	m := open(t)
	later := &journal.Ledger{Run: "later", Started: time.Now().Add(time.Hour), Deadline: time.Now().Add(2 * time.Hour)}
	if err := m.Enter(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	if record := run(t.Context(), t, m, short, nil); record.Verdict != report.Pass {
		t.Errorf("verdict %s, %q", record.Verdict, record.Problems)
	}
}

func TestWhatSomebodyElseMadeOfWhatAKilledRunLeftIsKept(t *testing.T) {
	m := open(t)
	dying := &mortal{Mesh: m, left: 1000}
	_, err := runner.Run(t.Context(), dying, read(t, short), runner.Options{ID: "killed", LiveLimit: 4 * time.Second, Observe: func(e runner.Event) {
		dying.dead = dying.dead || e.Phase == "load under the rule" || strings.HasPrefix(e.Phase, "load of step")
	}})
	if err != nil || !dying.dead {
		t.Fatalf("the run was not killed: %v", err)
	}
	objects, err := m.Objects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	theirs := rules.Find(objects, rules.Ref{Kind: rules.VirtualService, Namespace: "default", Name: "theirs"})
	labelled := theirs.Clone()
	labelled.Manifest, labelled.Labels = nil, map[string]string{"team": "films"}
	if _, err := m.Write(t.Context(), rules.Change{Before: theirs, After: labelled}); err != nil {
		t.Fatal(err)
	}
	ledgers, err := m.Ledgers(t.Context())
	if err != nil || len(ledgers) != 1 {
		t.Fatalf("%d ledgers, %v", len(ledgers), err)
	}
	record, err := runner.Restore(t.Context(), m, ledgers[0], runner.Options{LiveLimit: 4 * time.Second})
	if err != nil || !record.Restored {
		t.Fatalf("restored %v, %v", record, err)
	}
	now := meshtest.InForce(t, m)["VirtualService/default/theirs"]
	if strings.Contains(now, "fixedDelay") || !strings.Contains(now, "films") {
		t.Errorf("the fault is left, or somebody else's label is lost: %s", now)
	}
}
