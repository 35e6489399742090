package embedded

import (
	"context"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// follower hears of the objects that are written.
type follower struct{ hear func(mesh.Event) }

// Follow implements mesh.Mesh. Here all rules are in one namespace, whose pods
// neither come nor go, and nothing is hidden from anybody.
func (m *Mesh) Follow(ctx context.Context, _ mesh.Traffic, hear func(mesh.Event)) ([]string, error) {
	f := &follower{hear}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.followers[f] = true
	context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.followers, f)
	})
	return nil, nil
}

// tell tells the followers that an object has taken the place of another; nil: it
// is not there. m.mu is held, so that they hear of writes in their order.
func (m *Mesh) tell(ref rules.Ref, was, is *rules.Object) {
	e := mesh.Event{Ref: ref}
	switch {
	case is == nil:
		e.Did = mesh.Deleted
	case was == nil:
		e.Did = mesh.Created
	case rules.Rewritten(was, is):
		e.Did = mesh.Changed
	default:
		return
	}
	if is != nil {
		e.Version = is.ResourceVersion
	}
	for f := range m.followers {
		f.hear(e)
	}
}
