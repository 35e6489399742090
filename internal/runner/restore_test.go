package runner_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
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
	after bool

	mu   sync.Mutex // a run that lasts stores its ledger beside what it does
	left int
	dead bool
}

// live carries out a write, unless the run is dead, or dies before it.
func (m *mortal) live(write func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
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

// clinging is a mesh that keeps the ledgers of runs, and what else they made.
type clinging struct{ mesh.Mesh }

// Settle implements mesh.Mesh.
func (clinging) Settle(context.Context, string) error {
	return errors.New("deleting Secret/istio-system/shop: forbidden")
}

// TestWhatALedgerHasBesideRulesIsRestoredWhenItIsGone: a certificate's key may be among it.
func TestWhatALedgerHasBesideRulesIsRestoredWhenItIsGone(t *testing.T) {
	m := open(t)
	for _, record := range []*report.Record{run(t.Context(), t, clinging{m}, short, nil), restored(t, clinging{m})} {
		said := strings.Join(record.Problems, "\n")
		if record.Restored || record.Verdict == report.Pass || !strings.Contains(said, "deleting Secret/istio-system/shop") || strings.Contains(said, "nothing else is left") {
			t.Errorf("verdict %q, restored %v: %s", record.Verdict, record.Restored, said)
		}
	}
	restoreAll(t, m)
}

// restored restores the one run that has left something.
func restored(t *testing.T, m mesh.Mesh) *report.Record {
	t.Helper()
	ledgers, err := m.Ledgers(t.Context())
	if err != nil || len(ledgers) != 1 {
		t.Fatalf("%d ledgers, %v", len(ledgers), err)
	}
	record, err := runner.Restore(t.Context(), m, ledgers[0], runner.Options{LiveLimit: 4 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return record
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

// stuck is a mesh whose proxies hear of no write any more once it is: what is written
// stands in the mesh, as with istiod gone.
type stuck struct {
	mesh.Mesh
	is     bool
	stored map[rules.Ref]*rules.Object // what was written since; nil: deleted
}

// Objects implements mesh.Mesh.
func (s *stuck) Objects(ctx context.Context) ([]*rules.Object, error) {
	objects, err := s.Mesh.Objects(ctx)
	objects = slices.DeleteFunc(slices.Clone(objects), func(o *rules.Object) bool { _, is := s.stored[o.Ref]; return is })
	for _, o := range s.stored {
		if o != nil {
			objects = append(objects, o)
		}
	}
	return objects, err
}

// Write implements mesh.Mesh.
func (s *stuck) Write(ctx context.Context, c rules.Change) (*rules.Object, error) {
	if !s.is {
		return s.Mesh.Write(ctx, c)
	}
	s.stored[c.Ref()] = c.After
	return c.After, nil // what is put back has the manifest that it had
}

// follow lets the proxies hear of all of it.
func (s *stuck) follow(t *testing.T) {
	t.Helper()
	objects, err := s.Mesh.Objects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for ref, o := range s.stored {
		if _, err := s.Mesh.Write(t.Context(), rules.Change{Before: rules.Find(objects, ref), After: o}); err != nil {
			t.Fatal(err)
		}
	}
	s.is, s.stored = false, map[rules.Ref]*rules.Object{}
}

// What is written back and has not come to the proxies is not restored, however often
// that is tried: the object alone does not tell.
func TestWhatProxiesStillRunIsNotRestoredByRestoringTwice(t *testing.T) {
	for name, leave := range map[string]func(*testing.T, *stuck){
		"the run has written it back": func(t *testing.T, m *stuck) {
			record, err := runner.Run(t.Context(), m, read(t, short), runner.Options{ID: "stuck", LiveLimit: 3 * time.Second, Observe: func(e runner.Event) {
				m.is = m.is || e.Phase == "undoing"
			}})
			if err != nil || record.Restored {
				t.Fatalf("the run says that all is restored; error %v", err)
			}
		},
		"somebody else has written it back": func(t *testing.T, m *stuck) {
			dying := &mortal{Mesh: m, left: 1000}
			_, err := runner.Run(t.Context(), dying, read(t, short), runner.Options{ID: "stuck", LiveLimit: 3 * time.Second, Observe: func(e runner.Event) {
				dying.dead = dying.dead || strings.HasPrefix(e.Phase, "load of step")
			}})
			if err != nil {
				t.Fatal(err)
			}
			m.is = true
			for _, entry := range only(t, m).Entries {
				if _, err := m.Write(t.Context(), rules.Change{Before: entry.Is, After: entry.Was}); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &stuck{Mesh: lasting{open(t)}, stored: map[rules.Ref]*rules.Object{}}
			compare := meshtest.Remember(t, m)
			leave(t, m)
			for range 2 {
				record, err := runner.Restore(t.Context(), m, only(t, m), runner.Options{LiveLimit: 3 * time.Second})
				if err != nil || record.Restored {
					t.Errorf("all is said to be restored, of which no proxy has heard; error %v", err)
				}
			}
			m.follow(t)
			restoreAll(t, m)
			compare()
		})
	}
}

// A rule that somebody else has put back from a copy when the run had taken it out is
// still the run's.
func TestACopyOfTheRunsRuleIsNotTakenForSomebodyElses(t *testing.T) {
	text := strings.Replace(strings.Replace(owner, `"name":"plain"`, `"name":"meshchaos-gone-1-0-0"`, 1), `"theirs"`, `"ours"`, 1)
	ours, err := rules.Decode([]byte(text))
	if err != nil || rules.MarkedBy(ours) != "gone" {
		t.Fatalf("marked by %q, error %v", rules.MarkedBy(ours), err)
	}
	for name, ran := range map[string]*rules.Object{"what it was is known": ours, "it is not": nil} {
		t.Run(name, func(t *testing.T) {
			m := open(t)
			if _, err := m.Write(t.Context(), rules.Change{After: ours}); err != nil {
				t.Fatal(err)
			}
			ledger := &journal.Ledger{Run: "gone", Entries: []*journal.Entry{{Ref: ours.Ref, Ran: ran}}}
			record, err := runner.Restore(t.Context(), m, ledger, runner.Options{LiveLimit: time.Second})
			_, there := meshtest.InForce(t, m)[ours.String()]
			if err != nil || record.Restored == there || there == (ran != nil) {
				t.Errorf("all is said to be restored: %v, and it is there: %v; error %v, problems %q", record.Restored, there, err, record.Against())
			}
		})
	}
}

// only returns the ledger that there is.
func only(t *testing.T, m mesh.Mesh) *journal.Ledger {
	t.Helper()
	ledgers, err := m.Ledgers(t.Context())
	if err != nil || len(ledgers) != 1 {
		t.Fatalf("%d ledgers are there, error %v", len(ledgers), err)
	}
	return ledgers[0]
}
