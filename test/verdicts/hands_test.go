package verdicts

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/meshtest"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/scenarios"
)

// hand is a row that takes more than a file: somebody who meddles with the mesh
// while the run is under way, or options of the command.
type hand struct {
	Row
	text   string // the spec of the scenario
	meddle func(mesh.Mesh) mesh.Mesh
	with   scenarios.Override
	live   time.Duration // 0: as for the files
}

// hands are all such rows. The files that build them are named after what is
// meddled with.
func hands() []hand {
	var all []hand
	for _, some := range [][]hand{overrides(), changedProxies(), foreignRules(), unseenRules(), lostBaselines()} {
		all = append(all, some...)
	}
	return all
}

// row is the Row of a hand.
func row(folder, name, end string, words ...string) Row {
	return Row{Folder: folder, Name: name, End: end, Words: words}
}

func honest(m mesh.Mesh) mesh.Mesh { return m }

// scenario reads the spec of a hand.
func (h hand) scenario(t *testing.T) (*scenarios.Scenario, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hand.yaml")
	text := "apiVersion: meshchaos/v1alpha1\nkind: Scenario\nmetadata: {name: hand}\nspec:\n" + h.text
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Read(path)
	if err != nil {
		return nil, err
	}
	if err := s.Override(h.with); err != nil {
		return nil, &runner.RefusedError{Err: err}
	}
	return s, nil
}

func TestEveryHandEndsAsItMust(t *testing.T) {
	for _, h := range hands() {
		for seed := range runs(t) {
			t.Run(fmt.Sprintf("%s/%d", h.ID(), seed), func(t *testing.T) {
				t.Parallel()
				s, err := h.scenario(t)
				if err != nil {
					hold(t, h.Row, Ended{Err: err})
					return
				}
				limit := h.live
				if limit == 0 {
					limit = live
				}
				m := meshtest.Open(t, s.App, seed+1)
				hold(t, h.Row, run(t, h.meddle(m), s, seed+1, limit))
			})
		}
	}
}

// loads is a mesh somebody meddles with during its loads. The n-th load of a
// run, from 0: the baseline, each step, the recovery.
type loads struct {
	mesh.Mesh
	during func(ctx context.Context, m mesh.Mesh, n int) (undo func(), err error)
	n      *int
}

func (l loads) Load(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	n := *l.n
	*l.n++
	var undo func()
	results, err := l.Mesh.Load(ctx, cohorts, guard, func(ctx context.Context) error {
		if err := begin(ctx); err != nil {
			return err
		}
		var err error
		undo, err = l.during(ctx, l.Mesh, n)
		return err
	}, observe)
	if undo != nil {
		undo()
	}
	return results, err
}

// silent is a mesh that tells of nothing which happens in it, so that a run finds out by
// itself, after its loads.
type silent struct{ mesh.Mesh }

func (silent) Follow(context.Context, mesh.Traffic, func(mesh.Event)) ([]string, error) {
	return nil, nil
}

// unheard is somebody of whom a run does not hear at once.
func unheard(meddle func(mesh.Mesh) mesh.Mesh) func(mesh.Mesh) mesh.Mesh {
	return func(m mesh.Mesh) mesh.Mesh { return meddle(silent{m}) }
}

// leaving is a mesh that somebody leaves alone again when the run is over.
type leaving struct {
	mesh.Mesh
	undo *func()
}

func (l leaving) Settle(ctx context.Context, run string) error {
	(*l.undo)()
	return l.Mesh.Settle(ctx, run)
}

// writes writes an object of somebody else's, and takes it back.
func writes(ctx context.Context, m mesh.Mesh, manifest string) (undo func(), err error) {
	object, err := rules.DecodeFile([]byte(manifest))
	if err != nil {
		return nil, err
	}
	object.Namespace = m.Info().Namespace
	objects, err := m.Objects(ctx)
	if err != nil {
		return nil, err
	}
	before := rules.Find(objects, object.Ref)
	written, err := m.Write(ctx, rules.Change{Before: before, After: object})
	if err != nil {
		return nil, err
	}
	return func() { _, _ = m.Write(context.WithoutCancel(ctx), rules.Change{Before: written, After: before}) }, nil
}
