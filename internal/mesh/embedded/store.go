package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/samples"
	"github.com/meshchaos/meshchaos/internal/sidecar"
)

// store keeps the objects, in the order of their creation.
type store struct {
	objects []*rules.Object
	version uint64 // the last resource version that was given
}

func (s *store) find(ref rules.Ref) int {
	return slices.IndexFunc(s.objects, func(o *rules.Object) bool { return o.Ref == ref })
}

// with returns the objects as they would be with others written.
func (s *store) with(objects []*rules.Object) []*rules.Object {
	all := slices.Clone(s.objects)
	for _, o := range objects {
		if i := slices.IndexFunc(all, func(have *rules.Object) bool { return have.Ref == o.Ref }); i >= 0 {
			all[i] = o
			continue
		}
		all = append(all, o)
	}
	return all
}

// Objects implements mesh.Mesh.
func (m *Mesh) Objects(context.Context) ([]*rules.Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var objects []*rules.Object
	for _, o := range m.store.objects {
		objects = append(objects, o.Clone())
	}
	return objects, nil
}

// Admit implements mesh.Mesh. A field that is not implemented is a
// *sidecar.UnsupportedError.
func (m *Mesh) Admit(_ context.Context, objects []*rules.Object) error {
	placed, err := placed(objects)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err = sidecar.Compile(m.registry, m.store.with(placed))
	return err
}

// Admit says whether a new mesh with the application would take the objects.
func Admit(app string, objects []*rules.Object) error {
	sample, err := samples.App(app)
	if err != nil {
		return err
	}
	placed, err := placed(objects)
	if err != nil {
		return err
	}
	_, err = sidecar.Compile(registry(sample, nil), placed)
	return err
}

// placed gives objects without a namespace the mesh's, and refuses others.
func placed(objects []*rules.Object) ([]*rules.Object, error) {
	var all []*rules.Object
	for _, o := range objects {
		if o.Namespace == "" {
			o = o.Clone()
			o.Namespace = Namespace
		}
		if o.Namespace != Namespace {
			return nil, fmt.Errorf("reading %s: the embedded mesh has the namespace %q alone; leave metadata.namespace out", o.Ref, Namespace)
		}
		all = append(all, o)
	}
	return all, nil
}

// Write implements mesh.Mesh. When it returns, every proxy runs the change.
func (m *Mesh) Write(_ context.Context, change rules.Change) (*rules.Object, error) {
	if change.Before == nil && change.After == nil {
		return nil, fmt.Errorf("writing a change: it has neither before nor after")
	}
	ref := change.Ref()
	if ref.Namespace == "" {
		ref.Namespace = Namespace
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.store.find(ref)
	if err := m.conflict(ref, at, change.Before); err != nil {
		return nil, err
	}
	next := store{objects: slices.Clone(m.store.objects), version: m.store.version + 1}
	var written *rules.Object
	if change.After == nil {
		next.objects = slices.Delete(next.objects, at, at+1)
	} else {
		var err error
		if written, err = stored(change.After, next.version); err != nil {
			return nil, err
		}
		next.objects = next.with([]*rules.Object{written})
	}
	if err := m.push(next.objects); err != nil {
		return nil, err
	}
	m.store = next
	if written == nil {
		return nil, nil
	}
	return written.Clone(), nil
}

// conflict says that what is there is not what the change was made from.
func (m *Mesh) conflict(ref rules.Ref, at int, before *rules.Object) error {
	var want, have string
	if before != nil {
		want = before.ResourceVersion
	}
	if at >= 0 {
		have = m.store.objects[at].ResourceVersion
	}
	if want == have {
		return nil
	}
	return &mesh.ConflictError{Ref: ref, Want: want, Have: have}
}

// stored is an object as the mesh keeps and returns it.
func stored(o *rules.Object, version uint64) (*rules.Object, error) {
	objects, err := placed([]*rules.Object{o})
	if err != nil {
		return nil, err
	}
	manifest, err := objects[0].Encode()
	if err != nil {
		return nil, err
	}
	var tree map[string]json.RawMessage
	var metadata map[string]json.RawMessage
	if err := json.Unmarshal(manifest, &tree); err != nil {
		return nil, fmt.Errorf("storing %s: %w", o.Ref, err)
	}
	if err := json.Unmarshal(tree["metadata"], &metadata); err != nil {
		return nil, fmt.Errorf("storing %s: %w", o.Ref, err)
	}
	metadata["resourceVersion"] = json.RawMessage(strconv.Quote(strconv.FormatUint(version, 10)))
	if tree["metadata"], err = json.Marshal(metadata); err != nil {
		return nil, fmt.Errorf("storing %s: %w", o.Ref, err)
	}
	if manifest, err = json.Marshal(tree); err != nil {
		return nil, fmt.Errorf("storing %s: %w", o.Ref, err)
	}
	object, err := rules.Decode(manifest)
	if err != nil {
		return nil, fmt.Errorf("storing %s: %w", o.Ref, err)
	}
	return object, nil
}

// push makes all proxies run the objects.
func (m *Mesh) push(objects []*rules.Object) error {
	config, err := sidecar.Compile(m.registry, objects)
	if err != nil {
		return err
	}
	for _, w := range m.workloads {
		if err := w.proxy.Push(config); err != nil {
			return err
		}
	}
	return nil
}
