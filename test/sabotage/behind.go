package sabotage

import (
	"context"
	"fmt"
	"sync"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
)

// behind alters the rules while load is driven, and puts them back.
func behind(alter func(*rules.Object)) func(mesh.Mesh) mesh.Mesh {
	return func(m mesh.Mesh) mesh.Mesh {
		return &spoiltLoad{Mesh: m, alter: alter, hidden: map[rules.Ref]hidden{}}
	}
}

// spoiltLoad is a mesh in which other rules are in force under load than it says. It
// tells nobody of that, else a run would end for it, and no expectation would have to
// show it.
type spoiltLoad struct {
	mesh.Mesh
	alter func(*rules.Object)

	mu     sync.Mutex
	hidden map[rules.Ref]hidden
}

// hidden is an object that was altered and put back: as it is shown, and as it is.
type hidden struct{ shown, is *rules.Object }

// Follow implements mesh.Mesh.
func (*spoiltLoad) Follow(context.Context, mesh.Traffic, func(mesh.Event)) ([]string, error) {
	return nil, nil
}

// Objects implements mesh.Mesh.
func (s *spoiltLoad) Objects(ctx context.Context) ([]*rules.Object, error) {
	objects, err := s.Mesh.Objects(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, o := range objects {
		if h, there := s.hidden[o.Ref]; there && h.is.ResourceVersion == o.ResourceVersion {
			objects[i] = h.shown
		}
	}
	return objects, err
}

// Write implements mesh.Mesh.
func (s *spoiltLoad) Write(ctx context.Context, c rules.Change) (*rules.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, there := s.hidden[c.Ref()]; there && c.Before != nil && c.Before.ResourceVersion == h.shown.ResourceVersion {
		c.Before = h.is
		delete(s.hidden, c.Ref())
	}
	return s.Mesh.Write(ctx, c)
}

// Load implements mesh.Mesh.
func (s *spoiltLoad) Load(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	objects, err := s.Mesh.Objects(ctx)
	if err != nil {
		return nil, err
	}
	for _, before := range objects {
		undo, err := s.spoil(ctx, before)
		if err != nil {
			return nil, fmt.Errorf("spoiling %s: %w", before.Ref, err)
		}
		defer undo()
	}
	return s.Mesh.Load(ctx, cohorts, guard, begin, observe)
}

// spoil alters an object until undo is called.
func (s *spoiltLoad) spoil(ctx context.Context, before *rules.Object) (undo func(), err error) {
	after := before.Clone()
	after.Manifest = nil
	s.alter(after)
	if rules.Equal(before, after) {
		return func() {}, nil
	}
	written, err := s.Mesh.Write(ctx, rules.Change{Before: before, After: after})
	if err != nil {
		return nil, err
	}
	return func() {
		again, err := s.Mesh.Write(context.WithoutCancel(ctx), rules.Change{Before: written, After: before})
		if err != nil {
			return // which the run finds
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		shown := before
		if h, there := s.hidden[before.Ref]; there {
			shown = h.shown
		}
		s.hidden[before.Ref] = hidden{shown, again}
	}, nil
}
